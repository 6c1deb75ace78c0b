import numpy as np
import pytest
import scipy.special
import sklearn.metrics
import torch

from fivefold.losses import losses

torch.set_num_threads(1)


def batch(seed=0, samples=9, classes=4):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(classes), samples)
    return probs, np.eye(classes)[rng.integers(0, classes, samples)]


def value(name, probs, targets, **options):
    made = losses.get(name).make(torch.tensor(probs), torch.tensor(targets), **options)
    return made.mean().item()


def by_hand(formula, probs, targets):
    """Apply a formula of one p and one t to every number, and average as Keras does."""
    return np.mean([np.mean(list(map(formula, *row))) for row in zip(probs, targets, strict=True)])


FORMULAS = {
    "mean_squared_error": lambda p, t: (p - t) ** 2,
    "mean_absolute_error": lambda p, t: abs(p - t),
    "mean_absolute_percentage_error": lambda p, t: 100 * abs(t - p) / max(abs(t), 1e-7),
    "mean_squared_logarithmic_error": lambda p, t: (
        (np.log(max(p, 1e-7) + 1) - np.log(max(t, 1e-7) + 1)) ** 2
    ),
    "hinge": lambda p, t: max(1 - (1 if t else -1) * p, 0),
    "squared_hinge": lambda p, t: max(1 - (1 if t else -1) * p, 0) ** 2,
    "logcosh": lambda p, t: np.log(np.cosh(p - t)),
    "poisson": lambda p, t: p - t * np.log(p + 1e-7),
    "huber": lambda p, t: scipy.special.huber(1.0, p - t),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FORMULAS)
def test_it_is_kerass_formula_number_by_number(name, seed):
    probs, targets = batch(seed)
    expected = by_hand(FORMULAS[name], probs, targets)
    assert value(name, probs, targets) == pytest.approx(expected, rel=1e-6)


def test_mean_squared_and_absolute_errors_are_scikit_learns():
    probs, targets = batch()
    assert value("mse", probs, targets) == pytest.approx(
        sklearn.metrics.mean_squared_error(targets, probs)
    )
    assert value("mae", probs, targets) == pytest.approx(
        sklearn.metrics.mean_absolute_error(targets, probs)
    )


def test_categorical_hinge_is_kerass_formula():
    probs, targets = batch()
    each = []
    for p, t in zip(probs, targets, strict=True):
        right = sum(p * t)
        wrong = max(p * (1 - t))
        each.append(max(0, wrong - right + 1))
    assert value("categorical_hinge", probs, targets) == pytest.approx(np.mean(each))


def test_kl_divergence_is_scipys():
    probs, targets = batch()
    held = np.clip(targets, 1e-7, 1)
    expected = (scipy.special.kl_div(held, probs) + held - probs).sum(axis=1).mean()
    assert value("kullback_leibler_divergence", probs, targets) == pytest.approx(expected)


def test_cosine_similarity_is_minus_scikit_learns():
    probs, targets = batch()
    expected = -np.diag(sklearn.metrics.pairwise.cosine_similarity(probs, targets)).mean()
    assert value("cosine_proximity", probs, targets) == pytest.approx(expected)


def test_l2_loss_is_the_sum_over_classes_for_each_sample():
    probs, targets = batch()
    expected = ((probs - targets) ** 2).sum() / len(probs)
    assert value("l2_loss", probs, targets) == pytest.approx(expected)


def test_huber_ends_its_parabola_where_it_is_told():
    probs, targets = batch()
    expected = scipy.special.huber(0.2, probs - targets).mean()
    assert value("huber", probs, targets, delta=0.2) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("MSE", "mean_squared_error"),
        ("mae", "mean_absolute_error"),
        ("MAPE", "mean_absolute_percentage_error"),
        ("msle", "mean_squared_logarithmic_error"),
        ("kld", "kl_divergence"),
        ("cosine", "cosine_similarity"),
    ],
)
def test_kerass_short_names_are_known(alias, name):
    assert losses.get(alias).name == name
