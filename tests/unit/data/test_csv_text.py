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
