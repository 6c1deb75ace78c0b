"""What can be known without training: the data, the model, the time, the memory."""

import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

import torch

from fivefold.config import ResolvedStage
from fivefold.core.durations import roughly
from fivefold.data.splits import HOLDOUT, TRAIN_ONLY
from fivefold.engine.device import accelerator, computing_with, on_device
from fivefold.engine.fold_data import FoldData
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.engine.loop import Task, train_epoch
from fivefold.engine.predictor import predict_logits
from fivefold.engine.stage import build_task
from fivefold.experiment.datasets import Prepared
from fivefold.experiment.work import Work, fold_data, new_model, stage_job
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
    model = new_model(work, 0)
    for stage in work.stages:
        if stage.initial_weights:
            load_initial_weights(model, work.directory / stage.initial_weights)
    with computing_with(work.choices.threads):
        seconds = _fold_seconds(work, on_device(model, work.choices))
    lines = [
        ("data", _data(prepared)),
        ("folds", _folds(prepared)),
        ("model", _model(work, model)),
        *((f"stage {stage.index}", _stage(stage)) for stage in work.stages),
        ("device", f"{accelerator().device}, {work.choices.name} for a fold"),
        ("time", f"about {roughly(seconds * prepared.splits.num_folds)} for all folds"),
        ("memory", _memory(work)),
    ]
    return CheckReport(tuple(lines), prepared.audit.warnings)


def _data(prepared: Prepared) -> str:
    found, table = prepared.audit, prepared.table
    classes = sum(len(labels.class_names) for labels in table.labels)
    counts = f"{found.listed} listed = {found.used} used"
    rest = f"{found.quarantined} quarantined + {found.excluded} excluded"
    return f"{counts} + {rest}; {classes} classes"


def _folds(prepared: Prepared) -> str:
    sizes = Counter(prepared.splits.fold_of.values())
    held_out, train_only = sizes.pop(HOLDOUT, 0), sizes.pop(TRAIN_ONLY, 0)
    text = ", ".join(str(sizes[fold]) for fold in sorted(sizes)) + " images"
    if train_only:
        text = f"{train_only} images to train on, {sizes[0]} to validate"
    return text + (f"; {held_out} held out" if held_out else "")


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


def _fold_seconds(work: Work, model: Classifier) -> float:
    """Estimate one fold's time; stages that train alike are tried once."""
    tried: dict[tuple[int, bool, bool], tuple[float, float]] = {}
    seconds = 0.0
    data = fold_data(work, 0)
    with work.progress.bar("trying a few steps", len(work.stages)) as advance:
        for stage in work.stages:
            kind = (stage.batch, stage.frozen, stage.freeze_batchnorm)
            if kind not in tried:
                tried[kind] = _sample_seconds(work, model, stage, data)
            train, val = tried[kind]
            seconds += stage.epochs * (train * len(data.train_rows) + val * len(data.val_rows))
            advance(1)
    return seconds


def _sample_seconds(
    work: Work, model: Classifier, stage: ResolvedStage, data: FoldData
) -> tuple[float, float]:
    """Time a few batches of a stage: seconds for a sample of training, and of validation."""
    few = slice(0, _TRIED_BATCHES * stage.batch)
    tried = replace(data, train_rows=data.train_rows[few], val_rows=data.val_rows[few])
    train, val = _timed(build_task(stage_job(work, stage, model, tried, 0)), stage)
    return train / len(tried.train_rows), val / len(tried.val_rows)


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


def _memory(work: Work) -> str:
    """Tell the most memory that the trial took, and what the images will take beside it."""
    if sys.platform == "win32":
        images = work.images.num_bytes / _GIB
        return f"{images:.1f} GiB for images; the rest is not known on Windows"
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    text = f"about {(peak + work.images.num_bytes_ahead) / _GIB:.1f} GiB"
    if accelerator().device.type == "cuda":
        text += f", {torch.cuda.max_memory_allocated() / _GIB:.1f} GiB on the GPU"
    return text
