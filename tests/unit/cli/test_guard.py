import errno
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


def refusal(number, name=None):
    return OSError(number, os.strerror(number), name)


@pytest.mark.parametrize(
    "number",
    [
        errno.EACCES,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENOENT,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EIO,
        errno.EROFS,
    ],
)
@pytest.mark.parametrize("name", ["a/b", b"a/b"])
def test_path_that_the_system_refuses_is_named(capsys, number, name):
    assert answer(refusal(number, name)) == 6  # slug resource/path
    assert capsys.readouterr().err == (
        f"a/b: expected to use this path, got {os.strerror(number)!r}\n"
        "    look at the path, its permissions and its disk\n"
    )


@pytest.mark.parametrize("name", [None, "a/b"])
@pytest.mark.parametrize(
    ("number", "sentence", "hint"),
    [
        (errno.ENOSPC, "expected room on the disk", "free some space"),
        (errno.EMFILE, "expected to open one more file", "raise the limit with `ulimit -n"),
    ],
)
def test_what_the_system_has_no_more_of_is_said(capsys, number, name, sentence, hint):
    assert answer(refusal(number, name)) == 6  # slugs resource/disk-full, resource/open-files
    err = capsys.readouterr().err
    assert err.startswith(f"{name or 'a file'}: {sentence}, got {os.strerror(number)!r}\n")
    assert hint in err


def test_a_file_that_cannot_be_read_is_no_defect_though_the_system_names_none(capsys):
    assert answer(refusal(errno.EIO)) == 6
    assert "a file: expected to use this path, got 'Input/output error'" in capsys.readouterr().err


def test_lack_of_memory_that_the_system_tells_is_the_same(capsys):
    assert answer(refusal(errno.ENOMEM)) == 6
    assert "memory: expected enough for this step" in capsys.readouterr().err


def test_an_end_by_other_code_is_no_success(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert answer(SystemExit(0)) == 1
    assert capsys.readouterr().err.startswith("SystemExit: 0\n")


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


class UnspeakableError(Exception):
    """Its text is a defect of its own."""

    def __str__(self):
        return 1 / 0


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "missing"])
def test_unexpected_error_that_can_be_kept_nowhere_is_put_out(capsys, tmp_path, monkeypatch, name):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a file"))
    (tmp_path / "a file").touch()
    assert answer(UnspeakableError(), experiment=tmp_path / name) == 1
    err = capsys.readouterr().err
    assert err.startswith("UnspeakableError: <exception str() failed>\n")
    assert "the details cannot be kept: " in err
    assert "Traceback (most recent call last)" in err
    assert "this is a defect of fivefold; the details are above" in err


@pytest.mark.parametrize(
    "line",
    [
        "for i in range(100000): print('x' * 100)",
        "for i in range(20): console.show_table(['x'], [['y' * 9000]])",
        "console.show_pairs([('x', 'y' * 100)] * 100000)",
    ],
)
def test_reader_who_goes_away_gives_141_and_no_noise(line):
    code = (
        "from fivefold.cli import app, console\nfrom fivefold.cli.guard import guarded\n"
        f"def command():\n    {line}\n"
        "app.app.command('late')(guarded(command))\napp.main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, "late"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, "")
