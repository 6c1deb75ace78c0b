import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation.prediction_sets import (
    Levels,
    choose_levels,
    coverage_of,
    fewest_samples,
    sets_at,
    sets_of_models,
)


def check(predictions, levels):
    """Check the sets of one model."""
    return coverage_of(predictions, sets_at(predictions.probs, predictions.heads[0], levels))


def drawn(rng, samples, classes=6):
    """Draw samples that are all alike, with truths that follow other probabilities."""
    logits = rng.normal(0, 2, (samples, classes))
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    weights = np.exp(0.6 * logits) / np.exp(0.6 * logits).sum(axis=1, keepdims=True)
    truth = (weights.cumsum(axis=1) < rng.random((samples, 1))).sum(axis=1).clip(0, classes - 1)
    return predict(probs, np.eye(classes)[truth])


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_coverage_holds_on_new_samples_of_the_same_kind(coverage):
    rng = np.random.default_rng(0)
    covered, total = 0, 0
    for _ in range(200):
        levels = choose_levels(drawn(rng, 40), coverage)
        found = check(drawn(rng, 25), levels)
        covered, total = covered + round(found.covered * 25), total + 25
    # Draws that share a level go together, so this is somewhat stricter than it need be.
    assert binom.cdf(covered, total, coverage) > 1e-6


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_each_true_class_of_a_sigmoid_head_is_covered(coverage):
    rng = np.random.default_rng(1)
    covered, total = 0, 0
    for _ in range(200):
        probs = rng.random((80, 3))
        found = predict(probs, rng.random((80, 3)) < probs**2, "sigmoid")
        levels = choose_levels(found.take(range(50)), coverage)
        new = found.take(range(50, 80))
        sets = sets_at(new.probs, new.heads[0], levels)
        covered += int((sets & (new.truth > 0.5)).sum())
        total += int(new.truth.sum())
    assert binom.cdf(covered, total, coverage) > 1e-6


def kinds_of_models():
    return [
        LogisticRegression(),
        DecisionTreeClassifier(max_depth=4, random_state=0),
        GaussianNB(),
        KNeighborsClassifier(9),
        LogisticRegression(C=0.003),
    ]


def measure_many(draw, coverage, worlds=30, samples=250, new=300):
    """Fit really different models fold by fold, and say what their sets hold of new samples."""
    rng, hits, total = np.random.default_rng(0), 0, 0
    folds = np.arange(samples) % 5
    for _ in range(worlds):
        seen, truth, head = draw(rng, samples)
        unseen, expected, _ = draw(rng, new)
        oof, said = np.empty(truth.shape), []
        for fold, model in enumerate(kinds_of_models()):
            one = OneVsRestClassifier(model).fit(seen[folds != fold], truth[folds != fold])
            oof[folds == fold] = one.predict_proba(seen[folds == fold])
            said.append(one.predict_proba(unseen).astype(np.float32))
        known = Predictions(tuple(map(str, range(samples))), oof.astype(np.float32), (head,), truth)
        sets = sets_of_models(said, head, choose_levels(known, coverage))
        inside, true = sets & (expected > 0), expected > 0
        axis = 0 if head.activation == "sigmoid" else None  # of a softmax head all classes together
        hits, total = hits + inside.sum(axis=axis), total + true.sum(axis=axis)
    return hits / total


def draw_tags(rng, count):
    features = rng.normal(size=(count, 5))
    chance = 1 / (1 + np.exp(-2.5 * features[:, :2] - features[:, 2:4]))
    truth = (rng.random((count, 2)) < chance).astype(np.float32)
    return features, truth, Head("", "sigmoid", ("x", "y"))


def draw_kinds(rng, count):
    kinds = rng.integers(0, 4, count)
    centres = np.random.default_rng(5).normal(size=(4, 6))
    features = centres[kinds] + rng.normal(0, 1.3, (count, 6))
    return features, np.eye(4, dtype=np.float32)[kinds], Head("", "softmax", tuple("abcd"))


@pytest.mark.slow
@pytest.mark.parametrize("draw", [draw_tags, draw_kinds])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_votes_of_really_different_models_cover_new_samples(draw, coverage):
    covered = measure_many(draw, coverage)
    # Proven is only that misses at most double; what is seen is not one more.
    assert np.all(covered > coverage)
    assert np.all(covered < 0.5 + coverage / 2)


def test_levels_of_single_models_do_not_hold_for_their_mean():
    rng = np.random.default_rng(0)
    head, count = Head("", "sigmoid", ("a",)), 4000
    truth = (rng.random((count, 1)) < 0.5).astype(np.float32)
    # Each model is sure of all true ones but a few of its own, and knows nothing of another few.
    unsure = rng.integers(0, 5, count)

    def say(model, true):
        sure = np.where(true > 0, 0.9 + 0.1 * rng.random(true.shape), 0.1 * rng.random(true.shape))
        return np.where(unsure[:, None] == model, 0.5 * rng.random(true.shape), sure)

    said = [say(model, truth).astype(np.float32) for model in range(5)]
    folds = (np.arange(count) // 5) % 5
    oof = np.stack(said)[folds, np.arange(count)]
    levels = choose_levels(predict(oof, truth, "sigmoid"), 0.7)
    new = predict(np.mean(said, axis=0), truth, "sigmoid")
    assert coverage_of(new, sets_at(new.probs, head, levels)).covered < 0.4
    assert coverage_of(new, sets_of_models(said, head, levels)).covered > 0.7


def test_half_of_the_models_are_enough_and_answers_are_always_in():
    head = Head("", "sigmoid", ("a", "b", "c"))
    said = [np.array([row], np.float32) for row in ([0.9, 0.9, 0.1], [0.9, 0.1, 0.1])]
    levels = Levels((0.5, 0.5, 0.5))
    assert sets_of_models(said, head, levels).tolist() == [[True, True, False]]
    said.append(np.array([[0.9, 0.1, 0.9]], np.float32))
    assert sets_of_models(said, head, levels).tolist() == [[True, False, False]]
    answers = np.array([[False, False, True]])
    assert sets_of_models(said, head, levels, answers).tolist() == [[True, False, True]]


def test_sets_of_one_model_are_its_own():
    found = multi_label(0)
    levels = choose_levels(found, 0.8)
    own = sets_at(found.probs, found.heads[0], levels)
    np.testing.assert_array_equal(sets_of_models([found.probs], found.heads[0], levels), own)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.sampled_from([0.5, 0.75, 0.9, 0.95]))
def test_the_level_is_the_corrected_quantile(seed, samples, coverage):
    found = single_label(seed, samples=samples, digits=2)
    (level,) = choose_levels(found, coverage).levels
    own = (found.probs * found.truth).sum(axis=1)
    needed = np.ceil(np.round((samples + 1) * coverage, 6))
    if needed > samples:
        assert level == 0
        return
    # The level leaves in at least as many as are needed, and is the highest that does.
    assert (own >= np.float32(level)).sum() >= needed
    assert (own > np.float32(level)).sum() < needed


def test_too_few_samples_leave_no_class_out_and_say_so():
    levels = choose_levels(single_label(0, samples=8), 0.9)
    assert levels == Levels((0.0,), ("8 samples, 9 are needed: always in the set",))
    found = single_label(1)
    assert sets_at(found.probs, found.heads[0], levels).all()
    assert choose_levels(single_label(0, samples=9), 0.9).remarks == ()


@pytest.mark.parametrize(("coverage", "samples"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.99, 99)])
def test_fewest_samples_are_what_the_formula_says(coverage, samples):
    assert fewest_samples(coverage) == samples


def test_the_most_probable_class_is_always_in():
    head = Head("", "softmax", ("a", "b", "c"))
    probs = np.array([[0.4, 0.3, 0.3], [0.9, 0.06, 0.04]], np.float32)
    sets = sets_at(probs, head, Levels((0.95,)))
    assert sets.tolist() == [[True, False, False], [True, False, False]]


def test_sets_of_a_sigmoid_head_may_be_empty_and_classes_have_their_own_levels():
    head = Head("", "sigmoid", ("a", "b"))
    probs = np.array([[0.4, 0.3], [0.1, 0.1]], np.float32)
    assert sets_at(probs, head, Levels((0.4, 0.2))).tolist() == [[True, True], [False, False]]


def test_a_rare_class_is_never_ruled_out():
    found = predict([[0.9, 0.1]] * 20, [[1, 0]] * 20, "sigmoid")
    levels = choose_levels(found, 0.9)
    assert levels.levels == (float(np.float32(0.9)), 0.0)
    assert levels.remarks == ("'c1': 0 samples, 9 are needed: always in the set",)


def test_what_sets_come_to_is_counted():
    found = predict([[0.6, 0.4], [0.8, 0.2], [0.3, 0.7]], np.eye(2)[[1, 1, 1]])
    got = check(found, Levels((0.4,)))
    assert (got.samples, got.covered, got.size) == (3, pytest.approx(2 / 3), pytest.approx(4 / 3))
    assert 0 < got.interval[0] < 2 / 3 < got.interval[1] < 1


def test_interval_of_a_sigmoid_head_is_of_samples_drawn_anew():
    found = multi_label(0, samples=300)
    levels = choose_levels(found, 0.8)
    got, again = check(found, levels), check(found, levels)
    assert got == again
    hits = ((found.truth > 0.5) & sets_at(found.probs, found.heads[0], levels)).sum(axis=1)
    true = found.truth.sum(axis=1)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 300, (2000, 300))
    shares = hits[rows].sum(axis=1) / true[rows].sum(axis=1)
    assert got.interval == pytest.approx(np.quantile(shares, [0.025, 0.975]), abs=0.01)


@pytest.mark.parametrize(("level", "covered"), [(0.1, 1.0), (0.9, 0.0)])
def test_a_share_of_all_or_nothing_still_has_an_interval(level, covered):
    truth = np.ones((30, 2))
    truth[10:] = 0
    got = check(predict(np.full((30, 2), 0.5), truth, "sigmoid"), Levels((level, level)))
    assert got.covered == covered
    # 10 of 30 samples have a true class, so no more can be known than of 10
    expected = binomtest(int(10 * covered), 10).proportion_ci(method="wilson")
    assert got.interval == pytest.approx((expected.low, expected.high))


def test_coverage_of_nothing_true_is_undefined():
    got = check(predict([[0.2, 0.1]], [[0, 0]], "sigmoid"), Levels((0.5, 0.5)))
    assert np.isnan([got.covered, *got.interval]).all()
    assert got.size == 0


@pytest.mark.parametrize("coverage", [0.0, 1.0, float("nan")])
def test_impossible_coverage_is_refused(coverage):
    with pytest.raises(DataError, match="expected a number between 0 and 1, got") as caught:
        choose_levels(single_label(0), coverage)
    assert caught.value.slug == "data/coverage"
