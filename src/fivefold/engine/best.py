"""The best epoch so far of a running stage: its weights and predictions, until the stage ends.

They lie under their epoch's name beside the commits, so that a commit never names bytes that a
later epoch has replaced.
"""

from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from fivefold.core import durable
from fivefold.core.found import Found
from fivefold.engine.checkpoint import load_weights, save_weights


def save_best(
    folder: Path, stage: int, epoch: int, trained: nn.Module, predictions: Found
) -> tuple[str, str]:
    """Keep what an epoch has learned and its predictions; returns the SHA-256 of both files."""
    stem = _stem(folder, stage, epoch)
    sha256 = save_weights(stem.with_suffix(".safetensors"), trained)
    return sha256, predictions.save(stem.with_suffix(".npz"))


def load_best(
    folder: Path, stage: int, epoch: int, sha256: tuple[str, str]
) -> tuple[dict[str, Tensor], bytes]:
    """Read the best epoch's weights, and its predictions as the bytes of their file.

    Args:
        folder: The fold's state folder.
        stage: 0-based.
        epoch: The best one.
        sha256: Of its weights and of its predictions.

    Raises:
        StateError: If a file is missing or damaged.
    """
    stem = _stem(folder, stage, epoch)
    weights = load_weights(stem.with_suffix(".safetensors"), sha256[0])
    return weights, durable.read_verified(stem.with_suffix(".npz"), sha256[1])


def check_best(folder: Path, stage: int, epoch: int, sha256: tuple[str, str]) -> None:
    """Make sure before training goes on that the best epoch can be kept at its end.

    Raises:
        StateError: If a file is missing or damaged.
    """
    stem = _stem(folder, stage, epoch)
    for suffix, expected in zip((".safetensors", ".npz"), sha256, strict=True):
        durable.read_verified(stem.with_suffix(suffix), expected)


def forget_best(folder: Path, stage: int, keep: Iterable[int] = ()) -> None:
    """Remove the files of all epochs but those that a commit still names."""
    stems = {_stem(folder, stage, epoch) for epoch in keep}
    for path in folder.glob(f"best-{stage}-*"):
        if path.with_suffix("") not in stems:
            durable.remove(path)


def _stem(folder: Path, stage: int, epoch: int) -> Path:
    return folder / f"best-{stage}-{epoch:06d}"
