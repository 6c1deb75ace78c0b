import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from scipy.stats import binomtest

from fivefold.evaluation.reliability import (
    adaptive_reliability,
    calibration_error,
    reliability,
    share_interval,
)


@pytest.mark.parametrize("seed", range(5))
def test_error_of_a_softmax_head_is_torchmetrics(seed):
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    found = single_label(seed, samples=200)
    probs, truth = torch.tensor(found.probs), torch.tensor(found.truth.argmax(axis=1))
    expected = multiclass_calibration_error(probs, truth, 4, n_bins=15)
    assert calibration_error(reliability(found)) == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_error_of_a_sigmoid_head_is_torchmetrics_of_all_answers(seed):
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    found = multi_label(seed, samples=200)
    probs, truth = torch.tensor(found.probs.ravel()), torch.tensor(found.truth.ravel()).int()
    expected = binary_calibration_error(probs, truth, n_bins=15)
    assert calibration_error(reliability(found)) == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_adaptive_bins_have_as_many_answers_each(seed):
    found = multi_label(seed, samples=150)
    bins = adaptive_reliability(found)
    assert [b.count for b in bins] == [30] * 15
    order = np.argsort(found.probs.ravel())
    probs, truth = found.probs.ravel()[order].astype(float), found.truth.ravel()[order]
    parts = zip(np.split(probs, 15), np.split(truth, 15), strict=True)
    expected = np.mean([abs(p.mean() - t.mean()) for p, t in parts])
    assert calibration_error(bins) == pytest.approx(expected, abs=1e-7)


def test_certain_answers_are_in_the_last_bin():
    bins = reliability(predict([[1.0, 0.0], [1.0, 0.0]], np.eye(2)))
    assert (bins[-1].count, bins[-1].confidence, bins[-1].right) == (2, 1.0, 0.5)
    assert calibration_error(bins) == 0.5
    (only,) = adaptive_reliability(predict([[1.0, 0.0], [1.0, 0.0]], np.eye(2)))
    assert (only.low, only.high, only.count) == (0.0, 1.0, 2)


def test_empty_bins_are_undefined_and_do_not_count():
    bins = reliability(predict([[0.75, 0.25]], [[1, 0]]))
    assert calibration_error(bins) == pytest.approx(0.25)
    assert np.isnan([bins[0].right, bins[0].confidence, *bins[0].interval]).all()


def test_equal_probabilities_make_one_adaptive_bin():
    bins = adaptive_reliability(predict([[0.5, 0.5]] * 20, np.eye(2)[[0, 1] * 10]))
    assert [b.count for b in bins] == [20]
    assert calibration_error(bins) == 0


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (3, 7), (7, 7), (450, 1000)])
def test_interval_is_scipys(hits, count):
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    assert share_interval(hits, count) == pytest.approx((expected.low, expected.high))


def test_interval_of_nothing_is_undefined():
    assert np.isnan(share_interval(0, 0)).all()


def test_many_samples_are_worked_on_in_parts(monkeypatch):
    found = multi_label(0, samples=100)
    whole = reliability(found), adaptive_reliability(found)
    monkeypatch.setattr("fivefold.evaluation.reliability._ROWS", 7)
    parts = reliability(found), adaptive_reliability(found)
    for expected, bins in zip(whole, parts, strict=True):
        assert [b.count for b in bins] == [b.count for b in expected]
        assert calibration_error(bins) == pytest.approx(calibration_error(expected))
