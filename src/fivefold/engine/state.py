"""Everything that a resume needs, and the commits that keep it.

A commit is two files in the fold's state folder: the tensors, then a JSON that names their SHA-256.
The JSON is written last and carries a hash over itself, so a commit counts when both files are
unchanged. The newest one that is, is where training goes on; the two newest are kept.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from safetensors.torch import load as from_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor

from fivefold.core import durable
from fivefold.core.errors import StateError
from fivefold.core.sealed import read_sealed, write_sealed

logger = logging.getLogger(__name__)

_FORMAT = 2
_KEPT = 2


@dataclass
class TrainState:
    """Where a stage stands between two epochs.

    Attributes:
        epoch: The next epoch to run, 0-based.
        lr: The stage's learning rate after what callbacks did to it.
        best: The primary metric of the best epoch so far; NaN before the first.
        best_epoch: That epoch; -1 before the first.
        best_sha256: Of the weights file of that epoch.
        best_predictions_sha256: Of its validation predictions.
        encoder: SHA-256 of the backbone that the stage holds frozen; empty where it trains.
        stopped: Why a callback ended the stage early; empty otherwise.
        key: Of all that decides the stage's bytes, if it was the same in all epochs; else empty.
        rows: The metrics of each finished epoch.
        callbacks: What each callback remembers, by its place in the list.
    """

    lr: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    epoch: Annotated[int, Field(ge=0)] = 0
    best: float | None = None
    best_epoch: Annotated[int, Field(ge=-1)] = -1
    best_sha256: str = ""
    best_predictions_sha256: str = ""
    encoder: str = ""
    stopped: str = ""
    key: str = ""
    rows: list[dict[str, float]] = field(default_factory=list)
    callbacks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Commit:
    """A state and its tensors, as read back.

    Attributes:
        state: Where the stage stood.
        tensors: Those of what trains and of its optimizer, by prefixed name.
        numbers: What of the optimizer's state is not a tensor.
    """

    state: TrainState
    tensors: dict[str, Tensor]
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class _Record:
    sha256: str
    state: TrainState
    numbers: dict[str, bool | int | float]  # each is to come back as what it was


def save_commit(
    folder: Path,
    stage: int,
    state: TrainState,
    tensors: Mapping[str, Tensor],
    numbers: Mapping[str, float],
) -> None:
    """Commit a state durably, then forget all but the newest two of this stage.

    Raises:
        ResourceError: If it cannot be written; the commits before it stay.
    """
    stem = f"{stage}-{state.epoch:06d}"
    data = to_safetensors({name: t.contiguous() for name, t in tensors.items()})
    sha256 = durable.write_bytes(folder / f"{stem}.safetensors", data)
    record = {"sha256": sha256, "state": _without_nan(asdict(state)), "numbers": dict(numbers)}
    write_sealed(folder / f"{stem}.json", record, version=_FORMAT)
    for old in _commits(folder, stage)[_KEPT:]:
        _forget(old)


def load_newest(folder: Path, stage: int) -> Commit | None:
    """Read the newest commit that is whole; None if the stage has none.

    Raises:
        StateError: If there are commits and all of them are damaged.
    """
    paths = _commits(folder, stage)
    for path in paths:
        try:
            return _load(path)
        except StateError as error:
            logger.warning("a commit is damaged, going back one: %s", error)
    if paths:
        msg = f"{folder}: expected a readable commit of stage {stage}, got {len(paths)} damaged"
        hint = "restore the folder from a copy, or delete it to train this stage again"
        raise StateError(msg, hint=hint, slug="state/all-damaged")
    return None


def forget_stage(folder: Path, stage: int) -> None:
    """Remove the commits of a finished stage."""
    for path in _commits(folder, stage):
        _forget(path)
    for orphan in folder.glob(f"{stage}-*.safetensors"):
        durable.remove(orphan)


def _commits(folder: Path, stage: int) -> list[Path]:
    return sorted(folder.glob(f"{stage}-*.json"), reverse=True)


def _forget(path: Path) -> None:
    durable.remove(path)
    durable.remove(path.with_suffix(".safetensors"))


def _load(path: Path) -> Commit:
    record = read_sealed(path, _Record, version=_FORMAT)
    _check(path, record.state)
    data = durable.read_verified(path.with_suffix(".safetensors"), record.sha256)
    return Commit(record.state, from_safetensors(data), record.numbers)


def _check(path: Path, state: TrainState) -> None:
    named = path.stem.partition("-")[2] == f"{state.epoch:06d}"
    if not named or len(state.rows) != state.epoch or state.best_epoch >= state.epoch:
        msg = (
            f"{path}: expected the state after as many epochs as its name and its rows say, "
            f"got epoch {state.epoch} with {len(state.rows)} rows, the best one {state.best_epoch}"
        )
        raise StateError(msg, slug="state/damaged")


def _without_nan(state: dict[str, Any]) -> dict[str, Any]:
    # JSON has no NaN; a metric that is undefined in an epoch must survive a resume all the same.
    rows = [{name: repr(value) for name, value in row.items()} for row in state["rows"]]
    return state | {"rows": rows}
