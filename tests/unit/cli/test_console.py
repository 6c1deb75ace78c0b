import io
import json
import logging
import sys

import numpy as np
import pytest

from fivefold.cli import console


@pytest.fixture(autouse=True)
def _quiet_again():
    logger = logging.getLogger("fivefold")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before[0], before[1], before[2]


def test_table_is_not_cut_when_it_goes_to_a_pipe(capsys):
    console.show_table(["metric", "x"], [["a" * 200, "[red]1"]])
    out = capsys.readouterr().out
    assert "a" * 200 in out
    assert "[red]1" in out


def test_json_has_no_nan_and_knows_numpy(capsys):
    console.show_json({"a": float("nan"), "b": np.float32(0.5), "c": (1, None, True)})
    expected = {"a": None, "b": 0.5, "c": [1, None, True]}
    assert json.loads(capsys.readouterr().out) == expected


def test_warning_of_the_layers_below_is_said_once_on_standard_error(capsys):
    console.start_logging()
    for _ in range(2):
        logging.getLogger("fivefold.data").warning("%d images are broken", 3)
    logging.getLogger("fivefold.data").info("reading")
    assert capsys.readouterr() == ("", "warning: 3 images are broken\nreading\n")


def test_pairs_stand_in_columns():
    file = io.StringIO()
    console.show_pairs([("data", "1"), ("memory", "2")], file)
    assert file.getvalue() == "data    1\nmemory  2\n"


def test_talk_goes_above_the_bars(capsys):
    import tqdm  # noqa: F401  its presence is what counts

    assert "tqdm" in sys.modules
    console.say("hello")
    assert capsys.readouterr() == ("", "hello\n")


class Tty(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def test_a_terminal_shows_what_is_going_on_until_it_is_over(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := Tty())
    with console.starting("Starting: loading"):
        assert stream.getvalue() == "Starting: loading"
    assert stream.getvalue() == "Starting: loading\r\x1b[K"


def test_a_line_takes_the_place_of_what_is_going_on(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := Tty())
    with console.starting("Starting: loading"):
        console.say("warning: old")
    assert stream.getvalue() == "Starting: loading\r\x1b[Kwarning: old\n"


def test_what_is_going_on_goes_also_when_it_fails(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := Tty())
    with pytest.raises(KeyError, match="x"), console.starting("Starting: loading"):
        raise KeyError("x")  # noqa: EM101  what is raised is the test
    assert stream.getvalue().endswith("\r\x1b[K")


def test_no_script_reads_what_is_going_on(capsys):
    with console.starting():
        pass
    assert capsys.readouterr() == ("", "")


def test_signs_that_steer_a_terminal_are_shown_as_escapes(capsys):
    console.show_table(["class"], [["c\x1b[31mat\u202e\nx"]])
    console.show_pairs([("a", "\x07b")])
    console.say("one\x1b[2J\ntwo\u2066")
    console.complain("\x9bred")
    told = capsys.readouterr()
    assert "c\\x1b[31mat\\u202e\\nx" in told.out
    assert "a  \\x07b\n" in told.out
    assert told.err == "one\\x1b[2J\ntwo\\u2066\n\\x9bred\n"
