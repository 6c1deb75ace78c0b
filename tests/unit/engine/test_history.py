import csv
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.errors import StateError
from fivefold.engine.history import read_history, write_history

names = st.text(st.characters(exclude_categories=["C"]), max_size=8).filter(lambda n: n != "epoch")
rows = st.lists(st.dictionaries(names, st.floats(allow_nan=True, allow_infinity=True)))


@settings(max_examples=60, deadline=None)
@given(rows)
def test_what_was_written_is_read_back_bit_by_bit(table):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.csv"
        write_history(path, table)
        back = read_history(path)
    assert [{k: repr(v) for k, v in r.items()} for r in back] == [
        {k: repr(v) for k, v in r.items()} for r in table
    ]


def test_columns_are_sorted_and_gaps_are_marked(tmp_path):
    path = tmp_path / "metrics" / "metrics-0.1.csv"
    write_history(path, [{"val_loss": 0.5, "loss": 1}, {"accuracy": math.nan, "loss": -math.inf}])
    assert path.read_bytes() == (b"epoch,accuracy,loss,val_loss\n0,NA,1.0,0.5\n1,nan,-inf,NA\n")


def test_other_programs_can_read_it(tmp_path):
    write_history(tmp_path / "m.csv", [{"a, b": 0.1, 'c"d': 1e-300}])
    with (tmp_path / "m.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {"epoch": "0", "a, b": "0.1", 'c"d': "1e-300"}


def test_the_order_of_keys_does_not_change_the_bytes(tmp_path):
    first = write_history(tmp_path / "a.csv", [{"a": 1.0, "b": 2.0}])
    assert write_history(tmp_path / "b.csv", [{"b": 2.0, "a": 1.0}]) == first


def test_a_metric_called_epoch_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the position says the epoch"):
        write_history(tmp_path / "m.csv", [{"epoch": 0.0}])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"loss",
        b"loss\n0\n",
        b"epoch,loss,loss\n0,1,2\n",
        b"epoch,loss\n0,0.5,3\n",
        b"epoch,loss\n1,0.5\n",
        b"epoch,loss\n0,many\n",
        b'epoch,loss\n0,"0.5\n',
    ],
)
def test_a_damaged_table_is_named(tmp_path, content):
    path = tmp_path / "metrics-0.0.csv"
    path.write_bytes(content)
    with pytest.raises(
        StateError, match=r"metrics-0\.0\.csv: expected a table of metrics"
    ) as error:
        read_history(path)
    assert error.value.slug == "state/damaged"


def test_no_epochs_are_no_rows(tmp_path):
    write_history(tmp_path / "m.csv", [])
    assert (tmp_path / "m.csv").read_bytes() == b"epoch\n"
    assert read_history(tmp_path / "m.csv") == []


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(StateError, match=r"none\.csv: expected a table of metrics, got .*No such"):
        read_history(tmp_path / "none.csv")
