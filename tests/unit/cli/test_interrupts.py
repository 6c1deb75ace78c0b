import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

AT_IMPORT = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from fivefold.__main__ import main
sys.argv = ["fivefold", *{arguments!r}]
main()
"""

AT_WORK = """
import os, signal
from fivefold.cli.guard import guarded
from fivefold.cli.interrupts import end_on_interrupt
end_on_interrupt()
@guarded
def check():
    os.kill(os.getpid(), signal.SIGINT)
try:
    check()
finally:
    os.kill(os.getpid(), signal.SIGINT)
"""


def run(code, **settings):
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, **settings
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("module", ["fivefold.cli.app", "typer", "fivefold.cli.train"])
def test_ctrl_c_while_the_command_line_loads_ends_without_a_word(module):
    assert run(AT_IMPORT.format(module=module, arguments=["--version"])) == (130, "", "")


def test_ctrl_c_while_a_command_loads_is_answered_by_it(tmp_path):
    code = AT_IMPORT.format(module="fivefold.experiment.opening", arguments=["check", "nowhere"])
    assert run(code, cwd=tmp_path) == (130, "", "stopped\n")


def test_ctrl_c_is_raised_only_where_somebody_answers_it():
    assert run(AT_WORK) == (130, "", "stopped\n")


@pytest.mark.skipif(os.name != "posix", reason="shells there start nothing that ignores Ctrl-C")
def test_who_was_started_to_ignore_ctrl_c_goes_on():
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += AT_IMPORT.format(module="typer", arguments=["--version"])
    returned, out, err = run(code)
    assert (returned, err) == (0, "")
    assert out.startswith("fivefold ")


def test_the_script_and_the_module_begin_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["project"]["scripts"] == {"fivefold": "fivefold.__main__:main"}
    command = [sys.executable, "-m", "fivefold", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("fivefold ")
