"""The page's small pictures: sections wish for them, and share what a page may hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

_MOST_BYTES = 8_000_000  # of a page's 15 MB
_CHUNK = 64

SEEN, BEHIND_COMMON, BEHIND_MISTAKES, BEHIND_RIGHT = range(4)
"""Ranks: pictures that are seen at once, then those behind counts: of the commonest mistakes, of
all mistakes, and of what is right."""

Reader = Callable[[Sequence[str]], Mapping[str, str]]
"""From sample ids to the URLs of those that can be read."""


class Album:
    """Pictures by sample id.

    Wishes are granted by their rank; of one wish's lists each gets its first picture before any
    gets its second.

    Args:
        read: Makes the pictures.
        most_bytes: How much all of them may take.
    """

    def __init__(self, read: Reader, most_bytes: int = _MOST_BYTES) -> None:
        self._read = read
        self._most_bytes = most_bytes
        self._wishes: list[tuple[int, Sequence[Sequence[str]]]] = []
        self._urls: dict[str, str] = {}

    def wish(self, rank: int, lists: Iterable[Sequence[str]]) -> None:
        """Ask for pictures of samples.

        Args:
            rank: One of those above; a lower one comes first.
            lists: Each with the most wanted first.
        """
        self._wishes.append((rank, tuple(lists)))

    def fill(self) -> None:
        """Make pictures, in the order of the wishes, until the page has no more room."""
        ranked = [lists for _, lists in sorted(self._wishes, key=lambda wish: wish[0])]
        wanted = list(dict.fromkeys(_in_turn(ranked)))
        taken = 0
        for start in range(0, len(wanted), _CHUNK):
            for sample_id, url in self._read(wanted[start : start + _CHUNK]).items():
                taken += len(url)
                if taken > self._most_bytes:
                    return
                self._urls[sample_id] = url

    def url(self, sample_id: str) -> str:
        """Give a picture's URL; empty where there is none."""
        return self._urls.get(sample_id, "")

    def __len__(self) -> int:
        return len(self._urls)


def _in_turn(wishes: Iterable[Sequence[Sequence[str]]]) -> Iterator[str]:
    for lists in wishes:
        for turn in zip_longest(*lists):
            yield from (sample_id for sample_id in turn if sample_id is not None)
