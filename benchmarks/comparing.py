"""How long it takes to compare many experiments: `python -m benchmarks.comparing`."""

import argparse
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.startup import fivefold_command, measure_commands

_CONFIG = """\
architecture: EfficientNetLite0
classes: 10
shape: [224, 224, 3]
batch: {batch}
optimizer: AdamW
folds_count: 5
metrics: [accuracy, macro_f1]
primary_metric: val_macro_f1
augmentation:
  Fliplr: 0.5
  Affine: {{rotate: [-10, 10], scale: [0.9, 1.1]}}
stages:
  - {{epochs: 3, lr: {lr}, freeze_encoder: true}}
  - {{epochs: 12, lr: 1e-3, unfreeze_encoder: true}}
dataset: {{folder: ../photos}}
"""
_METRICS = ("accuracy", "loss", "macro_f1", "val_accuracy", "val_loss", "val_macro_f1")
_EPOCHS, _FOLDS, _STAGES = 12, 5, 2


def measure_comparing(*, experiments: int, repetitions: int) -> dict[str, Any]:
    """Measure `fivefold compare FOLDER -o FILE`, from exec to exit, with warm files.

    The experiments of a search: five folds of two stages each, a learning rate of its own for
    each. Some folders have no manifests, as Musket's have none; then their configs are read.

    Args:
        experiments: How many.
        repetitions: How often each command runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        arms = {}
        for name, has_manifest in (("manifests", True), ("configs alone", False)):
            root = Path(folder) / name.replace(" ", "-")
            rng = random.Random(0)
            for number in range(experiments):
                write_run(root / f"{number:04}", rng, has_manifest=has_manifest)
            arms[name] = fivefold_command("compare", str(root), "-o", f"{root}.csv")
        return measure_commands(arms, repetitions)


def write_run(root: Path, rng: random.Random, *, has_manifest: bool) -> None:
    """Write what comparing reads of a finished experiment, with made-up numbers."""
    (root / "metrics").mkdir(parents=True)
    batch, lr = rng.choice([16, 32, 64]), 10 ** -rng.uniform(1, 5)
    text = _CONFIG.format(batch=batch, lr=lr)
    (root / "config.yaml").write_text(text, encoding="utf-8")
    if has_manifest:
        stages: list[dict[str, Any]] = [{"epochs": 3, "lr": lr}, {"epochs": 12, "lr": 1e-3}]
        config = {"batch": batch, "folds_count": _FOLDS, "stages": stages}
        (root / "manifest.json").write_text(json.dumps({"config": config}), encoding="utf-8")
    for fold in range(_FOLDS):
        header = ",".join(("epoch", *_METRICS))
        rows = ([epoch, *(rng.random() for _ in _METRICS)] for epoch in range(_EPOCHS))
        lines = [header, *(",".join(map(str, row)) for row in rows)]
        path = root / "metrics" / f"metrics-{fold}.{_STAGES - 1}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "summary.yaml").write_text(_summary(rng), encoding="utf-8")


def _summary(rng: random.Random) -> str:
    lines = ["completed: true", "folds:", *(f"- {fold}" for fold in range(_FOLDS))]
    lines += ["oof:", *(f"  {name}: {rng.random()!r}" for name in ("accuracy", "macro_f1"))]
    lines += ["primary_metric: val_macro_f1", "stages:"]
    for _ in range(_STAGES):
        for position, name in enumerate(_METRICS):
            lines.append(f"{' ' if position else '-'} {name}:")
            lines += [f"    {end}: {rng.random()!r}" for end in ("max", "mean", "min", "std")]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparing")
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--reps", type=int, default=5)
    options = parser.parse_args()
    found = measure_comparing(experiments=options.experiments, repetitions=options.reps)
    print(json.dumps(found, indent=2))
