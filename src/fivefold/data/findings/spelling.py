"""Names of classes that may be one name written in two ways."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

_RARE = 0.2  # of the other's samples
_SHORTEST = 4  # letters of the longer name: cat and bat are two animals


def same_names(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Find names that differ only in case, spaces around them, or Unicode form."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[_folded(name)].append(name)
    yield from (tuple(some) for some in alike.values() if len(some) > 1)


def misspelled(names: Sequence[str], counts: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Find rare names that are one letter away from a frequent one; pairs of both.

    A letter is missing, too much, another one, or two have changed places. Digits and single
    letters that stand alone tell names apart, as in "grade 1" and "type B".

    Args:
        names: Of classes.
        counts: How many samples each has.
    """
    number = dict(zip(names, counts, strict=True))
    for one, other in _near(names):
        rare, frequent = sorted((one, other), key=lambda name: (number[name], name))
        few = number[rare] <= _RARE * number[frequent]
        if few and _is_slip(_folded(rare), _folded(frequent)):
            yield rare, frequent


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _near(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Find pairs of which both become the same by leaving out one letter each, or none."""
    shortened: dict[str, set[str]] = defaultdict(set)
    for name in names:
        text = _folded(name)
        for variant in {text, *(text[:k] + text[k + 1 :] for k in range(len(text)))}:
            shortened[variant].add(name)
    pairs = {pair for some in shortened.values() for pair in combinations(sorted(some), 2)}
    yield from sorted(pairs)


def _is_slip(one: str, other: str) -> bool:
    if one == other or max(len(one), len(other)) < _SHORTEST:
        return False
    start = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    start = min(len(one), len(other)) if start is None else start
    rest, rest_of_other = one[start:], other[start:]
    changed = rest[:1] + rest_of_other[:1]
    if any(letter.isdigit() for letter in changed) or _stands_alone(one, other, start):
        return False
    if len(one) == len(other):
        swapped = rest[:2] == rest_of_other[1::-1] and rest[2:] == rest_of_other[2:]
        return rest[1:] == rest_of_other[1:] or swapped
    longer, shorter = sorted((rest, rest_of_other), key=len, reverse=True)
    return longer[1:] == shorter


def _stands_alone(one: str, other: str, place: int) -> bool:
    """Say whether what differs is a word of one letter in either name."""
    return any(
        len(text) > place
        and (place == 0 or not text[place - 1].isalnum())
        and (place + 1 == len(text) or not text[place + 1].isalnum())
        for text in (one, other)
    )
