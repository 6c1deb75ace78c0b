"""Processes that read a data set, in tests."""

import psutil
import pytest

from fivefold.data import channels, forked


@pytest.fixture
def no_process_is_left():
    """Fail where a test leaves a process behind."""
    yield
    assert psutil.Process().children() == []


@pytest.fixture
def nothing_shared(monkeypatch):
    """Let what pytest has open be nobody's: it keeps the terminal behind a pipe."""
    monkeypatch.setattr(channels, "_own", set(channels.standing()))


@pytest.fixture
def eager(monkeypatch, nothing_shared):
    """Fork three times after the first samples, however fast they are."""
    monkeypatch.setattr(forked, "_WORTH", 0.0)
    monkeypatch.setattr(forked, "usable_cores", lambda: 3)
