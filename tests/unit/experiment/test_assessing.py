from types import SimpleNamespace

import numpy as np
import pytest
from fake_run import make_fake_run

from fivefold.config import load
from fivefold.core.errors import DataError, StateError
from fivefold.core.predictions import Predictions
from fivefold.data.split_report import GROUPS, SplitReport, Ties
from fivefold.evaluation import compute
from fivefold.experiment.assessing import assess_run, has_holdout, measured


@pytest.fixture
def run(tmp_path):
    """A finished run's folder and its config."""
    folder = make_fake_run(tmp_path, pictures=False)
    folder.manifest_path.unlink()
    for fold in range(5):
        folder.bundle(fold, 1).parent.mkdir(exist_ok=True)
        folder.bundle(fold, 1).touch()
    return folder, load(folder.config_path)


def hold_out(folder, folds=range(5)):
    """Save predictions of a holdout; gives their mean."""
    some = Predictions.load(folder.predictions("validation", 0, 1)).take(range(40))
    for fold in folds:
        probs = np.roll(some.probs, fold, axis=1)
        Predictions(some.ids, probs, some.heads, some.targets).save(
            folder.predictions("holdout", fold, 1)
        )
    probs = np.mean([np.roll(some.probs, fold, axis=1) for fold in folds], axis=0)
    return Predictions(some.ids, probs.astype(np.float32), some.heads, some.targets)


def test_out_of_fold_predictions_are_assessed_with_their_folds(run):
    found = assess_run(*run, resamples=50)
    assert found.samples == 400
    assert found.folds == (0, 1, 2, 3, 4)
    other = assess_run(run[0], run[1].model_copy(update={"seed": 7}), resamples=50)
    assert (found.seed, other.seed) == (run[1].seed, 7)
    expected = measured(*run)
    assert found.heads[0].headline["accuracy"].value == expected["oof"]["accuracy"]
    spread = np.std([values["accuracy"] for values in expected["folds"].values()])
    assert found.heads[0].headline["accuracy"].std_over_folds == pytest.approx(spread)


def test_the_holdout_is_assessed_by_all_folds_together(run):
    assert not has_holdout(*run)
    mean = hold_out(run[0])
    assert has_holdout(*run)
    found = assess_run(*run, holdout=True, resamples=50)
    assert (found.samples, found.folds) == (40, ())
    expected = compute(mean, ["accuracy", "log_loss"])
    headline = found.heads[0].headline
    assert {n: headline[n].value for n in expected} == pytest.approx(expected, abs=1e-6)


def test_a_run_without_a_holdout_says_so(run):
    hold_out(run[0], folds=[0, 1])
    with pytest.raises(DataError, match="expected predictions of a holdout, got none") as error:
        assess_run(*run, holdout=True)
    assert error.value.slug == "data/no-holdout"


def test_a_stage_that_is_not_trained_is_told(run):
    with pytest.raises(StateError, match="expected trained folds of stage 0"):
        assess_run(*run, 0)


def test_groups_that_folds_keep_together_are_resampled_as_wholes(run, monkeypatch, caplog):
    folder, config = run
    found = assess_run(folder, config, resamples=20)
    assert not found.grouped

    ids = [i for k in range(5) for i in _ids(folder, k)]
    source = SimpleNamespace(sample_ids=ids, groups=[str(n % 90) for n in range(400)])
    SplitReport(None, {GROUPS: Ties(1, 2, 0, ())}).save(folder.split_report_path)
    opened = "fivefold.experiment.assembling.assembled"
    monkeypatch.setattr(opened, lambda *_, **__: source)
    found = assess_run(folder, config, resamples=20)
    assert (found.grouped, found.units) == (True, 90)
    source.sample_ids, source.groups = ids[:300], source.groups[:300]
    assert assess_run(folder, config, resamples=20).units == 90 + 100  # each that is gone is alone

    def gone(*_, **__):
        msg = "no such folder"
        raise DataError(msg)

    monkeypatch.setattr(opened, gone)
    assert not assess_run(folder, config, resamples=20).grouped
    told = "groups cannot be read, samples are resampled one by one: no such folder"
    assert told in caplog.messages


def _ids(folder, fold):
    return Predictions.load(folder.predictions("validation", fold, 1)).ids
