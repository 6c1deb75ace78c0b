"""Thresholds and smallest parts of masks, searched for in stored maps that models have not seen.

Thresholds are chosen first, then areas at these thresholds. Both are chosen once on all folds, for
whoever predicts, and for each fold once on the other folds, to measure what they are worth there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.damage import way_out
from fivefold.core.errors import DataError, StateError
from fivefold.core.maps import Maps
from fivefold.core.mask_scores import MaskScores, join_scores
from fivefold.core.progress import Progress
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Head, Image, Indices
from fivefold.evaluation.mask_answers import mask_of, said_of
from fivefold.evaluation.mask_levels import (
    CUTS,
    Overlap,
    choose_levels_of_pixels,
    overlap_by_level,
)
from fivefold.evaluation.mask_parts import areas_to_try, choose_areas, overlap_by_area
from fivefold.evaluation.thresholds import NOT_NEEDED, USUAL

SmallestArea: TypeAlias = int | Literal["auto"]

T = TypeVar("T")


@dataclass(frozen=True)
class MaskCut:
    """What makes masks of probabilities.

    Attributes:
        thresholds: Of each class; empty where the most probable class needs none.
        areas: The fewest pixels of a connected part, of each class; empty where all are kept.
    """

    thresholds: tuple[float, ...]
    areas: tuple[int, ...] = ()


@dataclass(frozen=True)
class Searched:
    """What was found.

    Attributes:
        cut: Chosen on all folds.
        without: For each fold what is chosen on the others; empty where nothing was searched for,
            or there is one fold only.
        remarks: What could not be had, a sentence each.
    """

    cut: MaskCut
    without: tuple[MaskCut, ...] = ()
    remarks: tuple[str, ...] = ()


def search(
    maps: Sequence[Maps],
    aim: ThresholdAim,
    smallest_area: SmallestArea,
    progress: Progress,
) -> Searched:
    """Choose thresholds and smallest areas.

    Args:
        maps: Of each fold, with the truth; all images count.
        aim: What thresholds are for; of exclusive classes none are chosen.
        smallest_area: A number of pixels for all classes, or `auto`.
        progress: Who watches.

    Raises:
        DataError: If there are no maps, or one has no truth.
        StateError: If a file is damaged.
    """
    if not sum(map(len, maps)):
        msg = "masks: expected at least 1 map to choose on, got 0"
        raise DataError(msg, slug="data/no-predictions")
    head, is_needed = maps[0].head, maps[0].head.activation != "softmax"
    usual = given(head, aim, 0 if smallest_area == "auto" else smallest_area)
    chosen = [usual.cut.thresholds] * (len(maps) + 1)
    areas = [usual.cut.areas] * (len(maps) + 1)
    remarks = usual.remarks
    if is_needed and aim.kind != "fixed":
        chosen, remarks = _search_thresholds(maps, aim, progress)
    if smallest_area == "auto":
        areas = _search_areas(maps, aim, chosen, progress)
    cuts = [MaskCut(own, area) for own, area in zip(chosen, areas, strict=True)]
    is_chosen = smallest_area == "auto" or (is_needed and aim.kind != "fixed")
    return Searched(cuts[0], tuple(cuts[1:]) if is_chosen and len(maps) > 1 else (), remarks)


def given(head: Head, aim: ThresholdAim, smallest_area: int) -> Searched:
    """Take what needs no search: numbers, and of exclusive classes no thresholds at all.

    Args:
        head: What the classes are.
        aim: What thresholds are for; one half stands where they would be searched for.
        smallest_area: In pixels, for all classes; of exclusive ones the first is kept whole.
    """
    exclusive = head.activation == "softmax"
    first = 0 if exclusive else smallest_area
    areas = (first, *(smallest_area,) * (head.num_classes - 1)) if smallest_area else ()
    if exclusive:
        return Searched(MaskCut((), areas), (), () if aim == ThresholdAim() else (NOT_NEEDED,))
    value = aim.value if aim.kind == "fixed" else USUAL
    return Searched(MaskCut((value,) * head.num_classes, areas))


def scores_at(
    scores: Sequence[MaskScores], maps: Sequence[Maps], cuts: Sequence[MaskCut], progress: Progress
) -> MaskScores:
    """Count anew what masks have in common with the truth, made of probabilities in another way.

    What is measured of the probabilities themselves stays as it is.

    Args:
        scores: Of each fold.
        maps: Of the same images.
        cuts: What makes masks, for each fold.
        progress: Who watches.

    Raises:
        StateError: If maps are of other images, or damaged.
    """
    head = maps[0].head

    def counted(fold: int, probs: Image, truth: Image) -> tuple[Indices, Indices]:
        said = mask_of(probs, head, cuts[fold].thresholds, cuts[fold].areas)
        overlap = overlap_by_area(said, truth, head, np.zeros(1, np.int64))
        return overlap.hits[:, 0].astype(np.int64), overlap.said[:, 0].astype(np.int64)

    found: list[list[tuple[Indices, Indices]]] = [[] for _ in maps]
    for own_scores, own_maps in zip(scores, maps, strict=True):
        if not set(own_scores.ids) <= set(own_maps.ids):
            msg = f"{own_maps.path}: expected maps of the images that were measured, got others"
            raise StateError(msg, hint=way_out(own_maps.path), slug="state/damaged")
    for fold, own in each_map(maps, counted, progress, "masks"):
        found[fold].append(own)
    parts = []
    for own_scores, own_maps, rows in zip(scores, maps, found, strict=True):
        place = {sample_id: i for i, sample_id in enumerate(own_maps.ids)}
        ordered = [rows[place[sample_id]] for sample_id in own_scores.ids]
        if ordered:
            hits, said = (np.array(each) for each in zip(*ordered, strict=True))
            parts.append(replace(own_scores, hits=hits, said=said))
    return join_scores(parts)


def _search_thresholds(
    maps: Sequence[Maps], aim: ThresholdAim, progress: Progress
) -> tuple[list[tuple[float, ...]], tuple[str, ...]]:
    """Choose thresholds on all folds, then on all but each."""
    names = maps[0].head.class_names
    sums = [Overlap.nothing(len(names), len(CUTS)) for _ in maps]
    for fold, own in each_map(maps, lambda _, p, t: overlap_by_level(p, t), progress, "thresholds"):
        sums[fold] += own
    parts = _all_and_without(sums)
    found = [choose_levels_of_pixels(part, names, aim) for part in parts]
    return [thresholds for thresholds, _ in found], found[0][1]


def _search_areas(
    maps: Sequence[Maps],
    aim: ThresholdAim,
    chosen: Sequence[tuple[float, ...]],
    progress: Progress,
) -> list[tuple[int, ...]]:
    """Choose areas on all folds, then on all but each, at the thresholds that belong to it."""
    head = maps[0].head
    first = next(own for own in maps if len(own))
    height, width, _ = first.read(first.ids[0]).shape
    areas = areas_to_try(height * width)
    sums = [Overlap.nothing(head.num_classes, len(areas)) for _ in chosen]

    def measured(fold: int, probs: Image, truth: Image) -> dict[int, Overlap]:
        wanted = [i for i in range(len(chosen)) if i != fold + 1]
        found: dict[tuple[float, ...], Overlap] = {}
        for i in wanted:
            if chosen[i] not in found:
                said = said_of(probs, head, chosen[i])
                found[chosen[i]] = overlap_by_area(said, truth, head, areas)
        return {i: found[chosen[i]] for i in wanted}

    for _, own in each_map(maps, measured, progress, "small parts"):
        for i, overlap in own.items():
            sums[i] += overlap
    return [choose_areas(each, aim, areas, head) for each in sums]


def _all_and_without(sums: Sequence[Overlap]) -> list[Overlap]:
    """Sum up all folds, then all but each."""

    def total(parts: Sequence[Overlap]) -> Overlap:
        whole = Overlap.nothing(*sums[0].hits.shape)
        for part in parts:
            whole += part
        return whole

    without = [total([s for j, s in enumerate(sums) if j != i]) for i in range(len(sums))]
    return [total(sums), *without]


def each_map(
    maps: Sequence[Maps],
    function: Callable[[int, Image, Image], T],
    progress: Progress,
    description: str,
) -> Iterator[tuple[int, T]]:
    """Call a function for every map in threads, in the order of the files.

    Args:
        maps: With the truth.
        function: Of the place among `maps`, a map [H, W, K] and the true mask [H, W, P].
        progress: Who watches.
        description: What the bar says.

    Yields:
        The place among `maps`, and what the function gives.

    Raises:
        DataError: If a map has no truth.
        StateError: If a file is damaged.
    """

    def work(place: tuple[int, str]) -> tuple[int, T]:
        number, sample_id = place
        probs, truth = maps[number].both(sample_id)
        if truth is None:
            msg = f"{maps[number].path}: {sample_id}: expected a true mask beside the map, got none"
            raise DataError(msg, slug="data/no-labels")
        return number, function(number, probs, truth)

    places = ((number, name) for number, own in enumerate(maps) for name in own.ids)
    threads = decoding_threads()
    with progress.bar(description, sum(map(len, maps))) as advance:
        for found in map_ahead(work, places, threads=threads, ahead=2 * threads):
            yield found
            advance(1)
