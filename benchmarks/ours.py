"""Our side: a config that says the workload, and the command line in a fresh process."""

import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.arms import FailedError, Sample, run_process
from benchmarks.data import FOLDS
from benchmarks.workload import Workload

COMMAND = (sys.executable, "-c", "from fivefold.cli.app import main; main()")

_CONFIG = """\
dataset: {{folder: {images}}}
architecture: {architecture}
weights: none
shape: [{size}, {size}, 3]
batch: {batch}
folds_count: 5
metrics: [accuracy]
primary_metric: {chosen_by}
loss: categorical_crossentropy
optimizer: {{SGD: {{momentum: 0.9, weight_decay: 1e-4}}}}
profile: {profile}
{augmentation}stages:
"""
_AUGMENTATION = """\
augmentation:
  - Fliplr: {p: 0.5}
  - RandomResizedCrop: {scale: [0.8, 1.0], ratio: [1.0, 1.0]}
"""
_STAGE = "  - {{epochs: {epochs}, lr: {lr:g}, {freeze}: true{more}}}\n"


def config_text(work: Workload, more: Mapping[str, Any] | None = None) -> str:
    """Write a workload as a config.

    Args:
        work: What to train.
        more: Further keys of the experiment.
    """
    text = _CONFIG.format(
        images=json.dumps(str(work.pictures.images)),
        architecture=work.architecture,
        size=work.size,
        chosen_by=work.chosen_by,
        batch=work.batch,
        profile="exact" if work.precision == "fp32" else "fast",
        augmentation=_AUGMENTATION if work.augmented else "",
    )
    own = work.weights.with_suffix(".fivefold.safetensors")
    begin = f", initial_weights: {json.dumps(str(own))}"
    stages = [
        (work.epochs_frozen, work.lr_frozen, "freeze_encoder"),
        (work.epochs_full, work.lr_full, "unfreeze_encoder"),
    ]
    for epochs, lr, freeze in stages:
        if epochs:
            text += _STAGE.format(epochs=epochs, lr=lr, freeze=freeze, more=begin)
            begin = ""
    return text + "".join(f"{key}: {json.dumps(value)}\n" for key, value in (more or {}).items())


def fit(work: Workload, folds: int = FOLDS) -> Sample:
    """Train a workload in a fresh process, with a cache that is empty before.

    Args:
        work: What to train; all five folds.
        folds: How many of them the accuracy is of: those that the peers run.

    Raises:
        FailedError: If it fails, or trained on other folds than the peers.
    """
    folder = Path(tempfile.mkdtemp(prefix="fivefold-ours-"))
    try:
        experiment = folder / "experiment"
        experiment.mkdir()
        (experiment / "config.yaml").write_text(config_text(work), "utf-8")
        environment = {"FIVEFOLD_CACHE": str(folder / "cache")}
        command = [*COMMAND, "fit", str(experiment)]
        sample = run_process(command, folder / "log.txt", environment)
        return _with_accuracy(sample, experiment, work.pictures.fold_of, folds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def accuracy_of(table: Path, fold_of: Mapping[str, int], folds: int = FOLDS) -> float:
    """Read the share of right answers from `oof.csv`, and hold its folds against everybody's.

    Args:
        table: The file.
        fold_of: Each picture's fold.
        folds: How many folds count.

    Raises:
        FailedError: If a picture was in another fold.
    """
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    apart = [row["id"] for row in rows if fold_of[row["id"]] != int(row["fold"])]
    if apart or len(rows) != len(fold_of):
        msg = f"folds: expected those of folds.csv, got others for {len(apart)} pictures"
        raise FailedError(msg)
    return fmean(row["label"] == row["truth"] for row in rows if int(row["fold"]) < folds)


def _with_accuracy(
    sample: Sample, experiment: Path, fold_of: Mapping[str, int], folds: int
) -> Sample:
    accuracy = accuracy_of(experiment / "predictions" / "oof.csv", fold_of, folds)
    manifest = json.loads((experiment / "manifest.json").read_text("utf-8"))
    choices = {k: v for k, v in manifest["choices"].items() if isinstance(v, int | float)}
    return Sample(
        seconds=sample.seconds,
        accuracy=accuracy,
        cpu_seconds=sample.cpu_seconds,
        others=sample.others,
        load=sample.load,
        more=choices,
    )
