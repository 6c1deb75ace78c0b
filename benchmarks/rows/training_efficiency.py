"""What loading costs a training step, from the second epoch on."""

import sys
import tempfile
from pathlib import Path

from benchmarks.arms import run_json
from benchmarks.data import standard_set
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row

GOALS = {"resnet18": (16, 0.97), "mobilenetv3_small_100": (32, 0.90)}
"""Net to its batch and what must be reached."""


def measure(settings: Settings) -> list[Row]:
    """Measure both nets at 224 pixels."""
    pictures = standard_set(settings.folder, 50 if settings.smoke else 160)
    return [_row(settings, pictures.images, name) for name in GOALS]


def _row(settings: Settings, pictures: Path, name: str) -> Row:
    batch, bound = GOALS[name]
    with tempfile.TemporaryDirectory(prefix="fivefold-efficiency-") as folder:
        command = [sys.executable, "-m", "benchmarks.training_efficiency", str(pictures)]
        command += ["--architecture", name, "--batch", str(batch)]
        command += ["--epochs", "1" if settings.smoke else "5"]
        found = run_json(command, Path(folder) / "log.txt")
    trained, bare = found["train_images_per_second"], found["bare_images_per_second"]
    pairs = ", ".join(f"{share:.3f}" for share in found["efficiency_of_pairs"])
    return Row(
        metric=f"training against bare steps, {name}@224",
        unit="share",
        goal=Goal("ours", "least", bound),
        ours=found["efficiency"],
        limit=1.0,
        notes=(
            f"one thread: {trained:.1f} img/s trained, {bare:.1f} img/s of bare steps on a "
            f"resident batch; of each pair {pairs}",
        ),
        raw=[found],
    )
