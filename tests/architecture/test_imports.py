"""What is loaded when, measured in fresh processes."""

import os
import subprocess
import sys

import pytest
from fake_run import make_fake_run
from many_runs import make_run
from PIL import Image
from shapes import draw_folders
from typer.main import get_command

from fivefold.cli.data.group import group
from fivefold.cli.listing import _KINDS

HEAVY = ("torch", "torchvision", "timm", "accelerate", "sklearn", "matplotlib", "cv2")
TORCHES = ("torch", "torchvision", "timm", "accelerate")
PANDAS = "import sys; print(*[m for m in ('torch', 'pandas', 'sklearn') if m in sys.modules])"
LOADED = "import sys; print(*[m for m in {names} if m in sys.modules])"


def run(code):
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def command_lines(*commands):
    """Run commands one after another in one process.

    Returns:
        For each its exit code and what heavy modules it has added.
    """
    code = (
        "import sys; from fivefold.cli.app import run\n"
        "seen = set()\n"
        f"for command in {[[*map(str, command)] for command in commands]!r}:\n"
        "    code = run(command)\n"
        f"    added = {{m for m in {HEAVY!r} if m in sys.modules}} - seen\n"
        "    seen |= added\n"
        "    print('\\nADDED', code, *sorted(added))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("ADDED ")]
    return [(int(code), added) for code, *added in told]


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
        "fivefold.apps.compare",
        "fivefold.apps.report",
        "fivefold.apps.new",
        "fivefold.apps.demo",
        "fivefold.apps.preview",
        "fivefold.models.names",
        "fivefold.losses",
        "fivefold.optim",
        "fivefold.engine.callbacks",
        "fivefold.build",
        "fivefold.experiment.opening",
        "fivefold.experiment.finished",
    ],
)
def test_import_loads_no_torch(module):
    assert run(f"import {module}; " + LOADED.format(names=TORCHES)) == []


def test_commands_that_only_tell_load_nothing_heavy():
    commands = [
        ("--help",),
        ("--version",),
        ("fit", "--help"),
        ("new", "--help"),
        ("schema",),
        ("list",),
        *(("list", kind) for kind in _KINDS),
        ("list", "backbones", "convnext"),
    ]
    assert command_lines(*commands) == [(0, [])] * len(commands)


def test_help_loads_no_numpy_yaml_or_tables():
    code = "from fivefold.cli.app import run; run(['fit', '--help']); import sys; print('LOADED')\n"
    code += "print(*[m for m in ('numpy', 'ruamel', 'rich') if m in sys.modules])"
    told = run(code)
    assert told[told.index("LOADED") + 1 :] == []


def test_a_new_experiment_is_written_without_anything_heavy(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name)
    command = ("new", tmp_path / "run", "--data", tmp_path / "photos")
    assert command_lines(command) == [(0, [])]


def test_experiments_are_compared_without_anything_heavy(tmp_path):
    for name in ("a", "b"):
        make_run(tmp_path / name)
    commands = [("compare", tmp_path), ("compare", tmp_path, "-o", tmp_path / "r.csv", "--json")]
    assert command_lines(*commands) == [(0, [])] * 2
    assert run(f"import fivefold; fivefold.compare({str(tmp_path)!r}); " + PANDAS) == []


def test_a_preview_is_drawn_without_torch(tmp_path):
    draw_folders(tmp_path / "photos", 6)
    text = "architecture: ResNet18\nshape: [32, 32, 3]\naugmentation: {Fliplr: 0.5}\n"
    text += "stages: [{epochs: 1}]\ndataset: {folder: photos}\n"
    (tmp_path / "config.yaml").write_text(text)
    ((code, added),) = command_lines(("preview", tmp_path, "-o", tmp_path / "grid.png"))
    assert (code, set(added) - {"cv2", "sklearn"}) == (0, set())


def test_data_are_prepared_without_torch(tmp_path):
    photos = draw_folders(tmp_path / "photos", 4)
    commands = [
        ("data", "labels", photos, "-o", tmp_path / "all.csv"),
        ("data", "split", photos, "-o", tmp_path / "part.csv", "--test", "0.2"),
        ("data", "convert", photos, "-o", tmp_path / "all.json"),
        ("data", "sample", photos, "-o", tmp_path / "small"),
        ("data", "resize", photos, "-o", tmp_path / "tiny", "--max-size", "8"),
        ("data", "split", photos, "-o", tmp_path / "fold.csv", "--folds", "2"),
        ("data", "stats", photos, "-o", tmp_path / "stats.png"),
        ("data", "check", tmp_path, "-o", tmp_path / "found"),
        ("data", "check", tmp_path, "--headers-only"),
    ]
    text = "architecture: resnet18\nstages: [{epochs: 1}]\ndataset: {folder: photos}\n"
    (tmp_path / "config.yaml").write_text(f"{text}folds_count: 2\n")
    done = command_lines(*commands)
    assert [code for code, _ in done] == [0] * len(commands)
    assert {module for _, added in done for module in added} <= {"sklearn", "cv2"}
    assert {command[1] for command in commands} == set(get_command(group).commands)


@pytest.mark.slow
def test_a_report_is_written_without_torch(tmp_path):
    make_fake_run(tmp_path)
    ((code, added),) = command_lines(("report", tmp_path))
    # the pictures are matplotlib's, and some numbers scikit-learn's
    assert (code, set(added) - {"matplotlib", "sklearn"}) == (0, set())


def test_what_is_wrong_in_a_config_is_told_without_anything_heavy(tmp_path):
    wrong = [
        "batch: 0",
        "optimzer: Adam",
        "optimizer: Adem",
        "optimizer: {SGD: {nesterov: true}}",
        "optimizer: {AdamW: {beta: 1}}",
        "schedule: {OneCycle: {pct_start: 2}}",
        "loss: binary_crosentropy",
        "loss: binary_crossentropy(smoothing=1)",
        "metrics: [acuracy]",
        "activation: sofmax",
        "primary_metric: val_acc",
        "callbacks: {EarlyStopping: {monitor: val_acc}}",
        "callbacks: {TensorBoard: {log_dir: /}}",
        "augmentation: {Fliplr: 2}",
        "architecture: ResNet81",
        "architecture: resnet81",
        "architecture: resnet18.no_such_tag",
    ]
    commands = []
    for number, line in enumerate(wrong):
        network = "" if "architecture" in line else "architecture: ResNet18\n"
        path = tmp_path / f"{number}.yaml"
        path.write_text(f"{network}stages: [{{epochs: 1}}]\n{line}\n")
        commands.append(("check", path))
    broken = tmp_path / "0.yaml"
    commands += [("fit", broken), ("evaluate", broken), ("predict", broken, tmp_path)]
    assert command_lines(*commands) == [(2, [])] * len(commands)


def seconds(code):
    """Take the best of five, and processor time alone: the machine may be busy."""
    best = float("inf")
    for _ in range(5):
        start = os.times()
        subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
        end = os.times()
        user, system = end.children_user - start.children_user, end.children_system
        best = min(best, user + system - start.children_system)
    return best


def allowance():
    """Give more time where even an empty process is slow to start."""
    return max(1.0, seconds("pass") / 0.03) * (2.0 if os.environ.get("CI") else 1.0)


def test_import_takes_less_than_a_tenth_of_a_second():
    assert seconds("import fivefold") - seconds("pass") < 0.1 * allowance()


COMMAND = "import sys; sys.argv = {!r}; from fivefold.cli.app import main; main()"


def test_help_answers_within_three_tenths_of_a_second():
    assert seconds(COMMAND.format(["fivefold", "--help"])) < 0.3 * allowance()


def test_a_typing_mistake_is_told_within_a_second(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("architecture: ResNet81\nlos: dice\nstages: [{epochs: 1}]\n")
    assert seconds(COMMAND.format(["fivefold", "check", str(path)])) < 1.0 * allowance()
