"""The key of a stage: equal for two stages that must end with the same bytes.

Whatever could change a result is in it. What is in it without need costs time, since a stage is
then trained again; what is missing would give one experiment the results of another.
"""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fivefold.augment import folders_in, located
from fivefold.config import ResolvedStage
from fivefold.core.durable import file_sha256
from fivefold.core.types import AnyArray
from fivefold.data.preprocess import decoders
from fivefold.data.samples import SampleTable

if TYPE_CHECKING:
    from fivefold.models import ModelSpec

IRRELEVANT: Mapping[str, str] = {
    "directory": "a path; what the augmentation reads there is in the key",
    "initial_weights": "a path; the content of what lies there is in the key",
}
"""Fields of a stage that its key leaves out, each with the reason."""

_IN_ORDER = frozenset({"augmentation", "transforms"})
"""Fields in which the order of a mapping counts, such as that of augmenters in `OneOf`."""

_PACKAGES = (
    "accelerate",
    "fivefold",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "safetensors",
    "scikit-learn",
    "segmentation-models-pytorch",
    "timm",
    "torch",
)
_END, _NEXT = b"\x1e", "\x1f"
_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class StageFacts:
    """All that decides how a stage of a fold ends.

    Attributes:
        stage: What is done.
        spec: The model.
        fold: 0-based.
        seed: The experiment's.
        data: Of `data_digest`.
        incoming: Digest of the weights that training starts from: `incoming_of_model` in the first
            stage, `incoming_of_bundle` of the stage before in others.
        directory: Where a relative `initial_weights`, or a folder of the augmentation, starts.
        surroundings: Device, precision and whatever else changes the last bits; JSON values.
    """

    stage: ResolvedStage
    spec: "ModelSpec"
    fold: int
    seed: int
    data: str
    incoming: str
    directory: Path
    surroundings: Mapping[str, Any]


def stage_key(facts: StageFacts) -> str:
    """Compute a stage's key, a SHA-256 in hex."""
    record = {
        "stage": _stage_record(facts.stage),
        "spec": asdict(facts.spec),
        "fold": facts.fold,
        "seed": facts.seed,
        "data": facts.data,
        "incoming": facts.incoming,
        "initial_weights": _content(facts.stage, facts.directory),
        "folders": _folders(facts.stage, facts.directory),
        "surroundings": dict(facts.surroundings),
        **versions(),
    }
    text = json.dumps(record, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _stage_record(stage: ResolvedStage) -> dict[str, Any]:
    return {
        name: json.dumps(value) if name in _IN_ORDER else value
        for name, value in asdict(stage).items()
        if name not in IRRELEVANT
    }


def versions() -> dict[str, Any]:
    """Collect, as JSON values, the versions of all code that computes results."""
    return {
        "versions": {"python": platform.python_version(), **_packages()},
        "decoders": decoders(),
        "code": code_digest(_PACKAGE),
    }


def data_digest(
    table: SampleTable,
    train_rows: Sequence[int] | AnyArray,
    val_rows: Sequence[int] | AnyArray,
    left_out: Sequence[int] | AnyArray = (),
) -> str:
    """Compute a digest of a fold's data, in hex.

    Samples that the fold does not use count too: features of a frozen backbone are computed in
    batches of all samples, whose size may decide the last bits.

    Args:
        table: All used samples: ids, contents, targets and weights, in order.
        train_rows: Rows to train on, in order.
        val_rows: Rows to validate on, in order.
        left_out: Rows that are only predicted, when the stage has ended.
    """
    hasher = hashlib.sha256(f"{len(table)}".encode())
    for sample_id, content in zip(table.ids, table.digests, strict=True):
        text = f"{len(sample_id)}{_NEXT}{sample_id}{_NEXT}{content}"
        hasher.update(text.encode("utf-8", "surrogateescape") + _END)
    if table.targets is not None:
        hasher.update(repr(table.targets.shape).encode() + table.targets.tobytes())
    if table.weights is not None:
        hasher.update(b"weights" + table.weights.tobytes())
    for rows in (train_rows, val_rows, left_out):
        hasher.update(json.dumps([int(row) for row in rows]).encode() + _END)
    return hasher.hexdigest()


@cache
def code_digest(folder: Path) -> str:
    """Compute a digest of all Python files below a folder; once in a process."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        hasher.update(path.relative_to(folder).as_posix().encode() + _END)
        hasher.update(hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()


def _content(stage: ResolvedStage, directory: Path) -> list[str]:
    """Digest a file of first weights, and the bundle beside it that tells its classes."""
    if not stage.initial_weights:
        return []
    path = directory / stage.initial_weights
    # Musket's ending means the same file; see `load_initial_weights`.
    path = path.with_suffix(".safetensors") if path.suffix == ".weights" else path
    return [_file_digest(path), _file_digest(path.parent / f"{path.stem}.json")]


def _folders(stage: ResolvedStage, directory: Path) -> list[list[str]]:
    """Digest the names and contents of what the augmentation reads, such as backgrounds."""
    folders = folders_in(located(stage.augmentation, directory))
    return [
        [f"{path.name}{_NEXT}{_known_digest(path, path.stat().st_mtime_ns)}" for path in files]
        for files in (sorted(f for f in folder.glob("*") if f.is_file()) for folder in folders)
    ]


@cache
def _known_digest(path: Path, changed: int) -> str:
    """Digest a file that was changed at some time: once in a process, not for each fold."""
    del changed  # of the key
    return _file_digest(path)


def _file_digest(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""  # whoever needs the file says what is wrong with it


@cache
def _packages() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}
