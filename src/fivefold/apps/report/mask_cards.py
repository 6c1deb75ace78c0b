"""The images whose masks the page shows: the worst, some in the middle, and the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fivefold.apps.report.embedded import Thumbnails, picture_url
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.mask_overlays import mistakes_over, truth_over
from fivefold.core.maps import Maps
from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray
from fivefold.engine.overlays import shown_classes
from fivefold.evaluation.mask_answers import said_of
from fivefold.evaluation.mask_counts import image_ious, of_images

_WORST, _OTHERS = 8, 4


@dataclass(frozen=True)
class Card:
    """One image.

    Attributes:
        sample_id: Its id.
        fold: Whose model has said what is shown; -1 if that is not known.
        iou: Of the image.
        lines: What is said of each class that is there.
        truth: URL of the true mask over the image; empty if it could not be drawn.
        mistakes: URL of what is missed and invented.
    """

    sample_id: str
    fold: int
    iou: float
    lines: tuple[str, ...]
    truth: str = ""
    mistakes: str = ""


def groups_of_cards(found: Gathered, thumbnails: Thumbnails) -> list[tuple[str, list[Card]]]:
    """Choose images and draw them: the worst, those around the median, and the best.

    Args:
        found: With masks.
        thumbnails: Reads images.
    """
    scores = found.masks
    if scores is None or not len(scores):
        return []
    ious, shown = image_ious(scores), list(shown_classes(MaskKind.of_head(scores.heads[0])))
    wrong = (scores.true + scores.said - 2 * scores.hits)[:, shown].sum(axis=1)
    # Of equally bad ones those with more wrong pixels say more.
    keys = [(ious[row], -wrong[row], scores.ids[row]) for row in range(len(scores))]
    order = sorted(range(len(scores)), key=keys.__getitem__)
    chosen = _chosen(order, ious, scores.true[:, shown].max(axis=1) > 0)
    rows = [row for _, own in chosen for row in own]
    drawn = _drawn(found, scores, rows, thumbnails)
    cards = {row: _card(found, scores, row, float(ious[row]), drawn.get(row)) for row in rows}
    return [(title, [cards[row] for row in own]) for title, own in chosen]


def _chosen(
    order: Sequence[int], ious: AnyArray, is_there: AnyArray
) -> list[tuple[str, list[int]]]:
    """Choose the worst, of the rest that shows something the middle ones, and the best.

    Args:
        order: Rows, the worst first.
        ious: Of each image [N].
        is_there: Whether an image shows anything [N].
    """
    worst = [row for row in order[:_WORST] if ious[row] < 1]
    left = [row for row in order if row not in set(worst) and is_there[row]]
    best = left[-_OTHERS:][::-1]
    middle_of = left[: len(left) - len(best)]
    start = max((len(middle_of) - _OTHERS) // 2, 0)
    middle = middle_of[start : start + _OTHERS]
    groups = [("Worst", worst), ("In the middle", middle), ("Best", best)]
    return [(title, rows) for title, rows in groups if rows]


def _drawn(
    found: Gathered, scores: MaskScores, rows: Sequence[int], thumbnails: Thumbnails
) -> dict[int, tuple[str, str]]:
    """Draw the pictures of some images, as far as their maps are there: row to two URLs."""
    kind = MaskKind.of_head(scores.heads[0])
    images = thumbnails.images([scores.ids[row] for row in rows], masks=kind)
    opened: dict[int, Maps | None] = {}
    urls = {}
    for row in rows:
        fold, sample_id = found.folds_of_samples[row], scores.ids[row]
        if fold not in opened:
            path = found.maps.get(fold)
            reading = f"maps of fold {fold}"
            opened[fold] = found.attempt(reading, partial(Maps, path), None) if path else None
        maps = opened[fold]
        if maps is None or sample_id not in maps:
            continue
        both = found.attempt(f"the map of {sample_id}", partial(maps.both, sample_id), None)
        if both is None:
            continue
        probs, truth = both
        if truth is None:
            continue
        image, said = images.get(sample_id), said_of(probs, scores.heads[0])
        pictures = (truth_over(image, truth, kind), mistakes_over(image, truth, said, kind))
        urls[row] = (picture_url(pictures[0]), picture_url(pictures[1]))
    return urls


def _card(
    found: Gathered, scores: MaskScores, row: int, iou: float, urls: tuple[str, str] | None
) -> Card:
    fold = found.folds_of_samples[row] if found.folds_of_samples else -1
    truth, mistakes = urls or ("", "")
    return Card(scores.ids[row], fold, iou, _lines(scores, row), truth, mistakes)


def _lines(scores: MaskScores, row: int) -> tuple[str, ...]:
    """Say of each class that is true or said how many pixels were missed and invented."""
    lines, several = [], len(scores.class_names) > 1
    for k in shown_classes(MaskKind.of_head(scores.heads[0])):
        hits, said, true = (int(a[row, k]) for a in (scores.hits, scores.said, scores.true))
        if not said and not true:
            continue
        missed, invented = true - hits, said - hits
        name = f"{scores.class_names[k]}: " if several else ""
        share = true / max(int(scores.pixels[row]), 1)
        parts = [f"covers {100 * share:.1f} %"] if true else ["not there"]
        parts += [f"{_percent(missed / true)} missed"] if missed else []
        parts += [_invented(invented, true)] if invented else []
        lines.append(name + ", ".join(parts))
    return tuple(lines) or ("nothing is there, and nothing was found",)


def _invented(pixels: int, true: int) -> str:
    """Say how much was invented: beside what is true, or in pixels where nothing is."""
    if not true:
        return f"{pixels:,} pixels invented"
    return f"{_percent(pixels / true)} invented"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "under 1 %"


def coverage_and_iou(scores: MaskScores) -> Mapping[str, list[tuple[float, float, str]]]:
    """Give of each class, where it is true or said, the part of an image it covers and its IoU."""
    points: dict[str, list[tuple[float, float, str]]] = {}
    ious = of_images(scores, "iou")
    for k in shown_classes(MaskKind.of_head(scores.heads[0])):
        rows = np.flatnonzero(scores.said[:, k] + scores.true[:, k])
        share = scores.true[rows, k] / np.maximum(scores.pixels[rows], 1)
        ids = [scores.ids[row] for row in rows.tolist()]
        points[scores.class_names[k]] = list(
            zip(share.tolist(), ious[rows, k].tolist(), ids, strict=True)
        )
    return points
