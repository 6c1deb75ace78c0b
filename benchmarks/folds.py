"""The peers' side: a script for each fold, one process after the other, as users do."""

import csv
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from benchmarks.arms import FailedError, Sample, joined, read_events, run_process
from benchmarks.data import FOLDS
from benchmarks.environments import OWN, Environments
from benchmarks.workload import Workload

PEERS: Mapping[str, tuple[str, str]] = {
    "torchvision": ("benchmarks.peers.torchvision_loop", OWN),
    "timm": ("benchmarks.peers.timm_api", OWN),
    "fastai": ("benchmarks.peers.fastai_learner", "fastai"),
    "lightning": ("benchmarks.peers.lightning_trainer", "lightning"),
    "ultralytics": ("benchmarks.peers.ultralytics_cli", "ultralytics"),
}
"""Name to script and environment."""
OF_THE_PROJECT = ("torchvision", "timm")
"""Peers that need no environment of their own."""


@dataclass(frozen=True)
class Peer:
    """A tool in one configuration.

    Attributes:
        name: A key of `PEERS`.
        tuned: Whether everything is set that an expert would set.
        folds: How many folds are really run; the time of the others is taken to be the same.
    """

    name: str
    tuned: bool
    folds: int = FOLDS

    @property
    def title(self) -> str:
        """For the table."""
        return f"{self.name}, {'tuned' if self.tuned else 'default'}"


def run_folds(peer: Peer, work: Workload, environments: Environments) -> Sample:
    """Train a workload's folds with a peer, each in a fresh process.

    Returns:
        The time of all five folds, and the accuracy over those that were run.

    Raises:
        FailedError: If a fold fails or the peer's environment cannot be made.
    """
    try:
        python = environments.python(PEERS[peer.name][1])
    except RuntimeError as error:
        raise FailedError(str(error)) from error
    samples = [_run_fold(python, peer, work, fold) for fold in range(peer.folds)]
    return joined(samples, times=FOLDS / peer.folds)


def _run_fold(python: Path, peer: Peer, work: Workload, fold: int) -> Sample:
    out = Path(tempfile.mkdtemp(prefix=f"fivefold-{peer.name}-"))
    try:
        command = [str(python), "-m", PEERS[peer.name][0], *_arguments(peer, work, fold, out)]
        started = time.time()
        sample = run_process(command, out / "log.txt")
        events = read_events(out / "events.jsonl", started)
        return replace(sample, accuracy=_accuracy(out / "predictions.csv"), more=events)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _arguments(peer: Peer, work: Workload, fold: int, out: Path) -> list[str]:
    flags = {
        "--tuned": peer.tuned,
        "--half": peer.tuned and work.precision == "best",
        "--augmented": work.augmented,
    }
    values: dict[str, list[object]] = {
        "--data": [work.pictures.root / f"fold_{fold}"],
        "--weights": [work.weights],
        "--out": [out],
        "--model": [work.architecture],
        "--size": [work.size],
        "--batch": [work.batch],
        "--epochs": [work.epochs_frozen, work.epochs_full],
        "--rates": [work.lr_frozen, work.lr_full],
    }
    words = [str(word) for name, given in values.items() for word in (name, *given)]
    return words + [flag for flag, wanted in flags.items() if wanted]


def _accuracy(path: Path) -> float:
    with path.open(newline="", encoding="utf-8") as file:
        return fmean(row["predicted"] == row["true"] for row in csv.DictReader(file))
