import math

import numpy as np
import pytest
import sklearn.metrics
from drawn_predictions import answers, multi_label, predict, single_label

from fivefold.evaluation import compute

SEEDS = range(5)
BOTH = pytest.mark.parametrize("make", [single_label, multi_label])


def value(name, predictions):
    return compute(predictions, [name])[name]


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("average", ["macro", "micro", "weighted", "samples"])
@pytest.mark.parametrize("kind", ["f1", "precision", "recall"])
def test_precision_recall_and_f1_are_scikit_learns(kind, average, seed, make):
    p = make(seed, samples=15, classes=5)
    measure = getattr(sklearn.metrics, f"{kind}_score")
    expected = measure(p.targets, answers(p), average=average, zero_division=0)
    assert value(f"{average}_{kind}", p) == pytest.approx(expected)


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_f2_is_scikit_learns(seed, make):
    p = make(seed, samples=12, classes=5)
    expected = sklearn.metrics.fbeta_score(
        p.targets, answers(p), beta=2, average="macro", zero_division=0
    )
    assert value("f2_score", p) == pytest.approx(expected)


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_specificity_is_the_recall_of_not_having_a_class(seed, make):
    p = make(seed)
    expected = sklearn.metrics.recall_score(1 - p.targets, 1 - answers(p), average="macro")
    assert value("specificity", p) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_balanced_accuracy_of_a_softmax_is_scikit_learns(seed):
    p = single_label(seed, classes=6)
    expected = sklearn.metrics.balanced_accuracy_score(p.targets.argmax(1), p.probs.argmax(1))
    assert value("balanced_accuracy", p) == pytest.approx(expected)


def test_balanced_accuracy_leaves_out_classes_that_do_not_occur():
    p = predict([[0.9, 0.1, 0.0], [0.7, 0.3, 0.0]], [[1, 0, 0], [0, 1, 0]])
    assert value("balanced_accuracy", p) == 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_balanced_accuracy_of_a_sigmoid_is_the_mean_of_scikit_learns(seed):
    p = multi_label(seed)
    found = answers(p)
    each = [sklearn.metrics.balanced_accuracy_score(p.targets[:, i], found[:, i]) for i in range(3)]
    assert value("balanced_accuracy", p) == pytest.approx(np.mean(each))


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_muskets_matthews_correlation_is_scikit_learns_of_all_answers_above_one_half(seed, make):
    p = make(seed)
    expected = sklearn.metrics.matthews_corrcoef(p.targets.ravel(), p.probs.ravel() > 0.5)
    assert value("matthews_correlation", p) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_matthews_corrcoef_of_a_softmax_is_scikit_learns(seed):
    p = single_label(seed)
    expected = sklearn.metrics.matthews_corrcoef(p.targets.argmax(1), p.probs.argmax(1))
    assert value("mcc", p) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("mcc", sklearn.metrics.matthews_corrcoef),
        ("kappa", sklearn.metrics.cohen_kappa_score),
        ("quadratic_kappa", sklearn.metrics.cohen_kappa_score),
    ],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_agreement_of_a_sigmoid_is_the_mean_of_scikit_learns(name, measure, seed):
    p = multi_label(seed)
    found = answers(p)
    each = [measure(p.targets[:, i].astype(int), found[:, i]) for i in range(3)]
    assert value(name, p) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "weights"), [("kappa", None), ("qwk", "quadratic")])
def test_kappa_of_a_softmax_is_scikit_learns(name, weights, seed):
    p = single_label(seed, classes=5)
    expected = sklearn.metrics.cohen_kappa_score(
        p.targets.argmax(1), p.probs.argmax(1), weights=weights, labels=range(5)
    )
    assert value(name, p) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["kappa", "qwk", "mcc", "matthews_correlation"])
def test_agreement_that_chance_explains_is_zero(name):
    assert value(name, predict([[1.0, 0.0]] * 3, [[1, 0]] * 3)) in (0.0, pytest.approx(1.0))
    assert value(name, predict([[0.9]] * 3, [[1]] * 3, "sigmoid")) == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_hamming_loss_and_exact_match_are_scikit_learns(seed):
    many, one = multi_label(seed), single_label(seed)
    expected = sklearn.metrics.hamming_loss(many.targets, answers(many))
    assert value("hamming_loss", many) == pytest.approx(expected)
    expected = sklearn.metrics.accuracy_score(many.targets, answers(many))
    assert value("exact_match", many) == pytest.approx(expected)
    expected = sklearn.metrics.hamming_loss(one.targets.argmax(1), one.probs.argmax(1))
    assert value("hamming_loss", one) == pytest.approx(expected)
    assert value("subset_accuracy", one) == pytest.approx(1 - expected)


def test_specificity_without_any_negative_is_nan():
    assert math.isnan(value("specificity", predict([[0.9]], [[1]], "sigmoid")))
