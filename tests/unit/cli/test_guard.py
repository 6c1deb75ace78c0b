import os
import re
import signal
import subprocess
import sys
import tempfile

import pytest
import typer

from fivefold.cli.guard import guarded
from fivefold.core.errors import ConfigError, DataError, LockedError, Problem


def answer(error, name="check", experiment=None):
    def command(*, experiment):
        raise error

    command.__name__ = name
    with pytest.raises(typer.Exit, match=r"^\d+$") as ending:
        guarded(command)(experiment=experiment)
    return ending.value.exit_code


@pytest.mark.parametrize(("error", "code"), [(DataError("x: bad"), 3), (LockedError("x: busy"), 5)])
def test_known_error_is_its_message_and_its_code(capsys, error, code):
    assert answer(error) == code
    assert capsys.readouterr() == ("", f"{error}\n")


def test_all_problems_of_a_config_are_shown_and_counted(capsys):
    problems = [
        Problem("config/x", "a.yaml:1:2", "lr: bad", "do"),
        Problem("config/y", "", "worse"),
    ]
    assert answer(ConfigError(problems)) == 2
    assert capsys.readouterr().err == "a.yaml:1:2: lr: bad\n    do\nworse\n2 problems\n"


def test_one_problem_is_not_counted(capsys):
    assert answer(ConfigError([Problem("config/x", "", "bad")])) == 2
    assert capsys.readouterr().err == "bad\n"


def test_error_is_marked_red_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    answer(DataError("x: bad"))
    assert capsys.readouterr().err == "\x1b[31merror:\x1b[0m x: bad\n"


@pytest.mark.parametrize("name", ["fit", "demo"])
def test_interrupt_of_training_says_how_to_go_on(capsys, name):
    assert answer(KeyboardInterrupt(), name) == 130
    assert "run the same command again; it continues after the last finished epoch" in (
        capsys.readouterr().err
    )


def test_interrupt_of_another_command_says_stopped(capsys):
    assert answer(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_termination_ends_with_143(capsys):
    def fit():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 5)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(typer.Exit, match=r"^\d+$") as ending:
        guarded(fit)()
    assert ending.value.exit_code == 143
    assert "run the same command again" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


def test_lack_of_memory_is_a_resource_error(capsys):
    assert answer(MemoryError()) == 6  # slug resource/memory
    assert "memory: expected enough for this step, got none" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [PermissionError, NotADirectoryError, FileExistsError])
def test_path_that_the_system_refuses_is_named(capsys, kind):
    assert answer(kind(1, "Refused", "a/b")) == 6  # slug resource/path
    assert capsys.readouterr().err == (
        "a/b: expected to use this path, got 'Refused'\n    look at the path and its permissions\n"
    )


def test_unexpected_error_keeps_its_traceback_beside_the_experiment(capsys, tmp_path):
    (tmp_path / "config.yaml").write_text("")
    assert answer(ZeroDivisionError("by zero\nand more"), experiment=tmp_path) == 1
    first, second = capsys.readouterr().err.splitlines()
    [log] = (tmp_path / "logs").iterdir()
    assert first == "ZeroDivisionError: by zero"
    assert f"the details are in {log}: please report" in second
    assert "Traceback (most recent call last)" in log.read_text()


@pytest.mark.parametrize("experiment", [None, "missing"])
def test_unexpected_error_without_an_experiment_is_kept_in_the_temporary_folder(
    capsys, tmp_path, monkeypatch, experiment
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert answer(ZeroDivisionError("x"), experiment=experiment and tmp_path / experiment) == 1
    [log] = tmp_path.iterdir()
    assert re.fullmatch(r"fivefold-error-[\d-]+\.txt", log.name)


def test_reader_who_goes_away_causes_no_noise():
    code = (
        "import sys\nfrom fivefold.cli.guard import guarded\n"
        "def command():\n    for i in range(100000): print('x' * 100)\n"
        "guarded(command)()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert "BrokenPipeError" not in err.splitlines()[-1]
    assert "Exception ignored" not in err
