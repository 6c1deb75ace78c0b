"""Eight learning rates of the head on a frozen backbone, five folds each."""

import math
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import ours
from benchmarks.arms import Arm, Sample, interleave, run_process
from benchmarks.data import FOLDS, standard_set
from benchmarks.folds import Peer, run_folds
from benchmarks.rows.whole_experiment import limit_seconds, told
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row, best_peer
from benchmarks.weights import initial_weights
from benchmarks.workload import Workload

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SCRIPT_RATE = 3
"""Which of them the scripts run."""
_REGULARISATION = "scikit-learn LogisticRegression"
_EPOCHS = 20
"""In which the heads learn as much as scikit-learn's; in the scripts' 5 no rate gets there."""


def measure(settings: Settings) -> list[Row]:
    """Measure against scripts that run the backbone in every epoch, and against scikit-learn."""
    pictures = standard_set(settings.folder, settings.count)
    weights = initial_weights(settings.folder, "resnet18")
    work = Workload(
        pictures,
        weights,
        size=64 if settings.smoke else 128,
        epochs_frozen=5,
        epochs_full=0,
        augmented=False,
    )
    settings.say(f"frozen sweep: {len(RATES)} learning rates; {work.describe()}")
    # Forty equal processes: one rate's first folds are run, and their time is multiplied.
    folds = min(settings.peer_folds, 1 if settings.smoke else 2)
    own = Arm("fivefold", lambda _: _ours(work, folds))
    # The loss has to choose the epoch: the best of twenty accuracies would be too good.
    long = replace(work, epochs_frozen=_EPOCHS, chosen_by="val_loss")
    learned = Arm(f"fivefold, {_EPOCHS} epochs", lambda _: _ours(long, folds))
    strong = Arm(_REGULARISATION, lambda _: _scikit_learn(work))
    names = [name for name in settings.peers if name != "ultralytics"]  # its head is another
    scripts = [
        Arm(peer.title, lambda _, peer=peer: _script(settings, work, peer))  # type: ignore[misc]  # bound at once
        for peer in (Peer(n, True, folds) for n in (names[-1:] if settings.smoke else names))
    ]
    arms = [own, learned, strong, *scripts]
    interleave(arms, settings.repetitions, retries=settings.retries, say=settings.say)
    scale = f"scripts ran 1 of {len(RATES)} rates and {folds} of 5 folds; times are scaled"
    rows = [
        _row(settings, work, _at_script_rate(own), scripts, Goal("ratio", "most", 0.02), folds),
        _row(settings, long, learned, [strong], Goal("ratio", "most", 1.0), FOLDS),
    ]
    return [replace(row, notes=(*row.notes, scale)) for row in rows]


def _at_script_rate(own: Arm) -> Arm:
    """Give our arm with the accuracy of what the scripts run, not of the best rate."""
    samples = [replace(s, accuracy=s.more["accuracy at the scripts' rate"]) for s in own.samples]
    return replace(own, samples=samples)


def _row(
    settings: Settings, work: Workload, own: Arm, peers: list[Arm], goal: Goal, folds: int
) -> Row:
    measured = {arm.name: (arm.seconds, arm.accuracy) for arm in peers if arm.samples}
    count = len(work.pictures.fold_of) * folds // FOLDS
    name, void = best_peer(own.accuracy if own.samples else math.nan, measured, count)
    against = "scikit-learn" if peers[0].name == _REGULARISATION else "scripts"
    return Row(
        metric=f"frozen stage, 8 rates × 5 folds, against {against}",
        unit="s",
        goal=goal,
        ours=own.seconds if own.samples else math.nan,
        peer=measured[name][0] if name else math.nan,
        peer_name=name,
        limit=limit_seconds(settings, work),
        void=own.failure or void,
        notes=(work.describe(), *told(settings, [own, *peers])),
        raw=[arm.as_json() for arm in (own, *peers)],
    )


def _script(settings: Settings, work: Workload, peer: Peer) -> Sample:
    """Run one rate; its time stands for all."""
    one = replace(work, lr_frozen=RATES[SCRIPT_RATE])
    sample = run_folds(peer, one, settings.environments)
    return replace(sample, seconds=sample.seconds * len(RATES))


def _ours(work: Workload, folds: int) -> Sample:
    folder = Path(tempfile.mkdtemp(prefix="fivefold-sweep-"))
    try:
        for number, rate in enumerate(RATES):
            one = folder / f"rate-{number}"
            one.mkdir()
            text = ours.config_text(replace(work, lr_frozen=rate), {"frozen_views": 0})
            (one / "config.yaml").write_text(text, "utf-8")
        command = [sys.executable, "-m", "benchmarks.sweep", str(folder), str(len(RATES))]
        environment = {"FIVEFOLD_CACHE": str(folder / "cache")}
        sample = run_process(command, folder / "log.txt", environment)
        fold_of = work.pictures.fold_of
        tables = [folder / f"rate-{k}" / "predictions" / "oof.csv" for k in range(len(RATES))]
        best = max(ours.accuracy_of(table, fold_of) for table in tables)
        like_scripts = ours.accuracy_of(tables[SCRIPT_RATE], fold_of, folds)
        return replace(sample, accuracy=best, more={"accuracy at the scripts' rate": like_scripts})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _scikit_learn(work: Workload) -> Sample:
    folder = Path(tempfile.mkdtemp(prefix="fivefold-sklearn-"))
    try:
        command = [sys.executable, "-m", "benchmarks.peers.sklearn_heads", str(work.pictures.root)]
        command += ["--weights", str(work.weights), "--out", str(folder)]
        command += ["--model", work.architecture, "--size", str(work.size)]
        sample = run_process(command, folder / "log.txt")
        accuracy = float((folder / "accuracy.txt").read_text("utf-8"))
        return replace(sample, accuracy=accuracy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
