"""`decisions.json`: what becomes of predictions, chosen on samples that the models have not seen.

It is derived from the out-of-fold predictions and three keys of the config, so it can be made again
whenever these say something else; nothing is trained for it.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from fivefold.config import ExperimentConfig
from fivefold.core.durable import file_sha256
from fivefold.core.errors import StateError
from fivefold.core.found import join_found, load_found
from fivefold.core.layout import RunFolder
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Progress, Silent
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import AnyArray, Head
from fivefold.evaluation.calibration import log_losses, odd_temperature
from fivefold.evaluation.mask_search import MaskCut, Searched, given, search
from fivefold.evaluation.prediction_sets import choose_levels
from fivefold.evaluation.temperature import fit_temperature, with_temperature
from fivefold.evaluation.thresholds import choose_thresholds
from fivefold.experiment.stored_maps import maps_of_folds

logger = logging.getLogger(__name__)

_FORMAT = 1

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Wishes:
    """What a config wants to be decided.

    Attributes:
        temperature: Whether probabilities are scaled.
        thresholds: What thresholds are for.
        coverage: How often the true class is to be in a prediction set, 0-1.
        smallest_area: Connected parts of masks with fewer pixels are left out; `auto` chooses how
            many.
        counted_at: Height and width of the maps in which these pixels are counted; None of what
            makes no masks.
    """

    temperature: bool = False
    thresholds: ThresholdAim = field(default_factory=ThresholdAim)
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    smallest_area: Annotated[int, Field(ge=0)] | Literal["auto"] = 0
    counted_at: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None

    @classmethod
    def by(cls, config: ExperimentConfig) -> "Wishes":
        """Read them from a config."""
        aim = ThresholdAim.of(config.thresholds)
        is_scaled, size = config.calibration == "temperature", config.shape[:2]
        if not config.makes_masks:
            return cls(is_scaled, aim, config.coverage)
        return cls(is_scaled, aim, config.coverage, config.smallest_area, size)

    @property
    def searches(self) -> bool:
        """Whether something is chosen on maps of masks."""
        return self.thresholds.kind != "fixed" or self.smallest_area == "auto"

    @property
    def changes_nothing(self) -> bool:
        """Whether predictions stay as the models say them."""
        is_usual = self.thresholds == ThresholdAim() and self.smallest_area == 0
        return is_usual and not self.temperature


@dataclass(frozen=True)
class HeadDecision:
    """What becomes of one head's predictions.

    Attributes:
        head: Whose.
        temperature: Its logits are divided by it; 1 leaves them.
        thresholds: A class is answered above its own; empty where the highest probability answers.
        levels: A class is in a prediction set from its own on; one for all of a softmax head, and
            none of masks.
        areas: Of masks the fewest pixels of a connected part, for each class; empty keeps all.
    """

    head: Head
    temperature: Annotated[float, Field(gt=0, le=1000)]
    thresholds: tuple[Share, ...]
    levels: tuple[Share, ...]
    areas: tuple[Annotated[int, Field(ge=0)], ...] = ()


@dataclass(frozen=True)
class Decisions:
    """What becomes of an experiment's predictions.

    Attributes:
        wishes: What was asked for.
        heads: What was found, head by head.
        stage: Whose predictions it was chosen on.
        folds: The same.
        samples: How many predictions these were.
        predictions: SHA-256 over the files of these predictions.
        remarks: What could not be had, or is odd, a sentence each.
        without: Of masks what is chosen without each of these folds, to measure it there; empty
            where nothing is searched for.
    """

    wishes: Wishes
    heads: Annotated[tuple[HeadDecision, ...], Field(min_length=1)]
    stage: Annotated[int, Field(ge=0)]
    folds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    samples: Annotated[int, Field(ge=1)]
    predictions: str
    remarks: tuple[str, ...] = ()
    without: tuple[MaskCut, ...] = ()


def decide(
    predictions: Predictions, wishes: Wishes, folds: AnyArray | None = None
) -> tuple[list[HeadDecision], list[str]]:
    """Choose what becomes of predictions, and say what could not be had.

    Args:
        predictions: Out-of-fold, with targets.
        wishes: What is asked for.
        folds: Of each sample [N]; then a temperature is only taken if, chosen without each fold,
            it lowers the log loss. None takes it unchecked.

    Raises:
        DataError: If there are no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    found, remarks = [], list[str]()
    for part in predictions.by_head():
        head = part.heads[0]
        temperature, odd = _temperature(part, folds) if wishes.temperature else (1.0, "")
        probs = with_temperature(part.probs, head.activation, temperature)
        scaled = replace(part, probs=probs)
        chosen = choose_thresholds(scaled, wishes.thresholds)
        levels = choose_levels(scaled, wishes.coverage)
        found.append(HeadDecision(head, temperature, chosen.thresholds, levels.levels))
        told = [f"calibration: {odd}"] if odd else []
        told += [f"thresholds: {text}" for text in chosen.remarks]
        told += [f"prediction sets: {text}" for text in levels.remarks]
        remarks += [f"{head.name}: {text}" if head.name else text for text in told]
    return found, remarks


def _temperature(predictions: Predictions, folds: AnyArray | None) -> tuple[float, str]:
    if predictions.heads[0].activation == "linear":
        return 1.0, "a linear output says no probabilities: it stays as it is"
    temperature = fit_temperature(predictions)
    odd = odd_temperature(predictions, temperature)
    if folds is None or temperature == 1:
        return temperature, odd
    if len(np.unique(folds)) < 2:
        return temperature, odd or "one fold alone cannot tell whether a temperature helps"
    before, after = log_losses(predictions, folds, temperature)
    if after < before:
        return temperature, odd
    return 1.0, (
        f"a temperature of {temperature:.3g} is not applied: chosen without each fold, it does not "
        f"lower the log loss ({before:.4f} to {after:.4f})"
    )


def make_decisions(
    folder: RunFolder,
    folds: Sequence[int],
    stage: int,
    wishes: Wishes,
    progress: Progress | None = None,
) -> Decisions:
    """Choose what becomes of an experiment's predictions; writes nothing.

    Args:
        folder: The experiment.
        folds: Whose validation predictions it is chosen on; these must be finished.
        stage: The same, counted from 0.
        wishes: What is asked for.
        progress: Who watches; the search in maps takes seconds.

    Raises:
        StateError: If predictions, or maps that are needed, are missing or damaged.
    """
    parts = [load_found(folder.predictions("validation", fold, stage)) for fold in folds]
    joined = join_found(parts)
    if isinstance(joined, MaskScores):
        chosen = decide_masks(folder, folds, stage, wishes, progress or Silent())
        cut, without = chosen.cut, chosen.without
        remarks = [f"thresholds: {text}" for text in chosen.remarks]
        heads = [HeadDecision(joined.heads[0], 1.0, cut.thresholds, (), cut.areas)]
    else:
        own = np.repeat(np.asarray(folds), [len(part) for part in parts])
        without = ()
        heads, remarks = decide(joined, wishes, own)
    return Decisions(
        wishes=wishes,
        heads=tuple(heads),
        stage=stage,
        folds=tuple(folds),
        samples=len(joined),
        predictions=_digest(folder, folds, stage),
        remarks=tuple(remarks),
        without=without,
    )


def decide_masks(
    folder: RunFolder, folds: Sequence[int], stage: int, wishes: Wishes, progress: Progress
) -> Searched:
    """Choose thresholds and smallest parts of masks; maps are only read where it needs them.

    Raises:
        DataError: If there is nothing to choose on.
        StateError: If maps are missing or damaged.
    """
    area = wishes.smallest_area
    if wishes.thresholds.kind == "fixed" and area != "auto":
        found = load_found(folder.predictions("validation", folds[0], stage))
        return given(found.heads[0], wishes.thresholds, area)
    maps = maps_of_folds(folder, folds, stage)
    return search(maps, wishes.thresholds, wishes.smallest_area, progress)


def write_decisions(folder: RunFolder, decisions: Decisions) -> None:
    """Write `decisions.json` durably; the same decisions give the same bytes."""
    write_sealed(folder.decisions_path, asdict(decisions), version=_FORMAT)


def read_decisions(folder: RunFolder) -> Decisions:
    """Read what `write_decisions` wrote.

    Raises:
        StateError: If it is missing, was changed, or was made on other predictions than are there.
    """
    found = _read(folder)
    if _is_foreign(folder, found):
        msg = (
            f"{folder.decisions_path}: expected what was chosen on this experiment's out-of-fold "
            "predictions, got what was chosen on others"
        )
        raise StateError(msg, hint=_way_out(folder), slug="state/decisions")
    return found


def conclude_decisions(
    folder: RunFolder,
    folds: Sequence[int],
    stage: int,
    wishes: Wishes,
    progress: Progress | None = None,
) -> Decisions:
    """Choose what becomes of the predictions of a finished experiment, say it and write it."""
    decisions = make_decisions(folder, folds, stage, wishes, progress)
    write_decisions(folder, decisions)
    for remark in decisions.remarks:
        logger.warning(remark)
    return decisions


def renew_decisions(
    folder: RunFolder,
    config: ExperimentConfig,
    folds: Sequence[int],
    progress: Progress | None = None,
) -> bool:
    """Bring the decisions of a finished experiment to what its config asks for now.

    Args:
        folder: Finished; if it never had decisions, it gets them.
        config: As it is now.
        folds: Of the experiment.
        progress: Who watches.

    Returns:
        Whether they were made again; then a line says so.

    Raises:
        StateError: If they, or the predictions, are damaged.
    """
    wishes, reason = Wishes.by(config), "there were none"
    if folder.decisions_path.exists():
        found = _read(folder)
        is_foreign = found.folds != tuple(folds) or _is_foreign(folder, found)
        if found.wishes == wishes and not is_foreign:
            return False
        reason = "predictions are others" if is_foreign else "the config asks for others"
    conclude_decisions(folder, folds, len(config.stages) - 1, wishes, progress)
    logger.info("%s: made, since %s; nothing is trained", folder.decisions_path, reason)
    return True


def decisions_for(
    folder: RunFolder,
    folds: Sequence[int],
    stage: int,
    wishes: Wishes,
    progress: Progress | None = None,
) -> Decisions:
    """Read the decisions, or make them where others are asked for than are stored.

    Args:
        folder: The experiment.
        folds: That are finished.
        stage: Whose weights predict, counted from 0.
        wishes: What is asked for.
        progress: Who watches.

    Raises:
        StateError: If they are damaged, or predictions that are needed are missing.
    """
    if folder.decisions_path.exists():
        stored = read_decisions(folder)
        if (stored.wishes, stored.stage) == (wishes, stage):
            return stored
    return make_decisions(folder, folds, stage, wishes, progress)


def _read(folder: RunFolder) -> Decisions:
    return read_sealed(folder.decisions_path, Decisions, version=_FORMAT, hint=_way_out(folder))


def _way_out(folder: RunFolder) -> str:
    return f"delete it; `fivefold fit {folder.argument}` then makes it again and trains nothing"


def _is_foreign(folder: RunFolder, found: Decisions) -> bool:
    """Compare with the predictions, which may have been deleted: weights do not need them."""
    paths = [folder.predictions("validation", fold, found.stage) for fold in found.folds]
    there = [path for path in paths if path.exists()]
    if len(there) < len(paths):
        heads = tuple(one.head for one in found.heads)
        return any(load_found(path).heads != heads for path in there)
    return _digest(folder, found.folds, found.stage) != found.predictions


def _digest(folder: RunFolder, folds: Sequence[int], stage: int) -> str:
    paths = [folder.predictions("validation", fold, stage) for fold in folds]
    lines = [f"{path.name} {file_sha256(path)}\n" for path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
