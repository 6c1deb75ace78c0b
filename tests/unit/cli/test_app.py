import pytest

from fivefold import __version__
from fivefold.cli import app

COMMANDS = ["check", "demo", "evaluate", "fit", "list", "new", "predict", "report", "schema"]


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
