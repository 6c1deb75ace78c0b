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
    text = "\x1f".join([str(seed), purpose, *map(str, place)])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator_for(seed: int, purpose: str, *place: int | str) -> np.random.Generator:
    """Make the generator of a place; see `seed_for`."""
    return np.random.Generator(np.random.Philox(seed_for(seed, purpose, *place)))
