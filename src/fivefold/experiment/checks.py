"""What can be known without training: the data, the model, the time, the memory."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch

from fivefold.build import build_class_weights, num_views, sees_features, why_anew
from fivefold.config import NO_SAMPLING, ResolvedStage
from fivefold.core.durations import roughly
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY
from fivefold.engine.device import accelerator, computing_with, on_device
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.experiment.datasets import Prepared
from fivefold.experiment.estimate import run_seconds
from fivefold.experiment.executors import how_many
from fivefold.experiment.work import Work, fold_data, new_model
from fivefold.losses import named_weights
from fivefold.models import Classifier

if sys.platform != "win32":
    import resource

_GIB = 1 << 30
_SHOWN = 6


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
            load_initial_weights([model], work.directory / stage.initial_weights)
    seconds = run_seconds(work, on_device(model, work.choices))
    lines = [
        ("data", _data(prepared)),
        ("folds", _folds(prepared)),
        *_quality(prepared),
        ("model", _model(work, model)),
        *((f"stage {stage.index}", _stage(stage)) for stage in work.stages),
        *_class_weights(work),
        *_drawn(work),
        ("device", f"{accelerator().device}, {work.choices.name} for a fold"),
        ("time", _time(work, seconds)),
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
        text = f"{train_only} images to train on, {text.removesuffix(' images')} to validate"
    return text + (f"; {held_out} held out" if held_out else "")


def _quality(prepared: Prepared) -> Iterator[tuple[str, str]]:
    """Tell how even the classes of folds are, and what was kept together."""
    report = prepared.report
    if report is None:
        return
    if even := report.how_even():
        yield "evenness", even
    yield "together", report.kept_together()


def _model(work: Work, model: Classifier) -> str:
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    height, width, channels = work.spec.shape
    licence = f", licence {model.origin.licence}" if model.origin.licence else ""
    name = f"{work.spec.net}, {millions:.1f} M parameters, {height}×{width}×{channels}"
    return f"{name}, weights: {model.origin.description}{licence}"


def _stage(stage: ResolvedStage) -> str:
    what = "whole network"
    if stage.layers_to_train > 0:
        what = f"head and last {stage.layers_to_train} layers of the backbone"
    if stage.frozen:
        anew = why_anew(stage)
        what = f"frozen backbone, which sees {anew.seen if anew else 'the images in'} every epoch"
    if sees_features(stage):
        views = num_views(stage)
        seen = "as it is" if not views else "as it is and in 1 augmented view"
        seen = f"as it is and in {views} augmented views" if views > 1 else seen
        what = f"frozen backbone, which sees each image once {seen}"
    return f"{stage.epochs} epochs, {what}, {stage.optimizer}, lr {stage.lr:g}, batch {stage.batch}"


def _class_weights(work: Work) -> Iterator[tuple[str, str]]:
    """Tell how much classes count in the first fold, the heaviest first."""
    told, heads = "", work.spec.heads
    for stage in work.stages:
        count = partial(fold_data(work, 0, stage).counts_for, stage)
        weights = build_class_weights(stage, heads, count)
        text = _heaviest(named_weights(heads, weights))
        if text and text != told:
            yield f"stage {stage.index} weights", text
        told = text


def _drawn(work: Work) -> Iterator[tuple[str, str]]:
    """Tell how many images of each class an epoch of the first fold draws."""
    for stage in work.stages:
        if stage.sampling != NO_SAMPLING:
            data = fold_data(work, 0, stage)
            drawn = data.drawn_counts(stage)
            text = f"{drawn.max():.0f} images of each class an epoch, {drawn.sum():.0f} in all"
            yield f"stage {stage.index} balance", text


def _heaviest(weights: Mapping[str, float | list[float]]) -> str:
    """Write weights of classes; two numbers are those of false and of true answers."""
    pairs = {n: w if isinstance(w, list) else [w] for n, w in weights.items()}
    order = sorted(pairs, key=lambda name: (-pairs[name][-1], name))
    shown = [f"{n} {' | '.join(f'{w:.3g}' for w in pairs[n])}" for n in order[:_SHOWN]]
    left = len(order) - len(shown)
    return ", ".join(shown) + (f", {left} more down to {pairs[order[-1]][-1]:.3g}" if left else "")


def _time(work: Work, seconds: float) -> str:
    with computing_with(work.choices.threads):
        at_once = how_many(None, work.splits.num_folds)
    text = f"about {roughly(seconds)} for all folds"
    return f"{text}, {at_once} at once" if at_once > 1 else text


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
