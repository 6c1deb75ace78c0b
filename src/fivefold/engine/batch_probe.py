"""How many images a device predicts fastest at a time, tried once and remembered."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from fivefold.core.cache_home import CacheHome
from fivefold.core.memo import memo_of
from fivefold.data.batches import Batch
from fivefold.engine.device import accelerator, device_name, images_of
from fivefold.engine.memory import is_out_of_memory
from fivefold.engine.predictor import map_batches, usual_workers
from fivefold.models import Classifier, ModelSpec

logger = logging.getLogger(__name__)

USUAL = 32
_SIZES = {"cpu": (8, 16, 64)}
_SIZES_ELSEWHERE = (64, 128, 256, 512)
_WORTH_IT = 20  # a probe may take one part in so many of the work
_CLEARLY = 1.1  # so much faster than the usual size, or the usual size it is


def choose_batch(
    home: CacheHome | None, model: Classifier, spec: ModelSpec, images: int, own_code: Sequence[str]
) -> int:
    """Choose how many images to predict at a time.

    A result may depend on it in its last bits, so the choice is remembered: the same command gives
    the same bytes. Where it cannot be remembered, and where there is so little to do that a probe
    is not worth its time, it is always the usual size.

    Args:
        home: Where choices are remembered; None where nothing may be.
        model: On its device, in eval mode.
        spec: What it was built from.
        images: How often a model looks at an image in all.
        own_code: Digests of the user's code, in which a net of the same name may be another.
    """
    sizes, workers = _SIZES.get(accelerator().device.type, _SIZES_ELSEWHERE), usual_workers()
    if home is None or images < _WORTH_IT * workers * (USUAL + sum(sizes)):
        return USUAL
    about = {**_about(model, spec, workers), "own_code": list(own_code)}
    memo = memo_of(home, "batch", about, _Choice)
    known = memo.recall()
    if known:
        return known.batch
    choice = _fastest(model, spec.shape, (USUAL, *sizes), workers)
    if not memo.keep({"batch": choice}):
        return USUAL
    logger.info("batches of %d images are predicted fastest", choice)
    return choice


@dataclass(frozen=True)
class _Choice:
    """What a file of a choice says."""

    about: Mapping[str, Any]
    batch: Annotated[int, Field(ge=1)]


def _about(model: Classifier, spec: ModelSpec, workers: int) -> dict[str, Any]:
    return {
        "architecture": [spec.net, dict(spec.decoder)],
        "shape": list(spec.shape),
        "crops": spec.crops,
        "precision": model.choices.precision,
        "layout": model.choices.layout,
        "device": device_name(),
        "workers": workers,
        "versions": {name: version(name) for name in ("fivefold", "timm", "torch")},
    }


def _fastest(
    model: Classifier, shape: tuple[int, int, int], sizes: tuple[int, ...], workers: int
) -> int:
    """Try each size, the usual one first; larger ones no more once one does not fit."""
    rates = {}
    _rate(model, shape, 1, workers)  # the first call of all is slow
    for size in sizes:
        try:
            rates[size] = _rate(model, shape, size, workers)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            break
    best = max(rates, key=rates.__getitem__, default=USUAL)
    return best if rates.get(best, 0) > _CLEARLY * rates.get(USUAL, 0) else USUAL


def _rate(model: Classifier, shape: tuple[int, int, int], size: int, workers: int) -> float:
    """Predict one batch in each thread: images in a second; what they show changes no time."""
    batch = Batch(np.arange(size), np.zeros((size, *shape), np.uint8), None)
    started = time.perf_counter()
    for logits in map_batches(lambda one: model(images_of(one)), [batch] * workers):
        logits.cpu()  # a GPU's work is done only when its result is there
    return size * workers / (time.perf_counter() - started)
