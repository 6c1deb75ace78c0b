import pytest

from fivefold.core.errors import ConfigError
from fivefold.core.layout import RunFolder
from fivefold.experiment.plan import (
    FoldPlan,
    choose_folds,
    has_begun,
    instead_of,
    left_epochs,
    make_plan,
    trained_folds,
)


def finish(folder, fold, stage):
    for path in folder.results(fold, stage):
        path.parent.mkdir(exist_ok=True)
        path.touch()


def test_a_new_folder_has_everything_to_do(tmp_path):
    assert make_plan(RunFolder.of(tmp_path), [0, 1], 2) == (FoldPlan(0, 0, 2), FoldPlan(1, 0, 2))


def test_finished_stages_are_skipped(tmp_path):
    folder = RunFolder.of(tmp_path)
    for place in ((0, 0), (0, 1), (1, 0)):
        finish(folder, *place)
    first, second, third = make_plan(folder, [0, 1, 2], 2)
    assert first.done
    assert (second.first_stage, third.first_stage) == (1, 0)


def test_a_later_stage_does_not_count_before_the_one_that_it_starts_from(tmp_path):
    folder = RunFolder.of(tmp_path)
    finish(folder, 0, 1)
    assert make_plan(folder, [0], 2)[0].first_stage == 0


def test_all_folds_are_chosen_unless_some_are_named():
    assert choose_folds(None, 3) == (0, 1, 2)
    assert choose_folds([2, 0, 2], 3) == (0, 2)


@pytest.mark.parametrize("wrong", [[3], [-1], [], "x", [0, "1"], [0.5]])
def test_folds_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ConfigError, match="expected numbers from 0 to 2, got") as error:
        choose_folds(wrong, 3)
    assert error.value.slug == "config/no-such-fold"


def test_the_epochs_that_are_left_are_counted_for_each_stage():
    plans = [FoldPlan(0, 2, 2), FoldPlan(1, 1, 2), FoldPlan(2, 0, 2)]
    assert left_epochs(plans, [3, 10]) == {0: 3, 1: 20}


def test_a_folder_has_begun_when_something_was_trained(tmp_path):
    folder = RunFolder.of(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "folds.json").touch()
    assert not has_begun(folder)
    finish(folder, 0, 0)
    assert has_begun(folder)


def test_an_earlier_stage_is_offered_where_more_folds_have_it(tmp_path):
    folder = RunFolder.of(tmp_path)
    assert instead_of(folder, [0, 1], 1) == ""
    finish(folder, 0, 0)
    assert instead_of(folder, [0, 1], 1) == "stage 0 is trained in fold 0: `--stage 0` uses it"
    finish(folder, 1, 0)
    assert instead_of(folder, [0, 1], 1) == "stage 0 is trained: `--stage 0` uses it"
    finish(folder, 1, 1)
    assert trained_folds(folder, [0, 1], 1) == (1,)
    assert instead_of(folder, [0, 1], 1) == "stage 0 is trained: `--stage 0` uses it"
    finish(folder, 0, 1)
    assert instead_of(folder, [0, 1], 1) == ""
    assert instead_of(folder, [0, 1], 2) == "stage 1 is trained: `--stage 1` uses it"
