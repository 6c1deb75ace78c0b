import numpy as np
import pytest
import sklearn.metrics
from drawn_predictions import multi_label, predict, single_label

from fivefold.core.errors import ConfigError, DataError
from fivefold.core.predictions import Predictions
from fivefold.evaluation import compute, find_metric, is_known
from fivefold.evaluation.ranking import auc

SEEDS = range(6)


def value(name, predictions):
    return compute(predictions, [name])[name]


def classes_of(array):
    return np.asarray(array).argmax(axis=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_accuracy_of_a_softmax_is_scikit_learns(seed):
    p = single_label(seed)
    expected = sklearn.metrics.accuracy_score(classes_of(p.targets), classes_of(p.probs))
    assert value("accuracy", p) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["accuracy", "binary_accuracy", "acc"])
def test_accuracy_of_a_sigmoid_is_scikit_learns_over_all_answers(seed, name):
    p = multi_label(seed)
    expected = sklearn.metrics.accuracy_score(p.targets.ravel(), p.probs.ravel() > 0.5)
    assert value(name, p) == pytest.approx(expected)


def test_one_half_is_not_yet_positive():
    assert value("binary_accuracy", predict([[0.5]], [[0]], "sigmoid")) == 1.0


def test_a_class_that_never_occurs_counts_zero_in_macro_f1():
    probs = [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]
    assert value("macro_f1", predict(probs, [[1, 0, 0], [0, 1, 0]])) == pytest.approx(2 / 3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
def test_top_k_is_a_count_of_better_classes(seed, k):
    p = single_label(seed)
    true = (p.probs * p.targets).sum(axis=1, keepdims=True)
    expected = ((p.probs > true).sum(axis=1) < k).mean()
    assert value(f"top_{k}_accuracy", p) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_top_five_is_scikit_learns(seed):
    p = single_label(seed, classes=9)
    expected = sklearn.metrics.top_k_accuracy_score(
        classes_of(p.targets), p.probs, k=5, labels=range(9)
    )
    assert value("top_k_categorical_accuracy", p) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_top_one_is_accuracy_even_with_ties(seed):
    p = single_label(seed, digits=1)
    assert value("top_1_accuracy", p) == value("accuracy", p)


def test_a_model_that_says_the_same_of_all_classes_is_not_always_right():
    p = predict(np.full((4, 4), 0.25), np.eye(4))
    assert value("top_2_accuracy", p) == 0.5


@pytest.mark.parametrize("name", ["ACC", "categorical_accuracy", " accuracy ", "top_7_accuracy"])
def test_metrics_are_known_in_any_spelling(name):
    assert is_known(name)


@pytest.mark.parametrize("name", ["top_0_accuracy", "top_x_accuracy", "accurracy", "loss", ""])
def test_other_names_are_not_known(name):
    assert find_metric(name) is None


def test_several_heads_give_each_value_and_the_mean():
    kinds = predict([[0.9, 0.1], [0.8, 0.2]], [[1, 0], [0, 1]], name="kind")
    flags = predict([[0.9], [0.8]], [[1], [1]], "sigmoid", name="flag")
    both = Predictions(
        kinds.ids,
        np.hstack([kinds.probs, flags.probs]),
        kinds.heads + flags.heads,
        np.hstack([kinds.targets, flags.targets]),
    )
    assert compute(both, ["acc"], prefix="val_") == {
        "val_kind_acc": 0.5,
        "val_flag_acc": 1.0,
        "val_acc": 0.75,
    }
    with pytest.raises(DataError, match="metrics: expected 1 head, got 2") as error:
        auc(both)
    assert error.value.slug == "data/several-heads"


def test_one_head_gives_plain_names_in_order():
    assert list(compute(single_label(0), ["auc", "accuracy"])) == ["auc", "accuracy"]


def test_unknown_names_are_all_reported():
    with pytest.raises(ConfigError, match=r"(?s)got 'acuracy'.*accuracy.*got 'f7'") as error:
        compute(single_label(0), ["acuracy", "auc", "f7"])
    assert len(error.value.problems) == 2


def test_no_samples_are_an_error():
    with pytest.raises(DataError, match="at least 1 sample, got 0") as error:
        compute(single_label(0).take([]), ["accuracy"])
    assert error.value.slug == "data/no-predictions"
