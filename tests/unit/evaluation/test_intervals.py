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


OVER_CLASSES = (
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "cohen_kappa",
    "matthews_corrcoef",
)
SCIKIT_LEARNS = {
    "cohen_kappa": reference.cohen_kappa_score,
    "matthews_corrcoef": reference.matthews_corrcoef,
}


def with_rare_class(rng, count, share):
    """Draw a sigmoid head's, of which the last class is rare and hard."""
    truth = rng.random((count, 3)) < (0.4, 0.3, share)
    said = rng.random((count, 3)) < np.where(truth, (0.95, 0.9, 0.4), (0.03, 0.03, 0.004))
    return predict(np.where(said, 0.9, 0.1), truth, "sigmoid")


def of_class(name, true, said):
    """Compute a number of OVER_CLASSES for one class, NaN where it is undefined."""
    hits = (true & said).sum()
    if name in ("cohen_kappa", "matthews_corrcoef"):
        constant = len({*true}) == 1 or len({*said}) == 1
        nothing = constant and (name != "cohen_kappa" or (true == said).all())
        return np.nan if nothing else SCIKIT_LEARNS[name](true, said)
    recall = hits / true.sum() if true.any() else np.nan
    return {
        "balanced_accuracy": [recall, (~true & ~said).sum() / (~true).sum()],
        "macro_recall": recall,
        "macro_precision": hits / said.sum() if said.any() else np.nan,
        "macro_f1": 2 * hits / (true.sum() + said.sum()) if true.any() or said.any() else np.nan,
    }[name]


def of_classes(name, truth, said):
    """Compute a number of OVER_CLASSES for each class [C] or [C, 2]."""
    return np.array([of_class(name, *pair) for pair in zip(truth.T, said.T, strict=True)])


@pytest.mark.parametrize("name", OVER_CLASSES)
def test_a_class_that_a_resample_lacks_counts_there_as_in_all_samples(name):
    found = with_rare_class(np.random.default_rng(3), 150, 0.04)
    truth, said = found.truth > 0.5, found.probs > 0.5

    def numbers(rows):
        return of_classes(name, truth[rows], said[rows])

    whole, rng = numbers(np.arange(150)), np.random.default_rng(5)
    drawn_ones = [numbers(rng.integers(0, 150, 150)) for _ in range(200)]
    plain = [np.where(np.isnan(one), whole, one).mean() for one in drawn_ones]
    low, high = np.quantile(plain, [0.025, 0.975])
    estimate = head(found, resamples=4000).headline[name]
    assert estimate.value == pytest.approx(whole.mean())
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.2 * (high - low))


def test_a_rare_class_does_not_move_intervals_up():
    # Two samples of 120 are answered with the rare class, one is right: one resample in seven
    # lacks both, and has the two good classes left alone.
    truth, said = np.zeros((2, 120, 3), dtype=bool)
    truth[:60, 0] = said[:60, 0] = truth[30:90, 1] = said[30:90, 1] = True
    truth[:6, 2] = said[5:7, 2] = True
    probs = np.where(said, 0.9, 0.1)
    estimate = head(predict(probs, truth, "sigmoid")).headline["matthews_corrcoef"]
    # A thirtieth of the mean is of resamples that lack the class: that is no interval.
    assert np.isnan([estimate.low, estimate.high]).all()
    assert "so rarely answered, that many resamples lack them" in estimate.why
    more = head(predict(np.tile(probs, (2, 1)), np.tile(truth, (2, 1)), "sigmoid"))
    estimate = more.headline["matthews_corrcoef"]
    assert estimate.value == pytest.approx(
        2 / 3 + of_classes("matthews_corrcoef", truth, said)[2] / 3
    )
    # The rare class can be perfect at best, and was at worst wrong altogether.
    assert 2 / 3 - 0.02 < estimate.low < estimate.value < estimate.high < 0.95


def test_weighted_recall_has_an_interval_whatever_is_rare():
    truth = np.eye(3)[[0] * 30 + [1] * 29 + [2]]
    said = np.roll(truth, 3, axis=0)
    headline = head(predict(np.where(said, 0.8, 0.1), truth)).headline
    assert np.isnan(headline["macro_recall"].low)
    weighted, accuracy = headline["weighted_recall"], headline["accuracy"]
    assert (weighted.low, weighted.high) == pytest.approx((accuracy.low, accuracy.high))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro_f1", "macro_recall", "cohen_kappa", "matthews_corrcoef"])
def test_intervals_miss_as_often_above_as_below_where_a_class_is_rare(name):
    rng = np.random.default_rng(12)
    whole = head(with_rare_class(rng, 400_000, 0.04), resamples=0).headline[name].value
    found = [
        head(with_rare_class(rng, 200, 0.04), resamples=400).headline[name] for _ in range(300)
    ]
    low, high = np.array([(e.low, e.high) for e in found if not np.isnan(e.low)]).T
    assert len(low) > 200
    # Eight samples of a class: less than 0.95 is known of it, but on neither side much is missed.
    assert np.mean((low <= whole) & (whole <= high)) > 0.86
    assert np.mean(low > whole) < 0.09
    assert np.mean(high < whole) < 0.09


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
