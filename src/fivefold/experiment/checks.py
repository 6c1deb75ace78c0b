"""What can be known without training: the data, the model, the time, the memory."""

import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

from fivefold.config import ResolvedStage
from fivefold.engine.device import accelerator, on_device
from fivefold.engine.loop import Task, train_epoch
from fivefold.engine.predictor import predict_logits
from fivefold.engine.stage import StageJob, build_task
from fivefold.experiment.datasets import Prepared
from fivefold.experiment.runner import Work, fold_data, new_model
from fivefold.models import Classifier

if sys.platform != "win32":
    import resource

_TRIED_BATCHES = 3
_GIB = 1 << 30


@dataclass(frozen=True)
class CheckReport:
    """What `check` found.

    Attributes:
        lines: Label and value, in the order to be shown.
        warnings: What is not wrong but worth knowing.
    """

    lines: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


def inspect(work: Work, prepared: Prepared) -> CheckReport:
    """Look at everything that `fit` would use, and try a few steps of the first fold.

    Nothing is written, and the model that learned a little is thrown away.
    """
    model = on_device(new_model(work, 0))
    seconds = 0.0
    with work.progress.bar("trying a few steps", len(work.stages)) as advance:
        for stage in work.stages:
            seconds += _stage_seconds(work, model, stage)
            advance(1)
    lines = [
        ("data", _data(prepared)),
        ("folds", _folds(prepared)),
        ("model", _model(work, model)),
        *((f"stage {stage.index}", _stage(stage)) for stage in work.stages),
        ("device", str(accelerator().device)),
        ("time", f"about {duration(seconds * prepared.splits.num_folds)} for all folds"),
        ("memory", _memory()),
    ]
    return CheckReport(tuple(lines), prepared.audit.warnings)


def duration(seconds: float) -> str:
    """Word a time span: "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _data(prepared: Prepared) -> str:
    found, table = prepared.audit, prepared.table
    classes = sum(len(labels.class_names) for labels in table.labels)
    counts = f"{found.listed} listed = {found.used} used"
    rest = f"{found.quarantined} quarantined + {found.excluded} excluded"
    return f"{counts} + {rest}; {classes} classes"


def _folds(prepared: Prepared) -> str:
    sizes = Counter(prepared.splits.fold_of.values())
    held_out = sizes.pop(-1, 0)
    text = ", ".join(str(sizes[fold]) for fold in sorted(sizes))
    return f"{text} images" + (f"; {held_out} held out" if held_out else "")


def _model(work: Work, model: Classifier) -> str:
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    height, width, channels = work.spec.shape
    licence = f", licence {model.origin.licence}" if model.origin.licence else ""
    name = f"{work.spec.architecture}, {millions:.1f} M parameters, {height}×{width}×{channels}"
    return f"{name}, weights: {model.origin.description}{licence}"


def _stage(stage: ResolvedStage) -> str:
    frozen = "frozen backbone" if stage.frozen else "whole network"
    return (
        f"{stage.epochs} epochs, {frozen}, {stage.optimizer}, lr {stage.lr:g}, batch {stage.batch}"
    )


def _stage_seconds(work: Work, model: Classifier, stage: ResolvedStage) -> float:
    data = fold_data(work, 0)
    few = slice(0, _TRIED_BATCHES * stage.batch)
    tried = replace(data, train_rows=data.train_rows[few], val_rows=data.val_rows[few])
    job = StageJob(
        folder=work.folder,
        stage=stage,
        fold=0,
        seed=work.seed,
        spec=work.spec,
        model=model,
        data=tried,
        config=work.config,
        progress=work.progress,
    )
    task = build_task(job)
    train, val = _timed(task, stage)
    per_epoch = train * len(data.train_rows) / len(tried.train_rows)
    return stage.epochs * (per_epoch + val * len(data.val_rows) / len(tried.val_rows))


def _timed(task: Task, stage: ResolvedStage) -> tuple[float, float]:
    """Time one pass over a few samples after one to warm up: seconds of training, of validation."""
    seconds = []
    for epoch in range(2):
        started = time.monotonic()
        train_epoch(task, min(epoch, stage.epochs - 1), stage.lr, _ignore)
        middle = time.monotonic()
        predict_logits(task.model, task.val, _ignore)
        seconds.append((middle - started, time.monotonic() - middle))
    return seconds[-1]


def _ignore(steps: int) -> None:
    """Nobody watches the trial."""


def _memory() -> str:
    """Tell the most memory that this process has had, the trial included."""
    if sys.platform == "win32":
        return "not known on Windows"
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return f"about {peak / _GIB:.1f} GiB"
