"""`num_seeds`: one experiment several times, each time with other random numbers."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.config import ExperimentConfig, text_for
from fivefold.core.durable import write_text
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.progress import Progress
from fivefold.evaluation import spread
from fivefold.experiment.summary import Summary, read_summary, write_summary


def write_repeats(config: ExperimentConfig, folder: RunFolder) -> list[Path]:
    """Write the config of each repeat into a folder of its own, `0`, `1` and so on.

    The first has the seeds of the config, each further one all of them one higher: of training,
    of the folds and of the holdout.

    Args:
        config: With overrides; its `num_seeds` says how many.
        folder: Of the experiment.

    Returns:
        The folders.
    """
    places = []
    for k in range(config.num_seeds):
        place = folder.root / str(k)
        changes: dict[str, Any] = {
            name: (seed + k) % 2**32 for name, seed in _seeds(config).items()
        }
        whole = f"{folder.config_path.name} in the folder above"
        head = f"# seed {k + 1} of {config.num_seeds} of {whole}; made by fivefold\n"
        text = head + text_for(config, place, changes | {"num_seeds": None})
        path = place / CONFIG_NAME
        if not path.exists() or path.read_text("utf-8") != text:
            write_text(path, text)
        places.append(place)
    return places


def _seeds(config: ExperimentConfig) -> dict[str, int]:
    """Collect the seeds that have an effect."""
    seeds = {"seed": config.seed, "random_state": config.random_state}
    return seeds | ({"testSplitSeed": config.test_split_seed} if config.test_split else {})


def conclude_repeats(folder: RunFolder, places: Sequence[Path]) -> Summary | None:
    """Write the summary of all repeats: of each metric the mean and the spread over them.

    What is one number for a repeat, such as its mean over folds, is one of the numbers here.

    Returns:
        None where a repeat is not finished.
    """
    parts = [RunFolder.of(place) for place in places]
    found = [read_summary(part) for part in parts if part.summary_path.exists()]
    if len(found) < len(places) or not all(part.completed for part in found):
        return None
    first = found[0]
    summary = Summary(
        folds=first.folds,
        completed=True,
        primary_metric=first.primary_metric,
        stages=tuple(
            {name: spread([part.stages[k][name]["mean"] for part in found]) for name in stage}
            for k, stage in enumerate(first.stages)
        ),
        oof=_mean([part.oof for part in found]),
        holdout=_mean([part.holdout for part in found]),
        experiment_result=first.experiment_result,
        num_seeds=len(found),
        validated=first.validated,
    )
    write_summary(folder, summary)
    return summary


def fit_repeats(
    config: ExperimentConfig,
    folder: RunFolder,
    fit: Callable[[Path, float | None], Summary],
    progress: Progress,
    time_limit: float | None,
) -> Summary:
    """Train all repeats of an experiment; see `Experiment.fit`.

    Args:
        config: With overrides; its `num_seeds` says how many.
        folder: Of the experiment.
        fit: Trains the experiment of a folder, in so many seconds.
        progress: Who watches.
        time_limit: In seconds for all of them.

    Returns:
        What was found over all of them; where some are left, in the last that was trained.
    """
    started, places = time.monotonic(), write_repeats(config, folder)
    found: list[Summary] = []
    for number, place in enumerate(places, start=1):
        left = None if time_limit is None else time_limit - (time.monotonic() - started)
        if left is not None and left <= 0 and found:
            break
        progress.line(f"seed {number} of {len(places)}: {place}")
        found.append(fit(place, left))
        if found[-1].stopped:
            break
    return conclude_repeats(folder, places) or found[-1]


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: spread([part[name] for part in parts])["mean"] for name in parts[0]}
