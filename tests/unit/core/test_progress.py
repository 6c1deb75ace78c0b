import io
import sys
import time
from contextlib import ExitStack

import pytest

from fivefold.core.progress import Silent, Terminal


class Gone(io.StringIO):
    """A terminal whose other end was closed."""

    def isatty(self):
        return True

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    flush = close = lambda self: None


class Tty(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Gone(), closed(), None], ids=["gone", "closed", "none"])
def test_work_goes_on_when_nobody_listens_any_more(monkeypatch, capsys, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    terminal, done = Terminal(), []
    terminal.line("epoch 0")
    with terminal.bar("train", 3) as advance:
        for step in range(3):
            advance(1)
            done.append(step)
            terminal.line(f"step {step}")
    assert done == [0, 1, 2]
    monkeypatch.undo()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("watcher", [Silent(), Terminal()])
def test_errors_of_the_work_itself_pass(watcher):
    def work():
        with watcher.bar("train", 3) as advance:
            advance(1)
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        work()


def test_lines_go_to_standard_error(capsys):
    Terminal().line("epoch 0")
    assert capsys.readouterr() == ("", "epoch 0\n")


def test_the_cursor_is_at_the_margin_when_the_lower_of_two_bars_ends_last(monkeypatch):
    terminal, stream = Terminal(), Tty()
    monkeypatch.setattr(sys, "stderr", stream)
    with ExitStack() as upper, ExitStack() as lower:
        bars = [stack.enter_context(terminal.bar("fold", 3)) for stack in (upper, lower)]
        time.sleep(0.6)  # a bar that is over sooner is never drawn
        for advance in bars:
            advance(1)
        upper.close()
        assert "fold" in stream.getvalue()
        lower.close()
        assert stream.getvalue().endswith("\r")


def test_nothing_moves_a_cursor_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    with Terminal().bar("train", 1) as advance:
        advance(1)
    assert stream.getvalue() == ""
