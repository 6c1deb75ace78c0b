from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data import text_table
from fivefold.data.text_table import CodedTexts, GatheredColumn, Row, Table, coded

PARTS = st.lists(st.lists(st.text(max_size=4), max_size=6), max_size=5)


@given(PARTS)
def test_cells_come_back_in_their_order(parts):
    column = GatheredColumn()
    for part in parts:
        column.extend(part)
    assert list(column.done()) == [cell for part in parts for cell in part]


def test_many_distinct_cells_are_packed_and_few_are_numbered(monkeypatch):
    monkeypatch.setattr(text_table, "_MOST_DISTINCT", 3)
    few, many = GatheredColumn(), GatheredColumn()
    for _ in range(3):
        few.extend(["a", "b", "c"])
    for k in range(3):
        many.extend(["a", f"{k}", f"{k + 3}"])
    assert isinstance(few.done(), CodedTexts)
    assert few.done().names == ("a", "b", "c")
    assert not isinstance(many.done(), CodedTexts)
    assert list(many.done()) == ["a", "0", "3", "a", "1", "4", "a", "2", "5"]


@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_texts_are_numbered_as_each_is_met(texts):
    found = coded(texts)
    assert list(found) == texts
    assert found.names == tuple(dict.fromkeys(texts))
    assert coded(found) is found


def table_of(unit):
    cells = (("a", "b", "c"), ("1", "2", "3"))
    return Table(Path("t.csv"), ("x", "y"), cells, np.array([2, 3, 7]), unit=unit)


def test_rows_are_made_when_asked_for():
    rows = table_of("line").rows
    assert len(rows) == 3
    assert rows[-1] == Row(7, ("c", "3"))
    assert rows[:2] == (Row(2, ("a", "1")), Row(3, ("b", "2")))
    assert [row.line for row in rows] == [2, 3, 7]


def test_a_place_counts_lines_or_rows():
    assert table_of("line").place(2) == "t.csv:7"
    assert table_of("row").place(2) == "t.csv: row 7"
