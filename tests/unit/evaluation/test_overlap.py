import math

import numpy as np
import pytest
import sklearn.metrics
from drawn_predictions import multi_label, predict, single_label

from fivefold.evaluation import compute, find_metric

SEEDS = range(4)
BOTH = pytest.mark.parametrize("make", [single_label, multi_label])


def value(name, predictions):
    return compute(predictions, [name])[name]


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_dice_and_iou_of_all_answers_are_scikit_learns(seed, make):
    p = make(seed)
    truth, found = p.targets.ravel(), p.probs.ravel() > 0.5
    assert value("dice", p) == pytest.approx(sklearn.metrics.f1_score(truth, found))
    expected = sklearn.metrics.jaccard_score(truth, found)
    for name in ("iou", "iou_coef", "iot"):
        assert value(name, p) == pytest.approx(expected, abs=1e-6)


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_iou_score_is_scikit_learns_macro_average(seed, make):
    p = make(seed, samples=8, classes=5)
    expected = sklearn.metrics.jaccard_score(
        p.targets, p.probs > 0.5, average="macro", zero_division=0
    )
    for name in ("iou_score", "jaccard_score"):
        assert value(name, p) == pytest.approx(expected)


def test_nothing_true_and_nothing_found():
    p = predict([[0.1, 0.2]], [[0, 0]], "sigmoid")
    assert value("dice", p) == 0.0
    assert value("iou", p) == 1.0


def by_hand(probs, targets, threshold, measure, rule):
    """Compute Musket's final metric one sample after the other."""
    scores = []
    for found, truth in zip(probs > threshold, targets > 0.5, strict=True):
        if not found.any() and not truth.any():
            scores += {"zero": [0.0], "one": [1.0], "skip": []}[rule]
            continue
        both, either = (found & truth).sum(), (found | truth).sum()
        overlap = (both + 1e-6) / (either + 1e-6)
        scores.append(
            {
                "dice": 2 * both / (found.sum() + truth.sum() + 1e-6),
                "iou": overlap,
                "map10": np.ceil(np.clip(20 * (overlap - 0.5), 0, 10)) / 10,
            }[measure]
        )
    return np.mean(scores)


@pytest.mark.parametrize("rule", ["zero", "one", "skip"])
@pytest.mark.parametrize("measure", ["dice", "iou", "map10"])
@pytest.mark.parametrize("seed", SEEDS)
def test_final_metrics_are_muskets_formulas(seed, measure, rule):
    p = multi_label(seed, samples=25)
    expected = by_hand(p.probs, p.targets, 0.5, measure, rule)
    assert value(f"{measure}_true_negative_is_{rule}", p) == pytest.approx(expected)


@pytest.mark.parametrize("rule", ["zero", "one", "skip"])
@pytest.mark.parametrize("measure", ["dice", "iou", "map10"])
def test_a_searched_threshold_is_told_beside_its_value(measure, rule):
    p = multi_label(7, samples=25)
    name = f"{measure}_with_custom_treshold_true_negative_is_{rule}"
    values = [by_hand(p.probs.astype(float), p.targets, i / 100, measure, rule) for i in range(100)]
    found = compute(p, [name], prefix="val_")
    assert found == {
        f"val_{name}": pytest.approx(max(values)),
        f"val_{name}_treshold": int(np.argmax(values)) / 100,
    }


def test_where_every_sample_is_left_out_there_is_no_value():
    p = predict([[0.1, 0.2]], [[0, 0]], "sigmoid")
    assert math.isnan(value("dice_true_negative_is_skip", p))
    assert value("dice_true_negative_is_one", p) == 1.0
    assert value("dice_true_negative_is_zero", p) == 0.0


def test_a_value_does_not_remember_the_fold_before():
    metric = find_metric("iou_true_negative_is_one")
    first, second = (multi_label(seed) for seed in (1, 2))
    assert metric.make(second) == [metric.make(first), metric.make(second)][1]


def test_final_metrics_say_what_they_are():
    assert find_metric("map10_true_negative_is_skip").summary.endswith(
        "is left out (NaN if all are)."
    )
