from pathlib import Path

import numpy as np
import pytest

from fivefold.core.errors import DataError
from fivefold.data.table_rows import groups_of, kept_rows, weights_of
from fivefold.data.text_table import Table


def table_of(*rows):
    cells = tuple(zip(*rows, strict=True))
    names = tuple(f"c{k}" for k in range(len(cells)))
    return Table(Path("t.csv"), names, cells, np.arange(2, len(rows) + 2))


def test_rows_without_id_or_label_and_repeated_ones_are_left_out_by_a_rule():
    table = table_of((" a ", "x"), ("", "x"), ("b", " "), ("a", "x"), ("c", "y"))
    kept = kept_rows(table, 0, {1: None}, ())
    assert (kept.rows.tolist(), list(kept.ids)) == ([0, 4], ["a", "c"])
    assert kept.excluded == (("line 3", "no-id"), ("b", "no-label"), ("a", "repeated-row"))


def test_a_cell_of_several_labels_may_hold_none():
    kept = kept_rows(table_of(("a", ""), ("b", "x|y")), 0, {1: "|"}, ())
    assert list(kept.ids) == ["a", "b"]


def test_rows_of_one_image_may_differ_only_in_what_is_not_read():
    table = table_of(("a", "x", "1"), ("a", "x", "2"))
    assert kept_rows(table, 0, {1: None}, ()).rows.tolist() == [0]
    with pytest.raises(DataError, match="lines 2 and 3: 'a' has 'c2' '1' and '2'") as error:
        kept_rows(table, 0, {1: None}, (2,))
    assert error.value.slug == "data/duplicate-id"


def test_a_row_without_a_group_is_alone():
    table = table_of(("a", "x", "p"), ("b", "x", " "), ("c", "x", "p "), ("d", "x", ""))
    kept = kept_rows(table, 0, {1: None}, (2,))
    groups = list(groups_of(table, kept, 2))
    assert groups[0] == groups[2] == "p"
    assert len({*groups}) == 3
    assert groups_of(table, kept, None) is None


def test_weights_are_those_of_the_rows_that_count():
    table = table_of(("a", "0.5"), ("b", "none"), ("c", " 2 "))
    assert weights_of(table, np.array([0, 2]), 1).tolist() == [0.5, 2.0]
    assert weights_of(table, np.array([0, 2]), None) is None
    with pytest.raises(DataError, match=r"t\.csv:3: weight_column: expected a number from 0") as e:
        weights_of(table, np.array([0, 1, 2]), 1)
    assert e.value.slug == "data/weight"
