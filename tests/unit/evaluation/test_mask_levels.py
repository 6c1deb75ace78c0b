import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.threshold_aim import ThresholdAim
from fivefold.evaluation.mask_levels import (
    CUTS,
    Overlap,
    choose_levels_of_pixels,
    overlap_by_level,
)

NAMES = ("vessel", "lesion")


def image(seed, size=(9, 11), classes=2, share=0.4, ignored=0.1):
    rng = np.random.default_rng(seed)
    truth = (rng.random((*size, classes)) < share).astype(np.uint8)
    level = truth * 90.0 + rng.normal(80, 50, truth.shape)
    truth[rng.random(truth.shape) < ignored] = 255
    return level.clip(0, 255).astype(np.uint8), truth


def added(seeds, **options):
    overlap = Overlap.nothing(2, len(CUTS))
    for seed in seeds:
        overlap += overlap_by_level(*image(seed, **options))
    return overlap


def brute(seeds, level, k, **options):
    """Count hits, said, true and each image's dice where a class is above a level."""
    hits = said = true = 0
    dices = []
    for seed in seeds:
        probs, truth = image(seed, **options)
        counted = ~(truth == 255).any(axis=-1)
        shown, is_true = (probs[..., k] > level) & counted, (truth[..., k] == 1) & counted
        own = (int((shown & is_true).sum()), int(shown.sum()), int(is_true.sum()))
        hits, said, true = (a + b for a, b in zip((hits, said, true), own, strict=True))
        if own[1] + own[2]:
            dices.append(2 * own[0] / (own[1] + own[2]))
    return hits, said, true, dices


@given(st.integers(0, 1000), st.integers(0, 255), st.integers(0, 1))
def test_counts_at_any_level_are_those_of_brute_force(seed, level, k):
    overlap = added([seed, seed + 1])
    hits, said, true, dices = brute([seed, seed + 1], level, k)
    assert (overlap.hits[k, level], overlap.said[k, level]) == (hits, said)
    assert overlap.true[k, 0] == true
    assert overlap.compared[k, level] == len(dices)
    assert overlap.dice[k, level] == pytest.approx(sum(dices))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["dice", "iou", "f1"])
def test_no_threshold_has_a_higher_dice_of_all_pixels(seed, kind):
    seeds = [seed, seed + 1, seed + 2]
    thresholds, remarks = choose_levels_of_pixels(added(seeds), NAMES, ThresholdAim.of(kind))
    assert remarks == ()
    for k, threshold in enumerate(thresholds):

        def dice(level, k=k):
            hits, said, true, _ = brute(seeds, level, k)
            return 2 * hits / (said + true)

        chosen = int(np.searchsorted(CUTS, threshold))
        assert dice(chosen) == max(map(dice, range(256)))


@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_has_a_higher_mean_dice_over_images(seed):
    seeds = [seed, seed + 1, seed + 2]
    aim = ThresholdAim.of("image_dice")
    thresholds, _ = choose_levels_of_pixels(added(seeds), NAMES, aim)
    for k, threshold in enumerate(thresholds):
        scores = [np.mean(brute(seeds, level, k)[3] or [0]) for level in range(256)]
        chosen = int(np.searchsorted(CUTS, threshold))
        assert scores[chosen] == pytest.approx(max(scores))


def test_of_equally_good_thresholds_it_is_the_nearest_to_one_half():
    truth = np.zeros((4, 4, 1), np.uint8)
    truth[:2] = 1
    overlap = overlap_by_level(truth * 230 + 10, truth)
    assert choose_levels_of_pixels(overlap, ("a",), ThresholdAim.of("dice")) == ((0.5,), ())
    overlap = overlap_by_level(truth * 40 + 10, truth)
    (threshold,), _ = choose_levels_of_pixels(overlap, ("a",), ThresholdAim.of("image_iou"))
    assert threshold == 49.5 / 255


def test_precision_and_recall_can_be_asked_for():
    overlap = added(range(5))
    (high, _), _ = choose_levels_of_pixels(overlap, NAMES, ThresholdAim.of({"precision": 0.9}))
    level = int(np.searchsorted(CUTS, high))
    assert overlap.hits[0, level] / overlap.said[0, level] >= 0.9
    enough = overlap.hits[0] >= 0.9 * overlap.said[0]
    assert overlap.hits[0, level] == overlap.hits[0][enough].max()
    (low, _), _ = choose_levels_of_pixels(overlap, NAMES, ThresholdAim.of({"recall": 0.9}))
    level = int(np.searchsorted(CUTS, low))
    assert overlap.hits[0, level] / overlap.true[0, 0] >= 0.9


def test_one_threshold_for_all_classes_is_of_all_their_pixels():
    overlap = added(range(3))
    aim = ThresholdAim.of({"f_beta": 1, "per_class": False})
    (first, second), _ = choose_levels_of_pixels(overlap, NAMES, aim)
    assert first == second
    hits, said, true = (a.sum(axis=0) for a in (overlap.hits, overlap.said, overlap.true))
    scores = 2 * hits / (said + true)
    assert scores[int(np.searchsorted(CUTS, first))] == scores.max()


@pytest.mark.parametrize("kind", ["dice", "image_dice", "f1", {"recall": 0.9}])
def test_a_class_that_no_pixel_shows_keeps_one_half_and_is_told(kind):
    overlap = added(range(2), share=0.0)
    thresholds, remarks = choose_levels_of_pixels(overlap, NAMES, ThresholdAim.of(kind))
    assert thresholds == (0.5, 0.5)
    assert remarks[0] == "'vessel': no pixel shows it: the threshold stays 0.5"


def test_a_fixed_threshold_is_taken():
    overlap = added([0])
    assert choose_levels_of_pixels(overlap, NAMES, ThresholdAim.of(0.3)) == ((0.3, 0.3), ())


def test_sums_are_those_of_any_parts():
    parts = [added([seed]) for seed in range(4)]
    for order in itertools.permutations(range(4), 4):
        whole = sum((parts[i] for i in order), Overlap.nothing(2, len(CUTS)))
        np.testing.assert_array_equal(whole.hits, added(range(4)).hits)


@pytest.mark.parametrize(("aim", "square"), [("f2", 4.0), ("f0.5", 0.25), ("dice", 1.0)])
def test_the_score_of_all_pixels_is_the_f_that_is_asked_for(aim, square):
    overlap = added(range(4))
    hits, said, true = overlap.hits, overlap.said, overlap.true
    precision, recall = hits / np.maximum(said, 1), hits / true
    both = np.where(hits > 0, square * precision + recall, 1)
    expected = (1 + square) * precision * recall / both
    np.testing.assert_allclose(overlap.score(ThresholdAim.of(aim)), expected)
