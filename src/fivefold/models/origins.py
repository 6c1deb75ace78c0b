"""Where weights come from, and the proof that a file is what its name promises."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from torch import Tensor
from torch.hub import HASH_REGEX

from fivefold.core.errors import DataError
from fivefold.models.state_files import load_tensors, read_state_file


@dataclass(frozen=True)
class WeightsOrigin:
    """Where a backbone's first weights came from.

    Attributes:
        kind: What sort of place.
        source: The file's name, the package, repository or address; empty for random numbers.
        licence: Of the weights, as their publisher says; empty when it is not known.
        sha256: Of the file; empty for random numbers.
        description: A few words for reports.
    """

    kind: Literal["none", "file", "package", "cache", "hub"] = "none"
    source: str = ""
    licence: str = ""
    sha256: str = ""
    description: str = "random numbers"


@dataclass(frozen=True)
class Found:
    """Weights that were found.

    Attributes:
        tensors: By the names that their publisher gave them.
        origin: Where they came from.
        in_order: They are timm's net in the same order, under other names.
    """

    tensors: dict[str, Tensor]
    origin: WeightsOrigin
    in_order: bool = False


def read_file(path: Path, licence: str = "") -> Found:
    """Read a file that the user named or put beside the config; see `read_state_file`."""
    tensors = read_state_file(path)
    origin = WeightsOrigin("file", path.name, licence, sha256_of(path), f"the file {path.name}")
    return Found(tensors, origin)


def read_published(origin: WeightsOrigin, path: Path, *, in_order: bool = False) -> Found:
    """Read a file of weights that somebody published.

    Args:
        origin: Where it comes from, without its SHA-256.
        path: The file; a hash in its name, torch's convention, must be right.
        in_order: As in `Found`.

    Raises:
        DataError: If it is damaged, or a weight is NaN or infinite.
    """
    sha256, promised = sha256_of(path), hash_in_name(path)
    if promised and not sha256.startswith(promised):
        msg = f"{path}: expected SHA-256 {promised}…, as its name says, got {sha256[:8]}…"
        hint = "the file is damaged; remove it, then install or download it again"
        raise DataError(msg, hint=hint, slug="weights/damaged")
    return Found(load_tensors(path), replace(origin, sha256=sha256), in_order)


def hash_in_name(path: Path) -> str:
    """Find the beginning of a SHA-256 in a file's name, as in `net-57934424.pth`."""
    match = HASH_REGEX.search(path.name)
    return match.group(1) if match else ""


def sha256_of(path: Path) -> str:
    """Compute a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
