"""What is known of each sample, found by its id, without an object for each."""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import TypeVar

from fivefold.core.types import AnyArray
from fivefold.data.samples import SampleTable

V = TypeVar("V")


class ById(Mapping[str, V]):
    """A mapping from sorted ids; values are made when they are asked for.

    Args:
        ids: Sorted and unique [N].
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    @abstractmethod
    def at(self, k: int) -> V:
        """Give the value of the id at a place from 0 to the last."""

    def each(self) -> Iterator[V]:
        """Give all values, in the order of the ids."""
        return map(self.at, range(len(self)))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __getitem__(self, sample_id: str) -> V:
        k = bisect_left(self.ids, sample_id) if isinstance(sample_id, str) else len(self)
        if k == len(self) or self.ids[k] != sample_id:
            raise KeyError(sample_id)
        return self.at(k)

    def items(self) -> ItemsView[str, V]:
        """All pairs, in the order of the ids."""
        return _Items(self)

    def values(self) -> ValuesView[V]:
        """All values, in the order of the ids."""
        return _Values(self)


class _Items(ItemsView[str, V]):
    """Reads one after the other: looking each id up takes much longer."""

    _mapping: ById[V]

    def __iter__(self) -> Iterator[tuple[str, V]]:
        return zip(self._mapping.ids, self._mapping.each(), strict=True)


class _Values(ValuesView[V]):
    """Likewise."""

    _mapping: ById[V]

    def __iter__(self) -> Iterator[V]:
        return self._mapping.each()


class FoldOf(ById[int]):
    """Sample id to fold.

    Args:
        ids: Sorted and unique [N].
        numbers: Their folds [N].
    """

    def __init__(self, ids: Sequence[str], numbers: AnyArray) -> None:
        super().__init__(ids)
        self.numbers = numbers

    def at(self, k: int) -> int:
        """Give the fold of the id at a place from 0 to the last."""
        return int(self.numbers[k])


class MarkOf(ById[tuple[str, str]]):
    """Sample id to the digest of its content and its label as text.

    Args:
        table: The samples.
    """

    def __init__(self, table: SampleTable) -> None:
        super().__init__(table.sorted_ids)
        self._table = table

    def at(self, k: int) -> tuple[str, str]:
        """Give digest and label of the id at a place from 0 to the last."""
        row = k if self._table.order is None else int(self._table.order[k])
        return self._table.digests[row], self._table.label_text(row)

    def each(self) -> Iterator[tuple[str, str]]:
        """Likewise, of all of them."""
        return ((digest, label) for _, digest, label in self._table.marks())


class SavedMarks(ById[tuple[str, str]]):
    """Likewise, as a file says.

    Args:
        ids: Sorted and unique [N].
        digests: Of their contents [N].
        labels: Their labels as text [N].
    """

    def __init__(self, ids: Sequence[str], digests: Sequence[str], labels: Sequence[str]) -> None:
        super().__init__(ids)
        self._digests, self._labels = digests, labels

    def at(self, k: int) -> tuple[str, str]:
        """Give digest and label of the id at a place from 0 to the last."""
        return self._digests[k], self._labels[k]
