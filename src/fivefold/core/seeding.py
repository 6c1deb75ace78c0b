"""Randomness as a function: the same place in an experiment always draws the same numbers.

Nothing else in fivefold makes seeds, so neither threads, nor a crash, nor a resume can change what
is drawn for a sample.
"""

import hashlib

import numpy as np


def seed_for(seed: int, purpose: str, *place: int | str) -> int:
    """Derive a 63-bit seed from the experiment's seed and a place.

    Args:
        seed: The experiment's seed.
        purpose: What the numbers are for, such as "order" or "augment".
        place: Fold, stage, epoch, sample id: as far as they apply, in this order.
    """
    digest = _digest(_text(seed, purpose, place), 8)
    return int.from_bytes(digest, "little") >> 1


def generator_for(seed: int, purpose: str, *place: int | str) -> np.random.Generator:
    """Make the generator of a place; see `seed_for`."""
    return np.random.Generator(np.random.Philox(seed_for(seed, purpose, *place)))


def generator_of(content: bytes) -> np.random.Generator:
    """Make the generator of some bytes, which has no other place in an experiment."""
    key = np.frombuffer(hashlib.blake2b(content, digest_size=16).digest(), dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key))


class SampleGenerators:
    """The generators of one place's samples, each at a quarter of the price of `generator_for`.

    All draw from one counter-based stream; a sample's id says where in it. The 64 lowest bits of
    the counter are the sample's own, the 192 above are a digest of its id.

    Args:
        seed: The experiment's seed.
        purpose: What the numbers are for.
        place: Fold, stage, epoch: as far as they apply, in this order.
    """

    def __init__(self, seed: int, purpose: str, *place: int | str) -> None:
        key = np.frombuffer(_digest(_text(seed, purpose, place), 16), dtype="<u8")
        self._stream = np.random.Philox(key=key)
        self._generator = np.random.Generator(self._stream)
        self._start = self._stream.state
        self._counter = self._start["state"]["counter"]

    def of(self, sample_id: str) -> np.random.Generator:
        """Give a sample's generator, at its start; it is good until the next one is asked for."""
        self._counter[1:] = np.frombuffer(_digest(sample_id, 24), dtype="<u8")
        self._stream.state = self._start
        return self._generator


def _text(seed: int, purpose: str, place: tuple[int | str, ...]) -> str:
    return "\x1f".join([str(seed), purpose, *map(str, place)])


def _digest(text: str, num_bytes: int) -> bytes:
    encoded = text.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(encoded, digest_size=num_bytes).digest()
