"""Keys on what becomes of predictions, against what is predicted: masks or classes of images."""

from collections.abc import Iterator

from fivefold.config.keys import ExperimentKeys
from fivefold.config.problems import bad_value
from fivefold.config.source import Source
from fivefold.core.errors import Problem
from fivefold.core.segmenters import segmenter_named
from fivefold.core.threshold_aim import ThresholdAim


def unfit_decisions(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    """Find keys that mean nothing for what the architecture predicts."""
    if not config.architecture:
        return
    aim = ThresholdAim.of(config.thresholds)
    if segmenter_named(config.architecture) is None:
        yield from _only_of_masks(config, aim, source)
        return
    name, area = config.architecture, config.smallest_area
    height, width = config.shape[:2]
    if isinstance(area, int) and area > height * width:
        message = f"expected at most the {height * width:,} pixels of `shape`, got {area:,}"
        yield bad_value(source, ("smallest_area",), message, "every mask would be empty")
    if config.calibration != "none":
        message = f"expected 'none', since {name!r} makes masks, got {config.calibration!r}"
        hint = "probabilities of pixels are not scaled; `thresholds: dice` moves their cut instead"
        yield bad_value(source, ("calibration",), message, hint)
    if "coverage" in config.model_fields_set:
        message = f"expected nothing, since {name!r} makes masks, got {config.coverage}"
        yield bad_value(source, ("coverage",), message, "prediction sets are of whole images")
    if aim.kind == "exact_match":
        message = f"expected another aim, since {name!r} makes masks, got 'exact_match'"
        hint = "hardly any mask is right in every pixel; `thresholds: dice` or `iou` fits them"
        yield bad_value(source, ("thresholds",), message, hint)
    if not config.keep_maps:
        yield from _chosen_on_maps(config, aim, source)


def _chosen_on_maps(config: ExperimentKeys, aim: ThresholdAim, source: Source) -> Iterator[Problem]:
    """Find what would be chosen, once everything is trained, on maps that are not kept."""
    if aim.kind != "fixed":
        wanted = f"thresholds: {config.thresholds}"
    elif config.smallest_area == "auto":
        wanted = "smallest_area: auto"
    else:
        return
    message = f"expected true, since `{wanted}` is chosen on the maps that are kept, got false"
    yield bad_value(source, ("keep_maps",), message, "or give a number, which needs no maps")


def _only_of_masks(config: ExperimentKeys, aim: ThresholdAim, source: Source) -> Iterator[Problem]:
    name = config.architecture
    if aim.is_of_masks:
        message = f"expected another aim, since {name!r} makes no masks, got {aim.kind!r}"
        yield bad_value(source, ("thresholds",), message, "for classes of images that is `f1`")
    if not config.keep_maps:
        message = f"expected true, since {name!r} makes no masks, got false"
        yield bad_value(source, ("keep_maps",), message, "leave it out")
    if config.smallest_area != 0:
        message = f"expected 0, since {name!r} makes no masks, got {config.smallest_area!r}"
        yield bad_value(source, ("smallest_area",), message, "leave it out")
