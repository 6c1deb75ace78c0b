import os

import pytest

from fivefold.core.errors import DataError
from fivefold.data import csv_text
from fivefold.data.csv_text import read_table


def refused(path, message):
    with pytest.raises(DataError, match=message) as error:
        read_table(path)
    assert error.value.slug == "data/table-file"


def test_a_pipe_is_refused_and_nobody_waits(tmp_path):
    os.mkfifo(tmp_path / "table.csv")
    refused(tmp_path / "table.csv", "expected a regular file of at most 1,000 MB, got a pipe")


def test_a_device_is_refused_unread(tmp_path):
    (tmp_path / "table.csv").symlink_to("/dev/zero")
    refused(tmp_path / "table.csv", "expected a regular file of at most 1,000 MB, got a pipe")


def test_a_folder_is_no_table(tmp_path):
    refused(tmp_path, "expected a regular file of at most 1,000 MB, got a folder")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_text, "_LARGEST", 2_000_000)
    with (tmp_path / "table.csv").open("wb") as file:
        file.truncate(2_000_001)
    refused(tmp_path / "table.csv", "at most 2 MB, got 2,000,001 bytes")


def test_a_header_of_empty_cells_is_refused_and_no_row_is_taken_for_it(tmp_path):
    (tmp_path / "table.csv").write_text("\n,\na.png,cat\n")
    with pytest.raises(
        DataError, match=r"table\.csv:2: expected names of columns, got 2 empty"
    ) as e:
        read_table(tmp_path / "table.csv")
    assert e.value.slug == "data/table"


def test_many_columns_are_compared_at_once(tmp_path):
    names = [f"c{k}" for k in range(60_000)]
    (tmp_path / "table.csv").write_text(",".join([*names, *names[:12]]) + "\n")
    with pytest.raises(DataError, match=r"got \['c0', .* and 2 more twice"):
        read_table(tmp_path / "table.csv")
