"""Where everything lies in an experiment folder; Musket's names are kept."""

import re
from dataclasses import dataclass
from pathlib import Path

CONFIG_NAME = "config.yaml"
OWN_FOLDERS = frozenset(
    {
        "data",
        "examples",
        "explanations",
        "logs",
        "metrics",
        "pictures",
        "predictions",
        "state",
        "weights",
    }
)
"""What a run writes below its root; a user's images may not lie in one of them."""

_OWN_FILES = frozenset({"decisions.json", "manifest.json", "report.html", "summary.yaml"})
_TEMPORARY = re.compile(r"\.tmp-\d+-(?:[0-9a-f]{16}-)?(?P<name>.+)", re.DOTALL)


def encoder_name(sha256: str) -> str:
    """Name the file of a frozen backbone by the hash of its bytes."""
    return f"encoder-{sha256[:16]}.safetensors"


@dataclass(frozen=True)
class RunFolder:
    """Every path of one experiment.

    Attributes:
        root: The folder that holds the config.
        config_path: The user's YAML; never written.
    """

    root: Path
    config_path: Path

    @classmethod
    def of(cls, experiment: Path) -> "RunFolder":
        """Read an EXPERIMENT argument: a folder with a `config.yaml`, or a YAML file."""
        if experiment.is_dir():
            return cls(experiment, experiment / CONFIG_NAME)
        return cls(experiment.parent, experiment)

    @property
    def argument(self) -> Path:
        """What stands for the experiment on a command line."""
        return self.root if self.config_path.name == CONFIG_NAME else self.config_path

    def holds(self, path: Path) -> bool:
        """Say whether a path is in one of the folders that a run writes."""
        resolved, root = path.resolve(), self.root.resolve()
        inside = resolved.is_relative_to(root) and resolved != root
        return inside and resolved.relative_to(root).parts[0] in OWN_FOLDERS

    def mixes_with(self, images_dir: Path, *, listed: bool) -> bool:
        """Say whether the run's own files would mix with a user's images.

        Args:
            images_dir: Where the images are.
            listed: Whether all that lies below it is taken, rather than what a table names; then
                the run may not lie in it either.
        """
        around = listed and self.root.resolve().is_relative_to(images_dir.resolve())
        return around or self.holds(images_dir)

    def leftovers(self) -> list[Path]:
        """Find the temporary files of a killed run, and nothing that could be a user's."""
        own = [path for name in OWN_FOLDERS for path in (self.root / name).rglob(".tmp-*")]
        beside = [path for path in self.root.glob(".tmp-*") if self._is_own(path)]
        return [p for p in (*own, *beside) if _TEMPORARY.fullmatch(p.name) and p.is_file()]

    def _is_own(self, path: Path) -> bool:
        match = _TEMPORARY.fullmatch(path.name)
        return match is not None and match["name"] in _OWN_FILES

    def weights(self, fold: int, stage: int) -> Path:
        """The best weights of a stage."""
        return self.root / "weights" / f"best-{fold}.{stage}.safetensors"

    def encoder(self, sha256: str) -> Path:
        """A frozen backbone, once for all heads that were trained on it; named by its content."""
        return self.root / "weights" / encoder_name(sha256)

    def bundle(self, fold: int, stage: int) -> Path:
        """What describes those weights; it exists once the stage is finished."""
        return self.root / "weights" / f"best-{fold}.{stage}.json"

    def metrics(self, fold: int, stage: int) -> Path:
        """One row of metrics an epoch."""
        return self.root / "metrics" / f"metrics-{fold}.{stage}.csv"

    def examples(self, fold: int, stage: int) -> Path:
        """Pictures of validation samples; Musket puts the stage first."""
        return self.root / "examples" / str(stage) / str(fold)

    def example(self, fold: int, stage: int, epoch: int) -> Path:
        """Validation samples as they were predicted after an epoch."""
        return self.examples(fold, stage) / f"epoch-{epoch:06d}.png"

    def predictions(self, subset: str, fold: int, stage: int) -> Path:
        """Predictions of one fold's model; subset is "validation" or "holdout"."""
        return self.root / "predictions" / f"{subset}-{fold}.{stage}.npz"

    def maps(self, subset: str, fold: int, stage: int) -> Path:
        """The probability of each class at each pixel, where masks are predicted."""
        return self.root / "predictions" / f"{subset}-{fold}.{stage}.maps"

    def ensemble_scores(self, stage: int) -> Path:
        """What masks of the holdout by all folds' models together have in common with the truth."""
        return self.root / "predictions" / f"holdout.{stage}.npz"

    def ensemble_maps(self, stage: int) -> Path:
        """The mean of what all folds' models say of the pixels of the holdout."""
        return self.root / "predictions" / f"holdout.{stage}.maps"

    def state(self, fold: int) -> Path:
        """Commits of a running fold; removed when the fold is done."""
        return self.root / "state" / str(fold)

    def results(self, fold: int, stage: int) -> tuple[Path, ...]:
        """All that a finished stage has and a later one or an analysis needs."""
        predictions = self.predictions("validation", fold, stage)
        return (self.weights(fold, stage), self.bundle(fold, stage), predictions)

    @property
    def oof_path(self) -> Path:
        """Every sample's prediction by the model that has not seen it."""
        return self.root / "predictions" / "oof.csv"

    @property
    def holdout_path(self) -> Path:
        """Every held out sample's prediction by all folds' models together."""
        return self.root / "predictions" / "holdout.csv"

    @property
    def explanations_path(self) -> Path:
        """What the small overlays in its folder show: where models looked when they were wrong."""
        return self.root / "explanations" / "explanations.json"

    @property
    def audit_path(self) -> Path:
        """What the audit found of each sample."""
        return self.root / "data" / "audit.json"

    @property
    def quarantine_path(self) -> Path:
        """Samples that cannot be used, each with its reason."""
        return self.root / "data" / "quarantine.jsonl"

    @property
    def folds_path(self) -> Path:
        """Sample id to fold, with the data's fingerprint."""
        return self.root / "data" / "folds.json"

    @property
    def split_report_path(self) -> Path:
        """What the folds keep together, and how even they are."""
        return self.root / "data" / "splits.json"

    @property
    def manifest_path(self) -> Path:
        """Versions, hardware, seeds, automatic choices, warnings."""
        return self.root / "manifest.json"

    @property
    def summary_path(self) -> Path:
        """Metrics over folds; its presence means finished."""
        return self.root / "summary.yaml"

    @property
    def decisions_path(self) -> Path:
        """Temperature, thresholds and levels of prediction sets, for whoever predicts."""
        return self.root / "decisions.json"

    @property
    def report_path(self) -> Path:
        """The page for people."""
        return self.root / "report.html"

    @property
    def mlflow_path(self) -> Path:
        """What tells this experiment's runs on an MLflow server from all others."""
        return self.root / "logs" / "mlflow.json"

    @property
    def lock_path(self) -> Path:
        """Held by the process that works in this folder."""
        return self.root / ".lock"
