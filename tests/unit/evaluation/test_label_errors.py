import re
import subprocess
import sys

import cleanlab.count
import cleanlab.filter
import cleanlab.multilabel_classification.filter
import cleanlab.rank
import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from fivefold.core.errors import ConfigError, DataError, MissingExtraError, NumericError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation import label_errors
from fivefold.evaluation.label_errors import (
    Suspect,
    default_ranking,
    find_label_errors,
    suspects_of,
)


def with_wrong_labels(seed, samples=600, classes=5, part=0.06, sharp=6.0):
    """Draw predictions of a good model and labels, some of which were put wrong; say which."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, samples)
    logits = rng.normal(0, 1.2, (samples, classes)) + sharp * np.eye(classes)[true]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    is_wrong = rng.random(samples) < part
    given = np.where(is_wrong, (true + rng.integers(1, classes, samples)) % classes, true)
    return predict(probs, np.eye(classes)[given]), given, is_wrong


def several_with_wrong_answers(seed, samples=500, classes=4, part=0.04):
    rng = np.random.default_rng(seed)
    true = rng.random((samples, classes)) < 0.35
    logits = rng.normal(0, 1.0, true.shape) + np.where(true, 3.0, -3.0)
    is_wrong = rng.random(true.shape) < part
    return predict(1 / (1 + np.exp(-logits)), true ^ is_wrong, "sigmoid"), is_wrong


@pytest.mark.parametrize("seed", range(3))
def test_of_weak_models_no_share_of_wrong_labels_is_told(seed):
    predictions, given, is_wrong = with_wrong_labels(seed, part=0.0, sharp=1.0)
    assert not is_wrong.any()
    (head,) = find_label_errors(predictions).heads
    agreement = (predictions.probs.argmax(axis=1) == given).mean()
    assert head.agreement == pytest.approx(agreement)
    assert agreement < 0.6
    assert head.wrong is None
    assert head.doubt == (
        f"models agree with only {agreement:.1%} of them, below 80%: "
        "their own mistakes and wrong labels look alike"
    )
    assert head.suspects > 100
    assert not head.undefined


def test_more_than_models_contradict_cannot_be_wrong():
    rng = np.random.default_rng(4)  # weak models of a rare label agree by saying no
    true = rng.random((2000, 1)) < 0.06
    logits = rng.normal(0, 1.0, true.shape) + np.where(true, -2.2, -3.0)
    predictions = predict(1 / (1 + np.exp(-logits)), true, "sigmoid")
    (head,) = find_label_errors(predictions).heads
    assert head.agreement > 0.9
    assert head.wrong is None
    assert re.fullmatch(
        r"the estimate, \d+\.\d%, is more than the \d\.\d% that models contradict", head.doubt
    )


def test_of_good_models_the_share_is_told():
    (head,) = find_label_errors(with_wrong_labels(1)[0]).heads
    assert head.wrong is not None
    assert head.doubt == ""


def names(suspects):
    return [suspect.sample_id for suspect in suspects]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("draw", [lambda s: with_wrong_labels(s)[0], single_label])
def test_softmax_suspects_and_their_order_are_those_of_cleanlab(draw, seed):
    predictions = draw(seed)
    labels = predictions.targets.argmax(axis=1)
    probs = predictions.probs.astype(np.float64)
    rows = cleanlab.filter.find_label_issues(
        labels,
        probs,
        filter_by="prune_by_class",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    found = suspects_of(predictions)
    assert names(found) == [predictions.ids[i] for i in rows]
    scores = cleanlab.rank.get_label_quality_scores(labels, probs, method="normalized_margin")
    np.testing.assert_allclose([one.score for one in found], scores[rows], atol=1e-7)
    suggested = [f"c{k}" for k in predictions.probs[rows].argmax(axis=1)]
    assert [one.suggested for one in found] == [(name,) for name in suggested]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("draw", [lambda s: several_with_wrong_answers(s)[0], multi_label])
def test_each_class_of_a_sigmoid_head_is_asked_as_cleanlab_asks_it(draw, seed):
    predictions = draw(seed)
    truth = predictions.targets.astype(int)
    masks = cleanlab.multilabel_classification.filter.find_multilabel_issues_per_class(
        [np.flatnonzero(row).tolist() for row in truth],
        predictions.probs.astype(np.float64),
        filter_by="prune_by_class",
        n_jobs=1,
    )
    expected = {}
    for i in np.flatnonzero(masks.any(axis=1)).tolist():
        turned = np.where(masks[i], 1 - truth[i], truth[i])
        expected[f"s{i}"] = tuple(f"c{k}" for k in np.flatnonzero(turned))
    assert {one.sample_id: one.suggested for one in suspects_of(predictions)} == expected


@pytest.mark.parametrize(
    "predictions",
    [with_wrong_labels(1)[0], several_with_wrong_answers(1)[0], single_label(3), multi_label(3)],
)
def test_with_cleanlab_everything_is_the_same_but_its_name(predictions):
    own = find_label_errors(predictions)
    theirs = find_label_errors(predictions, ranking="cleanlab")
    assert own.suspects == theirs.suspects
    assert own.heads == theirs.heads
    assert (own.ranking, theirs.ranking) == ("own", "cleanlab")


def test_the_share_of_wrong_labels_is_what_cleanlab_estimates():
    predictions, labels, _ = with_wrong_labels(4, samples=2000)
    joint = cleanlab.count.estimate_joint(labels, predictions.probs.astype(np.float64))
    wrong = find_label_errors(predictions).heads[0].wrong
    assert wrong.value == pytest.approx(1 - np.trace(joint), abs=5 / 2000)  # theirs is of counts


@pytest.mark.parametrize("seed", range(5))
def test_most_suspects_are_wrong_and_most_that_are_wrong_are_suspects(seed):
    predictions, _, is_wrong = with_wrong_labels(seed)
    found = [int(name[1:]) for name in names(suspects_of(predictions))]
    worst = found[: max(1, int(0.8 * is_wrong.sum()))]
    assert is_wrong[worst].mean() >= 0.95
    assert is_wrong[found].sum() >= 0.8 * is_wrong.sum()


@pytest.mark.parametrize("seed", range(5))
def test_most_answers_that_were_turned_are_found(seed):
    predictions, is_wrong = several_with_wrong_answers(seed)
    found = {one.sample_id: one for one in suspects_of(predictions)}
    right = total = 0
    for i, k in np.argwhere(is_wrong).tolist():
        one, total = found.get(f"s{i}"), total + 1
        right += one is not None and (f"c{k}" in one.given) != (f"c{k}" in one.suggested)
    assert right >= 0.8 * total


def test_four_of_five_wrong_digits_are_found_and_their_true_class_is_suggested():
    data = load_digits()
    rng = np.random.default_rng(0)
    count = len(data.target)
    turned = rng.permutation(count)[: count // 20]
    given = data.target.copy()
    given[turned] = (given[turned] + rng.integers(1, 10, len(turned))) % 10
    model = KNeighborsClassifier(10)
    probs = cross_val_predict(model, data.data / 16, given, cv=5, method="predict_proba")
    found = suspects_of(predict(probs, np.eye(10)[given]))
    suggested = {int(one.sample_id[1:]): one.suggested[0] for one in found}
    right = [i for i in turned.tolist() if suggested.get(i) == f"c{data.target[i]}"]
    assert len(right) >= 0.8 * len(turned)


@pytest.mark.parametrize("draw", [single_label, multi_label])
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_samples_does_not_matter_even_where_many_are_equal(draw, seed):
    predictions = draw(seed, samples=200, digits=1)
    order = np.random.default_rng(seed).permutation(200)
    found = find_label_errors(predictions)
    assert found.suspects == find_label_errors(predictions.take(order)).suspects
    assert found.suspects


@pytest.mark.parametrize("part", [0.03, 0.1])
@pytest.mark.parametrize("draw", ["one", "several"])
def test_the_interval_is_that_of_a_bootstrap(part, draw):
    predictions = (
        with_wrong_labels(2, samples=700, part=part)[0]
        if draw == "one"
        else several_with_wrong_answers(2, samples=700, part=part)[0]
    )
    wrong = find_label_errors(predictions).heads[0].wrong
    rng, again = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.integers(0, 700, 700)
        ids = tuple(map(str, range(700)))
        drawn = Predictions(
            ids, predictions.probs[rows], predictions.heads, predictions.targets[rows]
        )
        again.append(find_label_errors(drawn).heads[0].wrong.value)
    low, high = np.quantile(again, [0.025, 0.975])
    width = high - low
    assert wrong.low == pytest.approx(low, abs=0.35 * width)
    assert wrong.high == pytest.approx(high, abs=0.35 * width)


def test_where_nothing_is_wrong_nothing_is_suspicious():
    predictions = predict(np.eye(3)[[0, 1, 2] * 20] * 0.9 + 1 / 30, np.eye(3)[[0, 1, 2] * 20])
    found = find_label_errors(predictions)
    assert found.suspects == ()
    (head,) = found.heads
    assert (head.wrong.value, head.wrong.low) == (0, 0)
    assert 0.03 < head.wrong.high < 0.08  # of 60 samples that are all right: 6 %


def test_a_suspect_says_everything_about_its_label():
    probs = [[0.9, 0.1]] * 4 + [[0.2, 0.8]] * 4 + [[0.05, 0.95]]
    targets = [[1, 0]] * 4 + [[0, 1]] * 4 + [[1, 0]]
    (one,) = suspects_of(predict(probs, targets), fold_of={"s8": 2})
    assert one == Suspect(
        "s8",
        "",
        ("c0",),
        ("c1",),
        confidence=pytest.approx(0.95),
        score=pytest.approx(0.05),
        fold=2,
    )


def test_answers_of_one_sample_that_differ_are_one_suspect():
    probs = [[0.9, 0.1, 0.5]] * 5 + [[0.1, 0.8, 0.5]] * 5 + [[0.04, 0.92, 0.5]]
    targets = [[1, 0, 1]] * 5 + [[0, 1, 1]] * 5 + [[1, 0, 1]]
    found = find_label_errors(predict(probs, targets, "sigmoid"))
    (one,) = found.suspects
    assert (one.given, one.suggested) == (("c0", "c2"), ("c1", "c2"))
    assert one.confidence == pytest.approx(0.92)
    assert one.score == pytest.approx(0.04)
    assert found.heads[0].skipped == ("c2",)


def test_heads_are_asked_one_by_one_and_ranked_together():
    first, second = with_wrong_labels(0)[0], several_with_wrong_answers(0, samples=600)[0]
    heads = (
        Head("a", "softmax", first.class_names),
        Head("b", "sigmoid", second.class_names),
    )
    both = Predictions(
        first.ids,
        np.concatenate([first.probs, second.probs], axis=1),
        heads,
        np.concatenate([first.targets, second.targets], axis=1),
    )
    found = find_label_errors(both)
    assert [head.name for head in found.heads] == ["a", "b"]
    assert [head.suspects for head in found.heads] == [
        len(suspects_of(first)),
        len(suspects_of(second)),
    ]
    scores = [one.score for one in found.suspects]
    assert scores == sorted(scores)
    assert {one.head for one in found.suspects[:20]} == {"a", "b"}


@pytest.mark.parametrize("ranking", ["own", "cleanlab"])
@pytest.mark.parametrize(
    ("predictions", "why"),
    [
        (predict([[0.2, 0.8]] * 4, [[0, 1]] * 4), "all samples have the class 'c1'"),
        (predict([[0.7, 0.8]] * 4, [[0, 1]] * 4, "sigmoid"), "all samples have the same labels"),
        (predict([[0.5, 0.5]] * 4, [[0, 1], [1, 0]] * 2), "models say the same of all samples"),
        (predict(np.zeros((0, 2)), np.zeros((0, 2))), "there are no samples"),
    ],
)
def test_where_nothing_can_be_said_it_says_why(predictions, why, ranking):
    found = find_label_errors(predictions, ranking=ranking)
    assert found.suspects == ()
    assert (found.heads[0].wrong, found.heads[0].undefined) == (None, why)


@pytest.mark.parametrize("ranking", ["own", "cleanlab"])
def test_probabilities_that_are_all_equal_make_no_suspect(ranking):
    predictions = predict(np.full((9, 3), 1 / 3), np.eye(3)[[0, 1, 2] * 3])
    assert find_label_errors(predictions, ranking=ranking).suspects == ()


@pytest.mark.parametrize("ranking", ["own", "cleanlab"])
def test_nobody_is_sure_of_a_class_that_no_sample_has(ranking):
    predictions = predict([[0.3, 0.1, 0.6], [0.1, 0.3, 0.6]], [[1, 0, 0], [0, 1, 0]])
    assert find_label_errors(predictions, ranking=ranking).suspects == ()


def test_a_probability_that_is_no_number_is_refused():
    with pytest.raises(
        NumericError, match="label errors: s1: expected finite probabilities, got NaN"
    ) as error:
        suspects_of(predict([[0.5, 0.5], [np.nan, 1]], [[1, 0], [0, 1]]))
    assert error.value.slug == "numeric/predictions"


def test_a_softmax_sample_with_two_classes_is_named():
    with pytest.raises(
        DataError, match="label errors: s1: expected exactly 1 true class, got 2"
    ) as error:
        suspects_of(predict([[0.5, 0.5], [0.2, 0.8]], [[1, 0], [1, 1]]))
    assert error.value.slug == "data/not-single-label"


def test_samples_without_labels_have_no_wrong_ones():
    predictions = Predictions(("s",), np.ones((1, 2), np.float32), (Head("", "softmax", "ab"),))
    with pytest.raises(DataError, match="expected targets, got none"):
        suspects_of(predictions)


def test_cleanlab_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert default_ranking() == "own"
    with pytest.raises(MissingExtraError, match=r"package 'cleanlab\.filter', which is not"):
        find_label_errors(with_wrong_labels(0)[0], ranking="cleanlab")


def test_a_ranking_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match="ranking: expected 'own' or 'cleanlab', got 'best'"):
        find_label_errors(with_wrong_labels(0)[0], ranking="best")


def test_own_ranking_loads_no_other_package():
    code = (
        "import sys, numpy as np\n"
        "from fivefold.core.predictions import Predictions\n"
        "from fivefold.core.types import Head\n"
        f"from {label_errors.__name__} import default_ranking, suspects_of\n"
        "p = np.array([[.9, .1], [.2, .8]], np.float32)\n"
        "suspects_of(Predictions(('a', 'b'), p, (Head('', 'softmax', ('x', 'y')),), np.eye(2)))\n"
        "default_ranking()\n"
        "sys.exit(bool({'torch', 'sklearn', 'cleanlab', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
