"""A table of corrections: which samples get other labels, and which are left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fivefold.core.errors import DataError, Problem, closest, did_you_mean
from fivefold.data.csv_text import bytes_of_table, read_table
from fivefold.data.text_encoding import first_bad_byte, guessed
from fivefold.data.text_table import Table

SLUG = "data/corrections"

_ID, _CORRECTED, _KEEP, _OUTPUT, _GIVEN = "id", "corrected", "keep", "output", "given"
_YES = frozenset({"", "yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})
_MOST_BYTES = 1_000_000_000
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """What a row asks for.

    Attributes:
        where: Its file and line, for messages.
        sample_id: Of which sample.
        output: Which of several outputs; may be empty.
        corrected: The label that it is to have, as it stands there; empty: its own.
        keep: Whether the sample stays.
        given: The label that it had when the table was made; None where the table does not say.
    """

    where: str
    sample_id: str
    output: str
    corrected: str
    keep: bool
    given: str | None


def read_corrections(path: Path) -> tuple[list[CorrectionRow], list[Problem]]:
    """Read the rows of a table of corrections that ask for something.

    A spreadsheet may have saved it: with semicolons, a mark of UTF-8, or in an encoding of its own.

    Args:
        path: A table with a column `id` and one `corrected`, and if need be `keep` (yes, no or
            empty), `output` and `given`; others are the user's.

    Returns:
        Those rows, and what is wrong with others.

    Raises:
        DataError: If it is no such table.
    """
    table = read_table(path, encoding=_encoding_of(path))
    places = _places(table)
    problems: list[Problem] = []
    return list(_rows(table, places, problems)), problems


def refuse(problems: Sequence[Problem]) -> None:
    """Raise an error that names what is wrong, or the first part of it, if anything is.

    Raises:
        DataError: If there are problems.
    """
    if problems:
        more = [f"… and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        in_order = sorted(problems, key=lambda problem: int(problem.where.rpartition(":")[2]))
        lines = [*map(str, in_order[:_SHOWN]), *more]
        raise DataError("\n".join(lines), slug=problems[0].slug)


def _encoding_of(path: Path) -> str:
    """Guess the encoding of a table that is no UTF-8; ids and classes show whether it is right."""
    data = bytes_of_table(path, _MOST_BYTES)
    bad = first_bad_byte(data, "utf-8-sig")
    guess = None if bad is None else guessed(data, bad)
    return guess[0] if guess else ""


def _places(table: Table) -> dict[str, int]:
    """Find the columns by their names."""
    names = [name.strip().casefold() for name in table.columns]
    places = {
        name: names.index(name)
        for name in (_ID, _CORRECTED, _KEEP, _OUTPUT, _GIVEN)
        if name in names
    }
    others = [name for name in names if name not in places]
    for wanted in (_ID, _CORRECTED):
        if wanted not in places:
            msg = f"{table.path}: expected columns {_ID!r} and {_CORRECTED!r}, got no {wanted!r}"
            hint = did_you_mean(wanted, others)
            hint = hint and f"is it the column {closest(wanted, others)!r}?"
            hint = hint or "`fivefold suspects EXPERIMENT -o suspects.csv` writes such a table"
            raise DataError(msg, hint=hint, slug=SLUG)
    for wanted in (_KEEP, _OUTPUT):
        meant = None if wanted in places else closest(wanted, others)
        if meant is not None:
            msg = f"{table.path}: expected a column {wanted!r}, got {meant!r}"
            raise DataError(msg, hint=f"call it {wanted!r}, or something else", slug=SLUG)
    return places


def _rows(table: Table, places: dict[str, int], problems: list[Problem]) -> Iterator[CorrectionRow]:
    for number, row in enumerate(table.rows):
        cells = {name: row.cells[place] for name, place in places.items()}
        kept = cells.get(_KEEP, "").strip().casefold()
        where, corrected = table.place(number), cells[_CORRECTED]
        if kept not in _YES | _NO:
            message = f"keep: expected yes, no or nothing, got {cells[_KEEP]!r}"
            problems.append(Problem(SLUG, where, message))
        elif corrected.strip() or kept in _NO:
            yield CorrectionRow(
                where,
                cells[_ID],
                cells.get(_OUTPUT, "").strip(),
                corrected if corrected.strip() else "",
                keep=kept in _YES,
                given=cells.get(_GIVEN),
            )
