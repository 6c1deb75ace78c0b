"""A run whose time is over stops after an epoch, and goes on as if it had never stopped."""

import pytest
from runs import CONFIG, write_experiment

from fivefold.core.errors import StateError
from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

LONGER = CONFIG.replace("{epochs: 1, freeze", "{epochs: 2, freeze")


def files_of(folder):
    left_out = ("manifest.json", "audit.json", ".lock")
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in left_out
    }


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = write_experiment(tmp_path_factory.mktemp("whole"), per_class=6, config=LONGER)
    summary = Experiment.load(folder).fit()
    assert not summary.stopped
    return files_of(folder)


@pytest.mark.parametrize(("jobs", "starts"), [(1, 6), (2, 4)])
def test_started_again_and_again_it_ends_with_the_same_bytes(tmp_path, unbroken, jobs, starts):
    """Two epochs of heads in two starts, then two of each fold: alone, or both folds at once."""
    write_experiment(tmp_path, per_class=6, config=LONGER)
    summaries = []
    while not summaries or summaries[-1].stopped:
        summaries.append(Experiment.load(tmp_path).fit(jobs=jobs, time_limit=0.0))
        assert len(summaries) <= starts
    assert len(summaries) == starts
    assert [summary.completed for summary in summaries] == [False] * (starts - 1) + [True]
    assert summaries[0].folds == ()
    assert summaries[0].stages == ()
    assert files_of(tmp_path) == unbroken


def test_time_that_is_long_enough_stops_nothing(tmp_path, unbroken):
    write_experiment(tmp_path, per_class=6, config=LONGER)
    summary = Experiment.load(tmp_path).fit(time_limit=3600.0)
    assert (summary.stopped, summary.completed) == (False, True)
    assert files_of(tmp_path) == unbroken


def test_summary_is_written_again_from_the_predictions(tmp_path, unbroken):
    write_experiment(tmp_path, per_class=6, config=LONGER)
    experiment = Experiment.load(tmp_path)
    with pytest.raises(StateError, match="expected trained folds of stage 1, got none") as error:
        experiment.summarise()
    assert error.value.slug == "state/not-trained"
    experiment.fit(folds=[0])
    part = experiment.summarise()
    assert (part.folds, part.completed) == ((0,), False)
    assert not experiment.folder.summary_path.exists()
    experiment.fit()
    for name in ("summary.yaml", "predictions/oof.csv"):
        (tmp_path / name).unlink()
    assert experiment.summarise().completed
    assert files_of(tmp_path) == unbroken
