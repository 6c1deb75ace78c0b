"""Thresholds and smallest parts of masks, searched for in stored maps that models have not seen.

Thresholds are chosen first, then areas at these thresholds. Both are chosen once on all folds, for
whoever predicts, and for each fold once on the other folds, to measure what they are worth there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import DataError
from fivefold.core.maps import Maps
from fivefold.core.progress import Progress
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Head, Image
from fivefold.evaluation.mask_answers import said_of
from fivefold.evaluation.mask_levels import (
    CUTS,
    Overlap,
    choose_levels_of_pixels,
    overlap_by_level,
)
from fivefold.evaluation.mask_parts import areas_to_try, choose_areas, overlap_by_area
from fivefold.evaluation.thresholds import NOT_NEEDED

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
    maps: Sequence[Maps], aim: ThresholdAim, smallest_area: SmallestArea, progress: Progress
) -> Searched:
    """Choose thresholds and smallest areas.

    Args:
        maps: Of each fold, with the truth.
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
    head = maps[0].head
    exclusive = head.activation == "softmax"
    remarks: tuple[str, ...] = ()
    if exclusive:
        chosen: list[tuple[float, ...]] = [()] * (len(maps) + 1)
        remarks = () if aim == ThresholdAim() else (NOT_NEEDED,)
    elif aim.kind == "fixed":
        chosen = [(aim.value,) * head.num_classes] * (len(maps) + 1)
    else:
        chosen, remarks = _search_thresholds(maps, aim, progress)
    if smallest_area == "auto":
        areas = _search_areas(maps, aim, chosen, progress)
    else:
        fixed = _fixed(head, smallest_area)
        areas = [fixed] * len(chosen)
    cuts = [MaskCut(own, area) for own, area in zip(chosen, areas, strict=True)]
    is_searched = smallest_area == "auto" or (not exclusive and aim.kind != "fixed")
    without = cuts[1:] if is_searched and len(maps) > 1 else []
    return Searched(cuts[0], tuple(without), remarks)


def _fixed(head: Head, area: int) -> tuple[int, ...]:
    if not area:
        return ()
    first = 0 if head.activation == "softmax" else area
    return (first, *(area,) * (head.num_classes - 1))


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
