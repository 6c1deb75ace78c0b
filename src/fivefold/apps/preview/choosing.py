"""Which samples a preview may show: those that fold 0 is trained on."""

from dataclasses import dataclass

import numpy as np

from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.data import Source
from fivefold.data.chosen import ChosenSource
from fivefold.experiment.datasets import prepare
from fivefold.experiment.negatives import rows_of_fold


@dataclass(frozen=True)
class TrainingSamples:
    """What fold 0 is trained on in a stage.

    Attributes:
        source: Reads these samples alone.
        left_out: How many others there are, by why they are not among them; without zeros.
    """

    source: Source
    left_out: dict[str, int]


def training_samples(
    config: ExperimentConfig,
    source: Source,
    stage: ResolvedStage,
    folder: RunFolder,
    progress: Progress,
) -> TrainingSamples:
    """Find what fold 0 is trained on, as `fit` does; the folder stays as it is.

    Files that an earlier run has read and that have not changed since are not read again.

    Args:
        config: Checked.
        source: The data that it names.
        stage: One that leaves negative samples out has others than the next.
        folder: The experiment.
        progress: Who watches.

    Raises:
        DataError: If the data cannot be trained on.
        StateError: If they have changed since training began.
    """
    prepared = prepare(source, config, folder, progress)
    table, splits = prepared.table, prepared.splits
    rows = rows_of_fold(splits, table, prepared.positives, stage, seed=config.seed, fold=0)
    validated = len(rows.val) + len(rows.left_out)
    held_out = len(splits.holdout_ids)
    left_out = {
        "validate fold 0": validated,
        "are held out": held_out,
        "are negatives that the stage leaves out": (
            len(table) - len(rows.train) - validated - held_out
        ),
        "cannot be used": prepared.audit.quarantined,
    }
    positions = np.sort(table.indices[rows.train])
    return TrainingSamples(
        ChosenSource(source, positions), {why: count for why, count in left_out.items() if count}
    )
