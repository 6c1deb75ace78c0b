"""Some samples of a source, chosen by a program: filtered, or the first of them."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.own_parts import Part, shape_text
from fivefold.core.types import Floats, Image, Indices
from fivefold.data.chosen import ChosenSource
from fivefold.data.image_problem import ImageProblem
from fivefold.data.packed import chosen
from fivefold.data.source import Source

FILTERED, NOT_TAKEN = "filtered", "not-taken"


class LazySample:
    """What a filter is shown of a sample; its image is read when it is asked for.

    Args:
        source: Reads the sample.
        i: Its position there.

    Attributes:
        sample_id: Unique in the source.
        target: One 0 or 1 for each class of all labels [C]; None where it is not known.
    """

    def __init__(self, source: Source, i: int) -> None:
        self._source, self._i = source, i
        self.sample_id: str = source.sample_ids[i]
        self.target: Floats | None = source.target(i)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that are true, of all outputs."""
        if self.target is None:
            return ()
        names = [name for labels in self._source.labels for name in labels.class_names]
        return tuple(names[k] for k in np.flatnonzero(self.target).tolist())

    @cached_property
    def image(self) -> Image:
        """Its pixels [H, W, C].

        Raises:
            ImageProblem: If its image cannot be used.
        """
        return self._source.image(self._i)

    @cached_property
    def mask(self) -> Image:
        """Its mask [H, W, P], where there are masks.

        Raises:
            ImageProblem: If its mask cannot be used.
        """
        return self._source.mask(self._i)


class LeftOut(Sequence[tuple[str, str]]):
    """What a source has left out, and behind it what a view leaves out of the rest.

    Args:
        before: Ids that the source has left out, each with the rule.
        ids: Those that the view leaves out.
        rule: Its rule.
    """

    def __init__(self, before: Sequence[tuple[str, str]], ids: Sequence[str], rule: str) -> None:
        self._before, self._ids, self._rule = before, ids, rule

    def __len__(self) -> int:
        return len(self._before) + len(self._ids)

    @overload
    def __getitem__(self, i: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[tuple[str, str], ...]: ...
    def __getitem__(self, i: int | slice) -> tuple[str, str] | tuple[tuple[str, str], ...]:
        """Give one, or some as a tuple."""
        if isinstance(i, slice):
            return tuple(self[k] for k in range(len(self))[i])
        place = range(len(self))[i] - len(self._before)
        return (self._ids[place], self._rule) if place >= 0 else self._before[place]


class PartSource(ChosenSource):
    """Some samples of a source, in its order; it says what it leaves out.

    Folds and a holdout of the source's own are those of the samples that are left.

    Args:
        source: Reads them.
        kept: Of each sample whether it stays [N].
        rule: By what the others are left out.
    """

    def __init__(self, source: Source, kept: "np.ndarray", rule: str) -> None:
        super().__init__(source, np.flatnonzero(kept))
        gone = chosen(source.sample_ids, np.flatnonzero(~kept))
        self.excluded = LeftOut(source.excluded, gone, rule)
        now = np.where(kept, np.cumsum(kept) - 1, -1)

        def places(positions: Sequence[int]) -> Sequence[int]:
            found: Indices = now[np.asarray(positions, dtype=np.int64)]
            rest: list[int] = found[found >= 0].tolist()
            return rest

        if source.fold_lists is not None:
            self.fold_lists = [(places(train), places(val)) for train, val in source.fold_lists]
        if source.held_out is not None:
            self.held_out = places(source.held_out)
        self.train_only = places(source.train_only)


def filter_samples(source: Source, keep: Callable[[LazySample], bool]) -> Source:
    """Leave out samples by a function of one's own.

    It is called once for each sample, now. A sample whose image it asks for and that cannot be read
    stays: the audit says what is wrong with it.

    Args:
        source: The samples.
        keep: Says whether a sample stays.

    Raises:
        ConfigError: If `keep` fails or gives anything but true or false.
    """
    part = Part("filter", getattr(keep, "__name__", "keep"), keep, {})
    return PartSource(source, np.fromiter(_answers(source, part), bool, len(source)), FILTERED)


def _answers(source: Source, part: Part) -> Iterator[bool]:
    for i in range(len(source)):
        try:
            with part.at_work():
                answer = part.make(LazySample(source, i))
        except ImageProblem:
            answer = True
        if not isinstance(answer, bool | np.bool_):
            part.refuse_result("true or false", shape_text(answer))
        yield bool(answer)


def take(source: Source, count: int, *, rng: np.random.Generator | None = None) -> Source:
    """Keep only so many samples, or all if there are fewer.

    Args:
        source: The samples.
        count: At least 1.
        rng: Draws which ones; without it the first are kept, which in a folder are all of one
            class. They stay in the source's order.

    Raises:
        DataError: If the count is below 1.
    """
    if count < 1:
        msg = f"take: expected a number of samples of at least 1, got {count}"
        raise DataError(msg, slug="data/view-option")
    kept = np.zeros(len(source), dtype=bool)
    fewer = min(count, len(source))
    kept[range(fewer) if rng is None else rng.permutation(len(source))[:fewer]] = True
    return PartSource(source, kept, NOT_TAKEN)
