import io
import sys

import pytest

from fivefold.core.progress import Silent, Terminal


class Gone(io.StringIO):
    """A terminal whose other end was closed."""

    def isatty(self):
        return True

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    flush = close = lambda self: None


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
