import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from scipy import stats
from sklearn import metrics as reference

from fivefold.core.predictions import Predictions
from fivefold.evaluation.assessment import assess
from fivefold.evaluation.intervals import (
    Units,
    bound_of_all_alike,
    drawn,
    linearised,
    middle,
)

ANSWERED = ("accuracy", "macro_f1", "cohen_kappa", "matthews_corrcoef", "log_loss", "brier")


def head(predictions, **options):
    return assess(predictions, **options).heads[0]


def redrawn(predictions, count, measure):
    """Bootstrap in the plain way."""
    rng = np.random.default_rng(5)
    size = len(predictions)
    values = [measure(predictions, rng.integers(0, size, size)) for _ in range(count)]
    return np.nanpercentile(values, [2.5, 97.5], axis=0)


def test_numbers_of_answers_have_the_interval_of_the_plain_bootstrap():
    found = single_label(1, samples=150, classes=3)

    def measure(predictions, rows):
        part = Predictions(
            tuple(map(str, range(len(rows)))),
            predictions.probs[rows],
            predictions.heads,
            predictions.truth[rows],
        )
        headline = head(part, resamples=0).headline
        return [headline[name].value for name in ANSWERED]

    headline = head(found, resamples=4000).headline
    for name, low, high in zip(ANSWERED, *redrawn(found, 1000, measure), strict=True):
        room = 0.15 * (high - low)
        assert headline[name].low == pytest.approx(low, abs=room), name
        assert headline[name].high == pytest.approx(high, abs=room), name


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("roc_auc", reference.roc_auc_score),
        ("average_precision", reference.average_precision_score),
    ],
)
def test_numbers_of_ranking_have_nearly_the_interval_of_the_plain_bootstrap(name, measure):
    rng = np.random.default_rng(0)
    truth = rng.random((400, 2)) < 0.4
    probs = 1 / (1 + np.exp(-rng.normal(0, 1, (400, 2)) - 1.2 * truth))
    found = predict(probs, truth, "sigmoid")
    low, high = redrawn(found, 700, lambda p, rows: measure(p.truth[rows], p.probs[rows]))
    estimate = head(found, resamples=4000).headline[name]
    room = 0.2 * (high - low)
    assert estimate.low == pytest.approx(low, abs=room)
    assert estimate.high == pytest.approx(high, abs=room)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "roc_auc", "average_precision", "brier"])
def test_intervals_hold_the_number_of_the_whole_population_nearly_as_often_as_they_say(name):
    def draw(rng, count):
        truth = rng.random((count, 2)) < 0.35
        probs = 1 / (1 + np.exp(-rng.normal(-0.4, 1, (count, 2)) - 1.1 * truth))
        return predict(probs, truth, "sigmoid")

    rng = np.random.default_rng(11)
    whole = head(draw(rng, 400_000), resamples=0).headline[name].value
    held = [
        estimate.low <= whole <= estimate.high
        for estimate in (head(draw(rng, 250), resamples=400).headline[name] for _ in range(300))
    ]
    # 0.95 less what a percentile interval of few samples is short of, and three deviations
    assert 0.90 <= np.mean(held) <= 0.99


def test_groups_that_stay_together_make_intervals_wider():
    one = single_label(2, samples=60, classes=3)
    copies = Predictions(
        tuple(f"{i}-{k}" for k in range(8) for i in one.ids),
        np.tile(one.probs, (8, 1)),
        one.heads,
        np.tile(one.truth, (8, 1)),
    )
    groups = [name.split("-")[0] for name in copies.ids]
    alone, grouped = (head(copies, groups=g).headline["accuracy"] for g in (None, groups))
    expected = head(one).headline["accuracy"]
    assert grouped.high - grouped.low == pytest.approx(expected.high - expected.low, abs=1e-9)
    assert (grouped.high - grouped.low) / (alone.high - alone.low) == pytest.approx(8**0.5, rel=0.1)
    assert (assess(copies, groups=groups).units, assess(copies).units) == (60, 480)


def test_many_samples_are_resampled_in_random_groups_with_the_same_spread():
    rng = np.random.default_rng(1)
    right = rng.random(60_000) < 0.8
    found = predict(np.where(right[:, None], [[0.9, 0.1]], [[0.1, 0.9]]), [[1, 0]] * 60_000)
    estimate = head(found, resamples=2000).headline["accuracy"]
    expected = 2 * 1.96 * np.sqrt(0.8 * 0.2 / 60_000)
    assert estimate.high - estimate.low == pytest.approx(expected, rel=0.1)


def test_the_same_seed_gives_the_same_and_another_one_another():
    found = multi_label(0)
    one, same, other = (head(found, seed=seed).headline["macro_f1"] for seed in (1, 1, 2))
    assert one == same
    assert (one.low, one.high) != (other.low, other.high)


def test_an_interval_holds_its_number():
    # of so few resamples the middle often lies beside it
    for seed in range(6):
        found = head(single_label(seed, samples=12, classes=4), resamples=2)
        for estimate in found.headline.values():
            if not np.isnan(estimate.low):
                assert estimate.low <= estimate.value <= estimate.high


def test_a_share_of_all_in_groups_is_of_as_many_as_there_are_groups():
    found = predict([[0.9, 0.1], [0.2, 0.8]] * 50, np.eye(2)[[0, 1] * 50])
    groups = [f"patient {i % 10}" for i in range(100)]
    grouped = head(found, groups=groups)
    expected = stats.binomtest(10, 10).proportion_ci(0.95, "exact").low
    assert grouped.headline["accuracy"].low == pytest.approx(expected)
    assert grouped.classes[0].recall.low == pytest.approx(expected)
    assert head(found).headline["accuracy"].low > grouped.headline["accuracy"].low


@pytest.mark.parametrize("count", [1, 7, 300])
def test_a_share_of_none_or_all_has_clopper_and_pearsons_interval(count):
    expected = stats.binomtest(count, count).proportion_ci(0.95, "exact")
    assert bound_of_all_alike(1, count) == pytest.approx((expected.low, expected.high))
    expected = stats.binomtest(0, count).proportion_ci(0.95, "exact")
    assert bound_of_all_alike(0, count) == pytest.approx((expected.low, expected.high))


def test_units_are_told_by_their_names_alone():
    names = ["b", "a", "b", "c"]
    units = Units.of(names, 3)
    assert (units.of_samples.tolist(), units.count, units.known) == ([1, 0, 1, 2], 3, 3)
    many = [str(i) for i in range(12_000)]
    one, other = Units.of(many, 10), Units.of(many[::-1], 10)
    assert one.of_samples.tolist() == other.of_samples.tolist()[::-1]
    assert (one.count, one.known) == (10_000, 12_000)
    assert Units.of(many, 3_000).count == 1_000


def test_each_resample_draws_as_many_units_as_there_are():
    units = Units(np.arange(50), 50, 50)
    weights = np.concatenate([*drawn(units, 130, 3)])
    assert weights.shape == (130, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean(axis=0) == pytest.approx(1, abs=0.5)


def test_the_middle_leaves_out_resamples_without_a_number():
    values = np.array([[0.1, np.nan, 0.5], [0.2, np.nan, 0.5], [np.nan, np.nan, 0.5]])
    low, high = middle(values)
    assert (low[0], high[0]) == pytest.approx((0.1025, 0.1975))
    assert np.isnan([low[1], high[1], low[2], high[2]]).all()


def test_linearised_numbers_stay_between_0_and_1():
    value = np.array([0.5, 0.999, 1.0, 0.0, np.nan])
    found = linearised(value, np.array([[1e-6, 0.5, 0, 0, 0], [-3, -3, 0, 0, 0]]))
    assert found[0, 0] == pytest.approx(0.5 + 1e-6)
    assert (found[:, :2] >= 0).all()
    assert (found[:, :2] <= 1).all()
    assert found[0, 2:4].tolist() == [1, 0]
    assert np.isnan(found[0, 4])
