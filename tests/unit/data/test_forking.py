"""What a fork finds out about open files while other threads open and close theirs."""

import os
import sys

import pytest

from fivefold.data import forking

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")


@pytest.fixture
def closed(nothing_shared, monkeypatch):
    """List a file that another thread closes at this moment."""
    number = os.open(__file__, os.O_RDONLY)
    os.close(number)
    listed = [*forking._descriptors(), number]
    monkeypatch.setattr(forking, "_descriptors", lambda: listed)
    return number


def test_a_file_that_is_closed_meanwhile_is_no_open_file(closed):
    assert closed not in forking.open_files()


def test_who_closes_files_meanwhile_is_not_forked(closed):
    assert forking.reason_against().startswith("an open file cannot be opened again: ")
