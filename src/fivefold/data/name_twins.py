"""Names that differ only in case or Unicode form: some systems take them for one file."""

import unicodedata
from collections.abc import Callable, Sequence

import numpy as np


def told_twins(
    names: Sequence[str], place: Callable[[int, int], str] | None = None
) -> tuple[str, ...]:
    """Word a warning about names that are alike; none where there are none.

    Args:
        names: Each once [N].
        place: Says where the names at two positions stand, in brackets behind them.
    """
    alike = (unicodedata.normalize("NFC", name).casefold() for name in names)
    marks = np.fromiter(map(hash, alike), np.int64, len(names))
    order = np.argsort(marks, kind="stable")
    same = np.flatnonzero(marks[order][1:] == marks[order][:-1])
    if not len(same):
        return ()
    # Hashes of texts differ from one process to the next: what is shown must not.
    shown = same[np.argmin(order[same])]
    first, second = order[shown : shown + 2].tolist()
    few = "1 name differs from another one"
    count = few if len(same) == 1 else f"{len(same):,} names differ from others"
    pair = names[first], names[second]
    # Two forms of one text look the same.
    as_shown = ascii if len({unicodedata.normalize("NFC", name) for name in pair}) == 1 else repr
    such = " and ".join(map(as_shown, pair))
    where = f" ({place(first, second)})" if place else ""
    return (f"{count} only in case or Unicode form, such as {such}{where}",)
