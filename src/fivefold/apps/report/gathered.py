"""What a run folder holds, as far as it could be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from ruamel.yaml.error import YAMLError

from fivefold.core.durable import read_json
from fivefold.core.errors import FivefoldError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.experiment.explanations import Overlays

T = TypeVar("T")
Place: TypeAlias = tuple[int, int]
"""Fold and stage."""
Histories: TypeAlias = Mapping[Place, list[dict[str, float]]]
Spread: TypeAlias = Mapping[str, float]
"""Mean, std, min and max over folds."""


@dataclass
class Gathered:
    """What there is to report.

    Attributes:
        name: What the experiment is called.
        root: The run folder.
        completed: Whether every fold and stage is finished.
        folds: The finished folds: the summary says so, or the last stage's predictions exist.
        missing: The folds that are not finished.
        primary_metric: The metric that decides; empty when nothing says it.
        stages: Metric to its spread over folds, one mapping a stage.
        so_far: Whether these are each fold's last epochs, for want of a summary of the best.
        oof: Metric to its value on all out-of-fold predictions.
        holdout: The same on the holdout; empty without one.
        reused: Experiment to the stages that were taken from it, each "<fold>.<stage>".
        histories: Metrics of each epoch.
        predictions: Out-of-fold predictions of the last stage.
        folds_of_samples: Of these predictions, or masks, the fold of each [N].
        groups: What each of these samples belongs to [N]; none where samples stand alone.
        held_out: Predictions of the holdout by all these folds' models together.
        held_out_groups: What each of its samples belongs to.
        masks: Of masks in the place of predictions: how they agree with the truth, image by image.
        held_out_masks: The same of the holdout.
        maps: Of masks the file with each fold's probabilities of pixels, as far as it is there.
        overlays: Where models looked when they were wrong.
        fold_sizes: Validation samples of each fold.
        decisions: What `predict` makes of predictions, a label and a text each.
        split: How even the folds are and what they keep together, in a line.
        audit: What the audit counted.
        manifest: Versions, hardware, choices.
        config_text: The config as the user wrote it.
        shared_text: The `common.yaml` of its project, which it takes further keys from.
        examples: Fold to the pictures of its last stage.
        notes: What is missing or could not be read.
    """

    name: str
    root: Path
    completed: bool = False
    folds: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    primary_metric: str = ""
    stages: tuple[Mapping[str, Spread], ...] = ()
    so_far: bool = False
    oof: Mapping[str, float] = field(default_factory=dict)
    holdout: Mapping[str, float] = field(default_factory=dict)
    reused: Mapping[str, list[str]] = field(default_factory=dict)
    histories: Histories = field(default_factory=dict)
    predictions: Predictions | None = None
    folds_of_samples: tuple[int, ...] = ()
    groups: Sequence[str] | None = None
    held_out: Predictions | None = None
    held_out_groups: Sequence[str] | None = None
    masks: MaskScores | None = None
    held_out_masks: MaskScores | None = None
    maps: Mapping[int, Path] = field(default_factory=dict)
    overlays: Overlays | None = None
    fold_sizes: Mapping[int, int] = field(default_factory=dict)
    decisions: Sequence[tuple[str, str]] = ()
    split: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    config_text: str = ""
    shared_text: str = ""
    examples: Mapping[int, list[Path]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def attempt(self, what: str, read: Callable[[], T], otherwise: T) -> T:
        """Read something, or note why not."""
        try:
            return read()
        except (FivefoldError, OSError, ValueError, TypeError, KeyError, YAMLError) as error:
            note = f"{what} could not be read: {str(error).partition(chr(10))[0]}"
            if note not in self.notes:
                self.notes.append(note)
            return otherwise

    def mapping(self, what: str, path: Path) -> Mapping[str, Any]:
        """Read a JSON object, or note why not."""
        if not path.exists():
            self.notes.append(f"{what} is not there yet ({path.name})")
            return {}
        return self.attempt(what, lambda: read_json(path), {})
