"""What is loaded when, measured in fresh processes."""

import os
import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "torchvision", "timm", "accelerate", "sklearn", "matplotlib", "cv2")
LOADED = "import sys; print(*[m for m in {names} if m in sys.modules])"


def run(code):
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def command_line(*arguments):
    code = (
        "import sys; from fivefold.cli.app import run\n"
        f"code = run({list(arguments)!r})\n"
        f"print('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])\n"
        "sys.exit(code)"
    )
    words = run(code)
    return words[words.index("LOADED") + 1 :]


@pytest.mark.parametrize("module", ["fivefold", "fivefold.core.errors", "fivefold.cli.app"])
def test_import_loads_nothing_heavy(module):
    assert run(f"import {module}; " + LOADED.format(names=HEAVY)) == []


@pytest.mark.parametrize(
    "module",
    [
        "fivefold.config",
        "fivefold.data",
        "fivefold.augment",
        "fivefold.evaluation",
        "fivefold.experiment.plan",
        "fivefold.engine.history",
        "fivefold.apps.report",
        "fivefold.apps.new",
        "fivefold.apps.demo",
        "fivefold.models.names",
    ],
)
def test_import_loads_no_torch(module):
    torches = ("torch", "torchvision", "timm", "accelerate")
    assert run(f"import {module}; " + LOADED.format(names=torches)) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("fit", "--help"),
        ("new", "--help"),
        ("list",),
        ("list", "augmenters"),
        ("list", "metrics"),
        ("list", "sources"),
        ("schema",),
    ],
    ids=" ".join,
)
def test_command_loads_no_torch(arguments):
    assert set(command_line(*arguments)).isdisjoint({"torch", "torchvision", "timm", "accelerate"})


def seconds(code):
    """Take the best of five: the machine may be busy."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def allowance():
    """Give more time where even an empty process is slow to start."""
    return max(1.0, seconds("pass") / 0.03) * (2.0 if os.environ.get("CI") else 1.0)


def test_import_takes_less_than_a_tenth_of_a_second():
    assert seconds("import fivefold") - seconds("pass") < 0.1 * allowance()


def test_help_answers_within_three_tenths_of_a_second():
    code = (
        "import sys; sys.argv = ['fivefold', '--help']; from fivefold.cli.app import main; main()"
    )
    assert seconds(code) < 0.3 * allowance()
