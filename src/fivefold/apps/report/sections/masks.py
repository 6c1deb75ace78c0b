"""Masks: each class, images from the worst to the best, and what thresholds change."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from fivefold.apps.report.charts import Axis, Dots, Line, bar_chart, dot_chart, line_chart
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.mask_cards import coverage_and_iou, groups_of_cards
from fivefold.apps.report.mask_curves import dice_by_threshold, overlap_at_thresholds
from fivefold.apps.report.section import Material, Section
from fivefold.apps.report.strips import Scale, strip
from fivefold.apps.report.texts import name
from fivefold.core.mask_scores import MaskScores
from fivefold.engine.overlays import COLOURS
from fivefold.evaluation.mask_assessment import EMPTY_RULE, MaskAssessment
from fivefold.evaluation.mask_counts import image_ious
from fivefold.evaluation.mask_levels import CUTS

_COLORED = len(COLOURS)  # classes that are told apart
_MOST_DOTS = 3000
_BINS = 20
_MOST_ROWS = 20


def sections(material: Material) -> Iterator[Section]:
    """Show how good masks are; nothing where classes of images were predicted."""
    found, masks = material.found, material.analysis.masks
    if masks is None:
        return
    yield Section("classes", "Classes", "mask_classes.html", _classes(material, masks))
    groups = groups_of_cards(found, material.thumbnails)
    if groups:
        values = {"groups": groups, **_kinds(masks)}
        yield Section("masks", "Masks, image by image", "mask_cards.html", values, "Images")
    values = {"scatter": _scatter(masks.scores), "bars": _bars(masks.scores), **_kinds(masks)}
    yield Section("spread", "How images differ", "mask_images.html", values)
    thresholds = _thresholds(found)
    if thresholds or found.decisions:
        values = {"decisions": found.decisions, "charts": [], **thresholds}
        yield Section("thresholds", "Thresholds and parts", "mask_thresholds.html", values)


def _classes(material: Material, masks: MaskAssessment) -> dict[str, Any]:
    alone = material.analysis.masks_of_folds.values()
    folds = [
        [one.classes[k].numbers["iou"].value for one in alone] for k in range(len(masks.classes))
    ]
    drawn = [
        value
        for own, of_folds in zip(masks.classes, folds, strict=True)
        for value in (own.numbers["iou"].low, own.numbers["iou"].high, *of_folds)
    ]
    scale = Scale.around([*drawn, *(own.numbers["iou"].value for own in masks.classes)])
    pairs = zip(masks.classes, folds, strict=True)
    rows = [(own, strip(own.numbers["iou"], values, scale)) for own, values in pairs]
    return {"rows": rows, "scale": scale, "pixels": masks.pixels, "rule": EMPTY_RULE} | {
        "most": _MOST_ROWS
    }


def _kinds(masks: MaskAssessment) -> Mapping[str, Any]:
    """Name the classes of the charts, with their colours."""
    first = 1 if masks.head.activation == "softmax" else 0
    names = masks.head.class_names[first : first + _COLORED]
    left = len(masks.head.class_names) - first - len(names)
    styles = [(text, _style(i)) for i, text in enumerate(names)]
    return {"kinds": styles, "left": left, "several": len(names) > 1}


def _style(number: int) -> str:
    """Name the style of a class, which has its colour in the pictures too."""
    return f"m{number % len(COLOURS)}"


def _scatter(scores: MaskScores) -> Markup:
    kinds, highest = [], 0.0
    points_of = list(coverage_and_iou(scores).items())[:_COLORED]
    for number, (text, points) in enumerate(points_of):
        step = -(-len(points) // max(_MOST_DOTS // len(points_of), 1)) or 1
        told = [(x, y, f"{name(i)}: IoU {y:.3f}, covers {x:.1%}") for x, y, i in points[::step]]
        highest = max([highest, *(x for x, _, _ in told)])
        kinds.append(Dots(text, _style(number), told))
    x = Axis("part of the image that it truly covers", 0, max(highest * 1.04, 0.01))
    return dot_chart(kinds, x, Axis("IoU", 0, 1), "IoU of each image, by how much a class covers")


def _bars(scores: MaskScores) -> Markup:
    counts, _ = np.histogram(image_ious(scores), bins=_BINS, range=(0, 1))
    most = max(int(counts.max()), 1)
    y = Axis("images", 0, most * 1.05, whole=True)
    label = "how many images have which IoU"
    return bar_chart(counts.tolist(), Axis("IoU of an image", 0, 1), y, label)


def _thresholds(found: Gathered) -> dict[str, Any]:
    counted = overlap_at_thresholds(found)
    if counted is None or found.masks is None:
        return {}
    overlap, images = counted
    charts = []
    for k, text in list(enumerate(found.masks.class_names))[:_COLORED]:
        pooled, mean = dice_by_threshold(overlap, k)
        cuts = CUTS[:-1].tolist()
        lines = [
            Line("mean over images", "thin accent", _pairs(cuts, mean.tolist()), dotted=False),
            Line("all pixels", "accent", _pairs(cuts, pooled.tolist()), dotted=False),
        ]
        x, y = Axis("threshold", 0, 1), Axis("dice", 0, 1)
        label = f"dice of {name(text)} by threshold"
        charts.append((text, line_chart(lines, x, y, label, [(0.5, "")])))
    return {"charts": charts, "images": images, "several": len(charts) > 1}


def _pairs(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    return list(zip(x, y, strict=True))
