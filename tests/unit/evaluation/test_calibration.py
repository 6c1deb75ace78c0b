from dataclasses import replace

import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from fake_run import fake_predictions
from scipy.special import softmax

from fivefold.core.errors import DataError
from fivefold.core.types import Head
from fivefold.evaluation.assessment import assess
from fivefold.evaluation.calibration import (
    Calibration,
    HeadCalibration,
    calibration,
    calibration_of,
    cross_fitted,
    log_losses,
)
from fivefold.evaluation.temperature import COLDEST, HOTTEST, fit_temperature, with_temperature


def too_sure(seed=0, samples=2000, factor=3.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (samples, 5))
    truth = np.array([rng.choice(5, p=p) for p in softmax(logits, axis=1)])
    return predict(softmax(factor * logits, axis=1), np.eye(5)[truth])


def test_a_head_that_is_too_sure_is_mended():
    found = too_sure()
    (head,) = calibration_of(found, np.arange(len(found)) % 5).heads
    assert head.temperature == pytest.approx(3, rel=0.1)
    assert (head.samples, head.remark) == (2000, "")
    assert head.before.error > 0.2
    assert head.after.error < 0.04
    assert head.after.log_loss < head.before.log_loss
    assert sum(b.count for b in head.after.bins) == 2000


def test_no_fold_has_a_say_in_its_own_temperature():
    found, folds = too_sure(samples=300), np.arange(300) % 3
    whole = cross_fitted(found, folds)
    for fold in range(3):
        rows = np.flatnonzero(folds == fold)
        others = found.take(np.flatnonzero(folds != fold))
        expected = with_temperature(found.probs[rows], "softmax", fit_temperature(others))
        np.testing.assert_allclose(whole.probs[rows], expected, atol=1e-6)


def test_labels_of_a_fold_do_not_change_its_own_probabilities():
    found, folds = too_sure(samples=300), np.arange(300) % 3
    turned = found.truth.copy()
    turned[folds == 0] = np.roll(turned[folds == 0], 1, axis=1)
    changed = cross_fitted(replace(found, targets=turned), folds)
    whole = cross_fitted(found, folds)
    assert np.array_equal(changed.probs[folds == 0], whole.probs[folds == 0])
    assert not np.array_equal(changed.probs[folds == 1], whole.probs[folds == 1])


def test_calibrated_data_need_no_temperature():
    found = too_sure(factor=1.0)
    (head,) = calibration_of(found, np.arange(len(found)) % 5).heads
    assert head.temperature == pytest.approx(1, abs=0.1)
    assert head.after.log_loss == pytest.approx(head.before.log_loss, abs=2e-3)


def test_each_head_has_its_own_temperature():
    heads = [Head("kind", "softmax", ("a", "b", "c")), Head("tags", "sigmoid", ("x", "y"))]
    found = fake_predictions(np.arange(200) % 3, heads)
    report = calibration_of(found, np.arange(200) % 4)
    assert [head.head for head in report.heads] == ["kind", "tags"]
    assert repr(report.heads[0].before) == repr(calibration(found.by_head()[0]))
    assert sum(b.count for b in report.heads[1].before.bins) == 400


@pytest.mark.parametrize("draw", [single_label, multi_label])
def test_the_log_loss_is_that_of_an_assessment_even_of_sure_mistakes(draw):
    found = draw(0)
    sure = replace(found, probs=np.roll(found.truth, 1, axis=0))
    for each in (found, sure):
        told = assess(each, resamples=0).heads[0].headline["log_loss"].value
        assert calibration(each).log_loss == pytest.approx(told, rel=1e-12)


def test_a_head_without_probabilities_has_no_log_loss():
    found = predict([[0.2, 2.0], [3.0, 0.1]], np.eye(2), "linear")
    assert np.isnan(calibration(found).log_loss)


def test_one_fold_is_honest_about_what_cannot_be():
    (head,) = calibration_of(multi_label(0), [0] * 40).heads
    assert head.after is None
    assert head.remark == "after: undefined: all samples are of one fold, and it needs two"


@pytest.mark.parametrize(
    ("targets", "bound", "remark"),
    [
        (np.eye(2), COLDEST, "below 0.05: probabilities are nearly equal"),
        (np.eye(2)[::-1], HOTTEST, "above 20.0: probabilities say next to nothing"),
    ],
)
def test_a_temperature_at_its_bound_is_told(targets, bound, remark):
    (head,) = calibration_of(predict([[0.501, 0.499], [0.499, 0.501]], targets), [0, 1]).heads
    assert head.temperature == pytest.approx(bound)
    assert remark in head.remark


def test_a_head_without_mistakes_is_told_to_be_as_sure_as_its_number_allows():
    found = predict([[0.9, 0.1]] * 98, np.eye(2)[[0] * 98])
    (head,) = calibration_of(found, np.arange(98) % 2).heads
    assert head.remark == (
        "nearly every answer is right: their number vouches for a mean confidence of 0.9900, "
        "and no temperature makes them surer"
    )


def measured(log_losses, errors, temperature=1.26):
    one, other = (
        Calibration(loss, error, error, ()) for loss, error in zip(log_losses, errors, strict=True)
    )
    return HeadCalibration("", 100, temperature, one, other)


def test_verdicts_are_of_what_was_measured():
    named = "A temperature of 1.26"
    better = measured((0.5, 0.4), (0.09, 0.02)).verdict
    assert better == (
        f"The model is surer than it should be. {named} lowers the log loss (0.5000 to 0.4000) and "
        "the calibration error (0.0900 to 0.0200)."
    )
    split = measured((0.5, 0.4), (0.0375, 0.0545)).verdict
    assert split == (
        f"{named} lowers the log loss (0.5000 to 0.4000), but raises the calibration error "
        "(0.0375 to 0.0545): the two disagree on whether the model is too sure."
    )
    worse = measured((0.4, 0.4), (0.03, 0.02)).verdict
    assert worse == (
        f"{named} would not lower the log loss (0.4000 to 0.4000), so none is applied; the "
        "calibration error (0.0300 to 0.0200)."
    )
    assert "less sure than it could be" in measured((0.5, 0.4), (0.1, 0.0), 0.7).verdict
    alone = replace(measured((0.5, 0.4), (0.1, 0.0)), after=None).verdict
    assert alone == f"{named} fits best; whether it helps takes two folds to tell."
    nothing = measured((float("nan"),) * 2, (0.1, 0.1)).verdict
    assert (
        nothing == "This output says no probabilities: there is nothing for a temperature to mend."
    )


def test_log_losses_are_those_of_a_report():
    found, folds = too_sure(samples=300), np.arange(300) % 3
    (head,) = calibration_of(found, folds).heads
    expected = (head.before.log_loss, head.after.log_loss)
    assert log_losses(found, folds, head.temperature) == pytest.approx(expected, rel=1e-12)


def test_folds_that_do_not_line_up_are_refused():
    with pytest.raises(DataError, match="expected one for each of 40 samples, got 2") as caught:
        calibration_of(multi_label(0), [0, 1])
    assert caught.value.slug == "data/no-predictions"
