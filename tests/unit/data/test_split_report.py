import json
from dataclasses import replace

import numpy as np
import pytest
from tables_to_split import mixed, table

from fivefold.core.errors import StateError
from fivefold.data.drawn_folds import make_splits
from fivefold.data.given_folds import GivenFolds
from fivefold.data.source import Labels
from fivefold.data.split_report import (
    COPIES,
    GROUPS,
    NEAR,
    Evenness,
    SplitReport,
    Ties,
    evenness_of,
    ties_of,
)


def given(fold_of):
    return GivenFolds("here", fold_of)


def test_the_class_that_differs_most_is_found():
    data = table([0, 0, 0, 1, 0, 1, 1, 1])
    folds = {f"s{i:04}": int(i > 3) for i in range(8)}
    found = evenness_of(data, make_splits(data, folds=2, given=given(folds)))
    assert found == Evenness("class 0", 0, 0.75, 0.5)
    assert found.deviation == 0.25
    expected = "classes differ by at most 25 points: 'class 0' in fold 0, 75.00% instead of 50.00%"
    assert str(found) == expected


@pytest.mark.parametrize("holdout", [0.0, 0.2])
def test_no_class_differs_more_than_the_one_that_is_named(holdout):
    data = table(mixed(100), groups=[f"g{i % 17}" for i in range(100)])
    splits = make_splits(data, folds=4, holdout=holdout)
    of_row = np.array([splits.fold_of[name] for name in data.ids])
    whole = data.targets[of_row >= 0].mean(axis=0)
    found = evenness_of(data, splits)
    shares = np.stack([data.targets[of_row == fold].mean(axis=0) for fold in range(4)])
    assert found.deviation == pytest.approx(np.abs(shares - whole).max())
    assert found.whole == pytest.approx(whole[int(found.class_name[-1])])


def test_samples_without_labels_have_no_evenness():
    data = table([0] * 10).without_labels()
    assert evenness_of(data, make_splits(data, folds=2)) is None


def test_classes_of_several_outputs_have_the_output_before_them():
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    labels = (Labels("x", ("a", "b"), exclusive=True), Labels("y", ("a", "b"), exclusive=True))
    data = table([0] * 4, labels=labels, targets=np.hstack([np.ones_like(targets) / 2, targets]))
    splits = make_splits(data, folds=2, given=given({"s0000": 0, "s0002": 0, "s0001": 1}))
    assert evenness_of(data, splits).class_name == "y.a"


def test_what_folds_tear_apart_is_counted_and_named():
    data = table([0, 1] * 4)
    folds = {f"s{i:04}": [0, 0, 1, 1, 0, 1, -1, 0][i] for i in range(8)}
    splits = make_splits(data, folds=2, given=given(folds))
    firsts = np.array([0, 0, 2, 0, 4, 5, 5, 4])
    assert ties_of(data, splits, firsts) == Ties(
        sets=3, samples=7, torn=2, examples=(("s0000", "s0001", "s0003"), ("s0005", "s0006"))
    )
    shuffled = data.take([7, 6, 5, 4, 3, 2, 1, 0])
    backwards = np.array([0, 1, 1, 0, 4, 5, 4, 4])
    assert replace(ties_of(shuffled, splits, backwards), examples=()) == Ties(3, 7, 2)


TORN = SplitReport(
    Evenness("cat", 1, 0.25, 0.2),
    {COPIES: Ties(0, 0, 0), GROUPS: Ties(4, 9, 0), NEAR: Ties(2, 5, 1, (("a", "b", "c"),))},
    4,
)


def test_a_line_says_what_is_together_and_what_is_not():
    assert TORN.kept_together() == (
        "9 samples in 4 sets of groups, 5 samples in 2 sets of near duplicates; "
        "1 of 2 sets of near duplicates are torn apart, such as 'a' and 'b'"
    )
    assert SplitReport(None, {}, 4).kept_together() == "every sample is alone"
    assert SplitReport(None).kept_together() == "every sample is alone; near duplicates unsought"


def test_the_line_of_a_run_has_evenness_and_sets_without_what_is_warned_of():
    assert str(TORN) == (
        "classes differ by at most 5 points: 'cat' in fold 1, 25.00% instead of 20.00%; "
        "9 samples in 4 sets of groups, 5 samples in 2 sets of near duplicates"
    )
    assert str(replace(TORN, ties={NEAR: Ties(1, 2, 0)})).endswith(
        "; 2 samples in 1 set of near duplicates"
    )
    assert str(replace(TORN, ties={})) == str(TORN.evenness)
    assert str(SplitReport(None, {}, 4)) == "every sample is alone"


def test_a_report_comes_back(tmp_path):
    TORN.save(tmp_path / "splits.json")
    assert SplitReport.load(tmp_path / "splits.json") == TORN


def test_a_damaged_report_is_a_state_error(tmp_path):
    path = tmp_path / "splits.json"
    TORN.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "distance": 5}))
    with pytest.raises(StateError, match="with the hash that it was written with") as error:
        SplitReport.load(path)
    assert error.value.slug == "state/damaged"
