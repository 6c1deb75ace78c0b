"""From an experiment and its data to what is to be done."""

from collections.abc import Sequence

from fivefold import build
from fivefold.config import ExperimentConfig
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.engine.pace import Pace
from fivefold.engine.resident import Resident
from fivefold.experiment.choices import Training, settle_choices
from fivefold.experiment.datasets import Prepared, with_larger
from fivefold.experiment.frozen import feature_files
from fivefold.experiment.loading import settle_monitors
from fivefold.experiment.plan import left_epochs, make_plan
from fivefold.experiment.remarks import say_of_one_true_class, say_without_result
from fivefold.experiment.reuse import open_reuse
from fivefold.experiment.work import Work


def make_work(
    config: ExperimentConfig,
    folder: RunFolder,
    prepared: Prepared,
    folds: Sequence[int],
    *,
    progress: Progress,
    reuse: bool = True,
    until: float | None = None,
) -> Work:
    """Settle all that is open in a config once its data are known.

    Args:
        config: Checked.
        folder: Where everything is written; what is done there already is not done again.
        prepared: The data.
        folds: Which of them.
        progress: Who watches.
        reuse: Whether to take stages that another experiment has trained alike from there.
        until: When no other epoch begins, by `time.monotonic`.

    Raises:
        ConfigError: If the config does not fit the data's labels.
        FivefoldError: Of settling how to compute; see `settle_choices`.
    """
    heads = build.build_heads(config, prepared.table.labels, prepared.table.masks)
    weighted = prepared.table.weights is not None
    build.check_heads(config, config.resolve(), heads, weighted=weighted)
    build.check_sampling(config, config.resolve(), prepared.table.labels)
    stages = settle_monitors(config, config.resolve(), heads)
    say_of_one_true_class(config, stages, heads)
    say_without_result(config, stages[-1], heads, held_out=bool(prepared.splits.holdout_ids))
    plans = make_plan(folder, folds, len(stages))
    spec = build.build_spec(config, heads)
    training = Training(spec, stages, prepared.splits.num_folds, config)
    choices = settle_choices(folder, training, progress)
    images = with_larger(prepared, config, progress)
    return Work(
        folder=folder,
        stages=stages,
        spec=spec,
        weights=config.weights,
        seed=config.seed,
        directory=config.directory,
        config=config.as_mapping(),
        table=prepared.table,
        images=images,
        splits=prepared.splits,
        positives=prepared.positives,
        resident=Resident(images, stages[0], config.num_workers, progress),
        plans=plans,
        keep_maps=config.keep_maps,
        threads=config.num_workers,
        choices=choices,
        features=feature_files(config, spec, choices),
        reuse=open_reuse(config, choices, wanted=reuse),
        pace=Pace(
            left_epochs(plans, [stage.epochs for stage in stages]),
            frozen=[stage.index for stage in stages if build.sees_features(stage)],
            until=until,
        ),
        progress=progress,
    )
