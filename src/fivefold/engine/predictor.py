"""From a model and samples to predictions."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import usable_cores
from fivefold.core.predictions import Predictions
from fivefold.core.types import Floats, Head, Indices
from fivefold.data.batches import Batches
from fivefold.data.samples import SampleTable
from fivefold.engine.device import accelerator, images_of
from fivefold.engine.tta import View
from fivefold.models import Classifier, probabilities

Advance = Callable[[int], None]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_batches(
    function: Callable[[_Item], _Result], batches: Iterable[_Item], *, workers: int | None = None
) -> Generator[_Result]:
    """Run a model over batches as fast as the device can; results come in the batches' order.

    On a CPU several threads run it, each with one thread for torch's operations: up to twice as
    fast as one with several, and the bits do not depend on the number of cores. On other devices
    the caller's thread runs it. No gradient is kept, and torch's number of threads is put back at
    the end.

    Args:
        function: From a batch to its results, called from several threads at once, so the models
            must be in eval mode already. Results are inference tensors, or arrays made of them.
        batches: Taken only as they are needed: results and batches do not pile up.
        workers: How many threads; `usual_workers` if not given.
    """
    before, source = torch.get_num_threads(), iter(batches)
    exact, threads = partial(_without_gradients, function), workers or usual_workers()
    try:
        if accelerator().device.type == "cpu":
            _use_one_thread()
        if threads == 1:
            yield from map(exact, source)
        else:
            yield from map_ahead(
                exact, source, threads=threads, ahead=threads, begin=_use_one_thread
            )
    finally:
        torch.set_num_threads(before)
        if isinstance(source, Generator):
            source.close()


def usual_workers() -> int:
    """Count the threads that run a model: on a CPU as many as torch may use, elsewhere 1."""
    if accelerator().device.type != "cpu":
        return 1
    return min(torch.get_num_threads(), usable_cores())


def _use_one_thread() -> None:
    torch.set_num_threads(1)  # OpenMP keeps the number for each thread that asks


def _without_gradients(function: Callable[[_Item], _Result], item: _Item) -> _Result:
    with torch.inference_mode():  # each thread has its own mode
        return function(item)


def predict_views(
    model: Classifier, batches: Batches, views: Sequence[View], advance: Advance
) -> Floats:
    """Average a model's probabilities over flipped views of each sample [N, all classes]."""
    model.eval()
    parts = []
    for probs in map_batches(lambda batch: view_probs(model, images_of(batch), views), batches):
        parts.append(probs)
        advance(len(probs))
    return np.concatenate(parts)


def view_probs(model: Classifier, images: Tensor, views: Sequence[View]) -> Floats:
    """Average a model's probabilities over views of images on its device [N, all classes]."""
    probs = [probabilities(model(view(images)).float(), model.heads) for view in views]
    mean: Floats = torch.stack(probs).mean(dim=0).cpu().numpy()
    return mean


def view_maps(model: Classifier, images: Tensor, views: Sequence[View]) -> Floats:
    """Average the probabilities of pixels over views of images on the model's device.

    Args:
        model: Gives logits [N, K, H, W].
        images: Pixels [N, C, H, W].
        views: Each is undone on its maps.

    Returns:
        [N, K, H, W], 0-1.
    """

    def seen_by(view: View) -> Tensor:
        return view(probabilities(model(view(images)).float(), model.heads))

    total = seen_by(views[0])
    for view in views[1:]:
        total = total + seen_by(view)
    mean: Floats = (total / len(views)).cpu().numpy()
    return mean


@dataclass(frozen=True)
class Place:
    """Which model predicts: the fold that it was trained without, and the stage."""

    fold: int
    stage: int


def as_predictions(
    heads: tuple[Head, ...],
    table: SampleTable,
    rows: Sequence[int] | Indices,
    probs: Floats,
    place: Place,
) -> Predictions:
    """Put probabilities [N, all classes] and what is known of those samples together."""
    chosen = np.asarray(rows, dtype=np.int64)
    return Predictions(
        ids=tuple(table.ids[row] for row in chosen),
        probs=probs,
        heads=heads,
        targets=None if table.targets is None else table.targets[chosen],
        fold=place.fold,
        stage=place.stage,
    )
