import os
import shlex
import subprocess
import sys

import pytest

from fivefold import __version__
from fivefold.cli import app

COMMANDS = [
    "check",
    "compare",
    "demo",
    "evaluate",
    "explain",
    "fit",
    "list",
    "lr-find",
    "new",
    "plot",
    "predict",
    "preview",
    "report",
    "schema",
    "suspects",
]


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = app.run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def test_all_commands_are_there():
    assert sorted(name for name, _, _ in app._COMMANDS) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_the_purpose_in_one_line_and_gives_examples(run, command):
    code, out, err = run(command, "--help")
    purpose = out.split("\n\n")[1].strip()
    assert (code, err) == (0, "")
    assert purpose.endswith(".")
    assert "\n" not in purpose
    assert f"Examples:\n    fivefold {command}" in out


def test_overview_shows_each_purpose_whole(run):
    _, out, _ = run("--help")
    assert "...\n" not in out.partition("Commands:")[2]
    assert all(f"\n  {command} " in out for command in COMMANDS)


def test_version_goes_to_standard_output(run):
    assert run("--version") == (0, f"fivefold {__version__}\n", "")


def test_mistyped_command_names_the_closest(run):
    code, out, err = run("fitt", "x")
    assert (code, out) == (2, "")
    assert "Did you mean 'fit'?" in err


def test_unknown_option_is_refused(run):
    code, _, err = run("fit", "x", "--fold", "1")
    assert code == 2
    assert "--fold" in err


@pytest.mark.parametrize("text", ["a", "0;1", "-1", "", "0,,1"])
def test_folds_that_are_no_numbers_are_refused(run, text):
    code, _, err = run("fit", "x", "--folds", text)
    assert code == 2
    assert f"expected fold numbers such as 0,1,4, got {text!r}" in err


START = "from fivefold.cli.app import main; main()"
TABLE = (
    "from fivefold.cli import app, console\n"
    "app.run = lambda _: console.show_table(['metric', 'x'], [['é', '0.9 ± 0.1']]) or 0\n"
    "app.main()"
)
TALK = (
    "import tqdm\nfrom fivefold.cli import app, console\n"
    "def run(_):\n    for i in range(3): console.say('epoch ' + '±' * 9000)\n"
    "    print('done')\n    return 0\n"
    "app.run = run\napp.main()"
)


def process(code, *arguments, closed="", environment=None, **streams):
    """Run Python; the shell closes one of its outputs where that is wanted."""
    words = shlex.join([sys.executable, "-c", code, *arguments])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    done = subprocess.run(
        ["bash", "-c", f"exec {words} {closed}"],
        env=os.environ | (environment or {}),
        check=False,
        **pipes | streams,
    )
    return done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode()


@pytest.fixture
def gone():
    """The end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("arguments", [["schema"], ["list"], ["--version"], ["--help"]])
def test_reader_who_has_gone_gives_141_and_no_noise(gone, arguments):
    assert process(START, *arguments, stdout=gone) == (141, "", "")


@pytest.mark.parametrize("code", [TABLE, TALK])
def test_closed_standard_output_is_no_failure(code):
    returned, out, err = process(code, closed=">&-")
    assert (returned, out) == (0, "")
    assert "Traceback" not in err


def test_closed_talk_stops_nothing():
    assert process(TALK, closed="2>&-") == (0, "done\n", "")


def test_talk_whose_reader_has_gone_stops_nothing(gone):
    assert process(TALK, stderr=gone) == (0, "done\n", "")


def test_what_an_ascii_terminal_cannot_show_is_marked():
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    code, out, err = process(TABLE, environment=ascii_only)
    assert (code, err) == (0, "")
    assert "0.9 ? 0.1" in out
    code, out, err = process(TALK, environment=ascii_only)
    assert (code, out) == (0, "done\n")
    assert r"epoch \xb1\xb1" in err


def test_full_disk_behind_standard_output_is_told():
    code, _, err = process(START, "list", closed="> /dev/full")
    assert code == 6
    assert err.startswith("a file: expected room on the disk, got 'No space left on device'\n")
    assert "Exception ignored" not in err


def test_name_that_is_too_long_is_told_in_one_line():
    code, out, err = process(START, "fit", "a" * 300)
    assert (code, out) == (6, "")
    assert "expected to use this path, got 'File name too long'" in err
    assert "Traceback" not in err
