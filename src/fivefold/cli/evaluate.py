"""The command that measures trained models."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_pairs, show_table, starting
from fivefold.cli.data import options
from fivefold.cli.data.check import check_new_folder
from fivefold.cli.data.reading_options import with_reading
from fivefold.cli.guard import guarded
from fivefold.cli.mask_prediction import Overlap, Tiles, share_of_tiles
from fivefold.core.digits import few_digits
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.config import ExperimentConfig
    from fivefold.core.layout import RunFolder
    from fivefold.evaluation.assessment import Assessment
    from fivefold.evaluation.mask_assessment import MaskAssessment
    from fivefold.experiment.decisions import Decisions
    from fivefold.experiment.named_data import Reading

    Assessments = Mapping[str, Assessment] | Mapping[str, MaskAssessment]

OUT_OF_FOLD, HOLDOUT = "out-of-fold", "holdout"


@guarded
@with_reading
def evaluate(  # noqa: PLR0913  one parameter for each option
    experiment: arguments.Experiment,
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DATA]",
            help="New samples with labels: a folder with one folder per class, a table, or a COCO "
            "file; of masks a folder with images and masks. Left out, what the models have not "
            "seen in training is measured.",
        ),
    ] = None,
    holdout: Annotated[
        bool, typer.Option("--holdout", help="The holdout alone, without DATA.")
    ] = False,
    stage: arguments.Stage = -1,
    by_fold: Annotated[
        bool,
        typer.Option("--by-fold", help="Only the config's metrics, a column for each fold."),
    ] = False,
    tta: Annotated[
        bool, typer.Option("--tta", help="With DATA: average over flipped copies too.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write metrics.json, per_class.csv and further tables and pictures there too.",
        ),
    ] = None,
    *,
    reading: "Reading",
    tiles: Tiles = False,
    overlap: Overlap = None,
    force: options.Force = False,
    as_json: arguments.AsJson = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Measure on samples that the models have not seen.

    Each number has a 95 % bootstrap interval and, out of fold, its standard deviation over the
    folds. New samples are predicted by all finished folds together, and read as those of training
    were where no option says how. What is undefined is told with its reason. All numbers are of
    probabilities as the models say them, and labels from one half on; what `fivefold predict` makes
    of them stands below the tables.
    """
    of_new = {"tta": tta, "tiles": share_of_tiles(overlap, tiles=tiles)}
    _refuse_stray(data, reading, {"--holdout": holdout, "--by-fold": by_fold}, of_new)
    if output is not None:
        check_new_folder(output, force=force)
    if data is not None:
        how = {"stage": stage, **of_new}
        found = _of_new(experiment, data, reading, how, allow_imports=allow_imports)
        measured, decided = dict[str, Any](), _Decided()
    else:
        config, folder = _opened(experiment, allow_imports=allow_imports)
        measured = dict(_measured(folder, config, stage))
        if by_fold and not as_json:
            _show_folds(measured)
            return
        found = _of_run(folder, config, stage, holdout=holdout)
        decided = _decided(folder, config, stage, tuple(found))
        measured["decisions"] = decided.record
    _finish(found, measured, output, as_json=as_json)
    if not as_json:
        _show_decided(decided)


def _finish(
    found: "Assessments",
    measured: Mapping[str, Any],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from fivefold.apps.evaluate import record_of, write_evaluation

    record = record_of(found, measured)
    # first the files: whoever reads the output may have gone
    written = [] if output is None else write_evaluation(output, found, record)
    if as_json:
        show_json(record)
    else:
        _show(found)
    if output is not None:
        say(f"{output}: {len(written)} files")


def _show(found: "Assessments") -> None:
    from fivefold.evaluation.mask_assessment import MaskAssessment

    is_narrow, first = sys.stdout.isatty(), next(iter(found.values()))
    if isinstance(first, MaskAssessment):
        from fivefold.cli.mask_table import show_masks

        show_masks(found, is_narrow=is_narrow)  # type: ignore[arg-type]  # all are of one kind
    else:
        from fivefold.cli.evaluate_table import show_evaluation

        show_evaluation(found, is_narrow=is_narrow)  # type: ignore[arg-type]  # as above


class _Decided(NamedTuple):
    """What becomes of predictions.

    Attributes:
        rows: In lines.
        record: For JSON.
        assessments: How good answers are at chosen thresholds, by what of: an `Assessment` each,
            or a `MaskAssessment`; none without any.
    """

    rows: Sequence[tuple[str, str]] = ()
    record: Mapping[str, Any] = {}
    assessments: Mapping[str, Any] = {}


def _decided(
    folder: "RunFolder", config: "ExperimentConfig", stage: int, names: Sequence[str]
) -> _Decided:
    """Say what becomes of predictions; `names` are what is measured."""
    from fivefold.experiment.applying import decision_record, decision_rows, held_out_coverage
    from fivefold.experiment.decisions import Wishes, decisions_for
    from fivefold.experiment.finished import renew_if_finished
    from fivefold.experiment.trained import stage_index, trained_folds

    renew_if_finished(folder, config, Terminal())
    folds, index = trained_folds(folder, config, None, stage), stage_index(folder, config, stage)
    decisions = decisions_for(folder, folds, index, Wishes.by(config), Terminal())
    coverage = held_out_coverage(folder, decisions)
    found = {n: _at_decided(folder, config, decisions, holdout=n == HOLDOUT) for n in names}
    assessments: Any = {name: one for name, one in found.items() if one is not None}
    record = decision_record(decisions, coverage)
    if assessments:
        record["at_thresholds"] = {n: _record_at(one) for n, one in assessments.items()}
    return _Decided(decision_rows(decisions, coverage), record, assessments)


def _at_decided(
    folder: "RunFolder", config: "ExperimentConfig", decisions: "Decisions", *, holdout: bool
) -> "Assessment | MaskAssessment | None":
    if config.makes_masks:
        from fivefold.experiment.mask_decided import assess_masks_decided

        return assess_masks_decided(folder, config, decisions, Terminal(), holdout=holdout)
    from fivefold.experiment.decided import assess_decided

    return assess_decided(folder, config, decisions, holdout=holdout)


def _record_at(assessment: "Assessment | MaskAssessment") -> list[dict[str, Any]]:
    """Write for JSON what depends on thresholds, or stands beside it; no curves."""
    names = ("name", "samples", "headline", "classes", "confusion")
    heads = assessment.record()["heads"]
    return [{name: head[name] for name in names if name in head} for head in heads]


def _show_decided(decided: _Decided) -> None:
    from fivefold.cli.evaluate_table import show_at_thresholds
    from fivefold.cli.mask_table import show_masks_at_cuts
    from fivefold.evaluation.mask_assessment import MaskAssessment

    if any(isinstance(one, MaskAssessment) for one in decided.assessments.values()):
        show_masks_at_cuts(decided.assessments)
    elif decided.assessments:
        show_at_thresholds(decided.assessments)
    show_pairs(decided.rows)


def _opened(experiment: Path, *, allow_imports: bool) -> tuple["ExperimentConfig", "RunFolder"]:
    """Read a config without torch, which numbers of stored predictions need not."""
    from fivefold.core.layout import RunFolder
    from fivefold.experiment.loading import load_named

    folder = RunFolder.of(experiment)
    return load_named(folder.config_path, allow_imports=allow_imports), folder


def _measured(folder: "RunFolder", config: "ExperimentConfig", stage: int) -> Mapping[str, Any]:
    from fivefold.experiment.assessing import measured

    return measured(folder, config, stage)


def _of_run(
    folder: "RunFolder", config: "ExperimentConfig", stage: int, *, holdout: bool
) -> "Assessments":
    from fivefold.experiment.assessing import assess_run, has_holdout

    with starting("Measuring …"):
        found: Any = {} if holdout else {OUT_OF_FOLD: assess_run(folder, config, stage)}
        if holdout or has_holdout(folder, config, stage):
            found[HOLDOUT] = assess_run(folder, config, stage, holdout=True)
    return dict(found)


def _of_new(
    experiment: Path,
    data: Path,
    reading: "Reading",
    how: Mapping[str, Any],
    *,
    allow_imports: bool,
) -> "Assessments":
    from fivefold.experiment.new_truth import open_labelled

    # first the data, whose faults are told before torch is loaded
    source = open_labelled(_opened(experiment, allow_imports=allow_imports)[0], data, reading)
    with starting():
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(experiment, allow_imports=allow_imports, progress=Terminal())
    found: Any = opened.assess(source, **how)
    return {str(data): found}


def _refuse_stray(
    data: Path | None,
    reading: "Reading",
    of_run: Mapping[str, bool],
    of_new: Mapping[str, float | bool],
) -> None:
    """Refuse options that go with DATA alone, or with its lack.

    Args:
        data: DATA.
        reading: Options that say how it is read.
        of_run: Other options that mean nothing with it.
        of_new: Other options that mean nothing without it, by their names in Python.

    Raises:
        ConfigError: If there are any.
    """
    if data is not None:
        options.refuse_stray(of_run, "DATA")
        return
    given = [f"--{name.replace('_', '-')}" for name, value in vars(reading).items() if value]
    given += [f"--{name}" for name, value in of_new.items() if value is not False]
    if given:
        message = "expected DATA beside it, got none"
        hint = f"fivefold evaluate EXPERIMENT DATA {given[0]}"
        raise ConfigError([Problem("cli/stray-option", given[0], message, hint)])


def _show_folds(result: Mapping[str, Any]) -> None:
    """Put out the config's metrics: on all samples, in each fold, on the holdout."""
    columns = _columns(result)
    names = sorted({name for values in columns.values() for name in values})
    rows = [[n, *(_number(values.get(n)) for values in columns.values())] for n in names]
    show_table(["metric", *columns], rows)


def _columns(result: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """Name the columns of the table: all samples, each fold, the holdout."""
    folds = result["folds"]
    numbered = folds.items() if isinstance(folds, Mapping) else enumerate(folds)
    columns = {OUT_OF_FOLD: result["oof"], **{f"fold {n}": values for n, values in numbered}}
    if result.get("holdout"):
        columns[HOLDOUT] = result["holdout"]
    return columns


def _number(value: float | None) -> str:
    return "-" if value is None else few_digits(value)
