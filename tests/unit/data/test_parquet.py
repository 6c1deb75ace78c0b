import datetime as dt
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fivefold.core.errors import DataError
from fivefold.data import parquet
from fivefold.data.parquet import read_parquet
from fivefold.data.table import ParquetSource
from fivefold.data.text_table import LIST_SIGN


def write(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_values_become_the_texts_that_a_csv_file_would_have(tmp_path):
    day = dt.date(2024, 2, 29)
    table = read_parquet(
        write(
            tmp_path / "t.parquet",
            text=["a", None],
            whole=[7, None],
            real=[2.0, 0.5],
            truth=[True, False],
            day=[day, None],
            exact=[decimal.Decimal("1.50"), None],
            coded=pa.array(["x", "x"]).dictionary_encode(),
            several=[["a", "b"], None],
        )
    )
    assert [tuple(cells) for cells in table.cells] == [
        ("a", ""),
        ("7", ""),
        ("2", "0.5"),
        ("1", "0"),
        ("2024-02-29", ""),
        ("1.50", ""),
        ("x", "x"),
        (f"a{LIST_SIGN}b", ""),
    ]
    assert table.lists == {7}
    assert table.place(1) == f"{tmp_path / 't.parquet'}: row 2"


def test_columns_of_bytes_and_structures_are_left_out(tmp_path):
    path = write(tmp_path / "t.parquet", pixels=[b"1"], name=["a"], both=[{"x": 1}])
    assert read_parquet(path).columns == ("name",)
    only = write(tmp_path / "o.parquet", pixels=[b"1"])
    with pytest.raises(DataError, match="columns of texts or numbers, got 1 others"):
        read_parquet(only)


def test_a_structure_beside_a_column_called_like_its_part_moves_nothing(tmp_path):
    both = [{"b": 1}, {"b": 2}]
    path = write(tmp_path / "t.parquet", a=both, **{"a.b": ["x", "y"]}, image=["1.png", "2.png"])
    table = read_parquet(path)
    assert table.columns == ("a.b", "image")
    assert [tuple(cells) for cells in table.cells] == [("x", "y"), ("1.png", "2.png")]


def test_rows_of_several_batches_stay_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_AT_ONCE", 3)
    names = [f"{n}.png" for n in range(10)]
    table = read_parquet(write(tmp_path / "t.parquet", image=names))
    assert list(table.cells[0]) == names
    assert table.lines.tolist() == list(range(1, 11))


def test_a_cell_that_is_too_long_is_refused_with_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_LONGEST", 4)
    path = write(tmp_path / "t.parquet", label=["a", "abcde"])
    with pytest.raises(DataError, match="'label': row 2: expected cells of at most 4 letters"):
        read_parquet(path)


def test_other_files_are_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="No such file") as error:
        read_parquet(tmp_path / "none.parquet")
    assert error.value.slug == "data/missing-table"
    with pytest.raises(DataError, match="expected a regular file of at most") as error:
        read_parquet(tmp_path)
    assert error.value.slug == "data/table-file"
    (tmp_path / "t.parquet").write_text("image,label\n")
    with pytest.raises(DataError, match="expected a Parquet file, got: ") as error:
        read_parquet(tmp_path / "t.parquet")
    assert error.value.slug == "data/table"
    monkeypatch.setattr(parquet, "_LARGEST", 3)
    with pytest.raises(DataError, match="got 12 bytes"):
        read_parquet(tmp_path / "t.parquet")


def test_a_list_holds_several_labels(tmp_path):
    path = write(tmp_path / "t.parquet", image=["a.png", "b.png"], label=[["x", "y z"], []])
    source = ParquetSource(path, tmp_path)
    assert source.labels[0].class_names == ("x", "y z")
    assert [source.target(i).tolist() for i in range(2)] == [[1, 1], [0, 0]]


def test_a_time_zone_that_nobody_knows_is_no_defect(tmp_path):
    times = pa.array([1], pa.timestamp("s", tz="Nowhere/None"))
    with pytest.raises(DataError, match=r"t\.parquet: expected a Parquet file, got: "):
        read_parquet(write(tmp_path / "t.parquet", image=["a"], taken=times))


def test_names_that_differ_in_blanks_alone_are_the_same(tmp_path):
    path = write(tmp_path / "t.parquet", **{"image": ["a"], "image ": ["b"]})
    with pytest.raises(DataError, match=r"expected different column names, got \['image'\] twice"):
        read_parquet(path)


def test_more_rows_than_there_are_images_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_MOST_ROWS", 2)
    with pytest.raises(DataError, match="expected at most 2 rows, got 3") as error:
        read_parquet(write(tmp_path / "t.parquet", image=["a", "b", "c"]))
    assert error.value.slug == "data/table-file"
