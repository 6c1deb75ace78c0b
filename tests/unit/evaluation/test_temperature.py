import numpy as np
import pytest
from drawn_predictions import predict
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from fivefold.core.errors import DataError, NumericError
from fivefold.evaluation.temperature import (
    COLDEST,
    HOTTEST,
    fit_temperature,
    mean_confidence,
    surest,
    with_temperature,
)


def drawn(seed, factor, samples=400, classes=5):
    """Draw logits that are right up to a factor, and what they are right about."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (samples, classes))
    truth = np.array([rng.choice(classes, p=p) for p in softmax(logits, axis=1)])
    return factor * logits, np.eye(classes)[truth]


def drawn_answers(seed, factor, samples=400, classes=3):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (samples, classes))
    return factor * logits, rng.random((samples, classes)) < expit(logits)


@pytest.mark.parametrize("factor", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_temperature_of_a_softmax_head_is_scipys_on_logits(seed, factor):
    logits, targets = drawn(seed, factor)
    found = fit_temperature(predict(softmax(logits, axis=1), targets))

    def loss(t):
        return -(targets * log_softmax(logits / t, axis=1)).sum(axis=1).mean()

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8})
    assert found == pytest.approx(best.x, rel=1e-4)


@pytest.mark.parametrize("factor", [0.3, 1.0, 2.5])
def test_temperature_of_a_sigmoid_head_is_scipys_on_logits(factor):
    logits, targets = drawn_answers(0, factor)
    found = fit_temperature(predict(expit(logits), targets, "sigmoid"))

    def loss(t):
        return np.logaddexp(0, np.where(targets, -logits, logits) / t).mean()

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8})
    assert found == pytest.approx(best.x, rel=1e-4)


def test_temperature_is_torchs_of_lbfgs():
    import torch

    logits, targets = drawn(3, 1.7)
    found = fit_temperature(predict(softmax(logits, axis=1), targets))
    temperature = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([temperature], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        scaled = torch.tensor(logits) / temperature
        loss = torch.nn.functional.cross_entropy(scaled, torch.tensor(targets.argmax(axis=1)))
        loss.backward()
        return loss

    optimizer.step(closure)
    assert found == pytest.approx(temperature.item(), rel=1e-4)


@pytest.mark.parametrize("temperature", [0.1, 0.7, 3.0])
def test_scaled_probabilities_are_those_of_divided_logits(temperature):
    logits, _ = drawn(0, 1.0)
    scaled = with_temperature(softmax(logits, axis=1).astype(np.float32), "softmax", temperature)
    np.testing.assert_allclose(scaled, softmax(logits / temperature, axis=1), atol=1e-6)
    assert scaled.dtype == np.float32
    answers, _ = drawn_answers(0, 1.0)
    scaled = with_temperature(expit(answers).astype(np.float32), "sigmoid", temperature)
    np.testing.assert_allclose(scaled, expit(answers / temperature), atol=1e-5)


def test_temperature_1_changes_no_bit():
    probs = np.array([[0.0, 1.0], [0.3, 0.7]], np.float32)
    assert with_temperature(probs, "softmax", 1.0) is probs


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_certain_answers_stay_finite_and_in_range(activation):
    probs = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], np.float32)
    for temperature in (COLDEST, 0.5, 2.0, HOTTEST):
        scaled = with_temperature(probs, activation, temperature)
        assert np.isfinite(scaled).all()
        assert scaled.min() >= 0
        assert scaled.max() <= 1
        assert (scaled.argmax(axis=1) == probs.argmax(axis=1)).all()


def test_many_samples_are_worked_on_in_parts(monkeypatch):
    logits, targets = drawn(0, 2.0)
    found = predict(softmax(logits, axis=1), targets)
    whole = fit_temperature(found)
    monkeypatch.setattr("fivefold.evaluation.temperature._CELLS", 64)
    assert fit_temperature(found) == pytest.approx(whole, rel=1e-9)
    scaled = with_temperature(found.probs, "softmax", 2.0)
    np.testing.assert_allclose(scaled, softmax(logits / 2, axis=1), atol=1e-6)


def test_equal_probabilities_have_no_temperature():
    assert fit_temperature(predict([[0.25] * 4] * 3, np.eye(4)[[0, 1, 1]])) == 1.0
    assert fit_temperature(predict([[0.5, 0.5]] * 3, [[1, 0]] * 3, "sigmoid")) == 1.0
    assert fit_temperature(predict([[1.0, 0.0]] * 3, [[1, 0]] * 3)) == 1.0


def test_temperature_ends_at_its_bounds():
    right = [[0.501, 0.499], [0.499, 0.501]]
    assert fit_temperature(predict(right, np.eye(2))) == pytest.approx(COLDEST)
    assert fit_temperature(predict(right, np.eye(2)[::-1])) == pytest.approx(HOTTEST)
    assert fit_temperature(predict(right, np.eye(2)), start=HOTTEST) == pytest.approx(COLDEST)


@pytest.mark.parametrize("mistakes", [0, 1])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_no_temperature_makes_answers_surer_than_their_number_vouches_for(activation, mistakes):
    rng, count = np.random.default_rng(0), 120
    logits = np.stack([rng.uniform(0.5, 2, count), rng.uniform(-2, -0.5, count)], axis=1)
    logits[:mistakes] *= -0.001  # wrong, but by next to nothing
    targets = np.eye(2)[[0] * count]
    shares = softmax(logits, axis=1) if activation == "softmax" else expit(logits)
    found = predict(shares, targets, activation)
    answers = count if activation == "softmax" else 2 * count
    temperature = fit_temperature(found)
    assert COLDEST < temperature < 1
    scaled = with_temperature(found.probs, activation, temperature).astype(np.float64)
    sure = scaled.max(axis=1) if activation == "softmax" else np.maximum(scaled, 1 - scaled)
    assert sure.mean() == pytest.approx((answers + 1) / (answers + 2), abs=1e-5)
    assert surest(found) == (answers + 1) / (answers + 2)
    assert mean_confidence(found, temperature) == pytest.approx(sure.mean(), abs=1e-5)


def test_right_answers_that_are_surer_than_their_number_vouches_for_stay():
    assert fit_temperature(predict([[0.999, 0.001]] * 50, [[1, 0]] * 50)) == 1.0


def test_one_wrong_answer_that_was_certain_is_no_stop():
    probs = np.eye(2)[[0] * 50]
    targets = np.eye(2)[[1] + [0] * 49]
    temperature = fit_temperature(predict(probs, targets))
    assert COLDEST < temperature <= HOTTEST


def test_nothing_can_be_chosen_on_what_is_not_there():
    with pytest.raises(DataError, match="expected predictions for at least 1 sample, got 0"):
        fit_temperature(predict(np.zeros((0, 2)), np.zeros((0, 2))))
    with pytest.raises(NumericError, match="s1: expected finite probabilities, got NaN"):
        fit_temperature(predict([[0.5, 0.5], [np.nan, 0.5]], np.eye(2)))
