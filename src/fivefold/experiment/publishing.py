"""What a run has found over all folds, handed to callbacks that keep it elsewhere too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fivefold.config import ExperimentConfig
from fivefold.core.layout import RunFolder
from fivefold.engine.callbacks import RunResults, build_callbacks
from fivefold.experiment.summary import Summary


def publish_summary(config: ExperimentConfig, folder: RunFolder, summary: Summary) -> None:
    """Hand over the numbers and tables of an experiment whose folds are all finished.

    Args:
        config: Of the experiment.
        folder: Where it lies.
        summary: What was found; nothing is done if folds are left.
    """
    if not summary.completed:
        return
    files = (folder.config_path, folder.summary_path, folder.oof_path)
    last = len(summary.stages) - 1
    weights = [
        *sorted((folder.root / "weights").glob(f"best-*.{last}.*")),
        *sorted((folder.root / "weights").glob("encoder-*")),
    ]
    publish(config, folder, files, numbers=_numbers(summary), weights=weights)


def publish(
    config: ExperimentConfig,
    folder: RunFolder,
    files: Sequence[Path],
    *,
    numbers: Mapping[str, float] | None = None,
    weights: Sequence[Path] = (),
) -> None:
    """Hand over files about all folds to the callbacks of all stages, each callback once."""
    results = RunResults(folder.root, config.as_mapping(), numbers or {}, tuple(files), weights)
    steps = {repr(step): step for stage in config.resolve() for step in stage.callbacks}
    for callback in build_callbacks([*steps.values()]):
        callback.on_results(results)


def _numbers(summary: Summary) -> dict[str, float]:
    numbers = {
        f"{name}_{what}": spread[what]
        for name, spread in summary.stages[-1].items()
        for what in ("mean", "std")
    }
    numbers |= {f"oof_{name}": value for name, value in summary.oof.items()}
    return numbers | {f"holdout_{name}": value for name, value in summary.holdout.items()}
