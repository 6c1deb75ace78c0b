import json
import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from fivefold.core.errors import DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.seeding import generator_for
from fivefold.core.types import Head
from fivefold.evaluation.mask_assessment import assess_masks

THREE = Head("", "softmax", ("ground", "cell", "nucleus"))
TWO = Head("", "sigmoid", ("vessel", "lesion"))
ONE = Head("", "sigmoid", ("cell",))


def of_masks(truth, found, head=TWO, losses=None):
    """Count planes of 0 and 1 [N, H, W, K] by brute force."""
    counts = {"hits": truth * found, "said": found, "true": truth}
    sums = {name: planes.sum(axis=(1, 2)).astype(np.int64) for name, planes in counts.items()}
    number = len(truth)
    return MaskScores(
        ids=tuple(f"{i:03d}" for i in range(number)),
        heads=(head,),
        **sums,
        pixels=np.full(number, truth[0, ..., 0].size, dtype=np.int64),
        soft_hits=sums["hits"].astype(float),
        soft_said=sums["said"].astype(float),
        log_losses=np.zeros(number) if losses is None else losses,
    )


def planes(number, seed=0, classes=2, share=0.3):
    rng = np.random.default_rng(seed)
    truth = (rng.random((number, 6, 7, classes)) < share).astype(np.int64)
    found = np.where(rng.random(truth.shape) < 0.2, 1 - truth, truth)
    truth[0], found[0] = 0, 0  # an image that shows nothing
    truth[1], found[2] = 0, 0
    return truth, found


def exclusive(number, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, (number, 6, 7))
    found = np.where(rng.random(truth.shape) < 0.2, 0, truth)
    truth[0] = found[0] = 0
    return truth, found


def test_numbers_of_all_pixels_are_scikit_learns():
    truth, found = planes(8)
    assessed = assess_masks(of_masks(truth, found), resamples=0)
    flat = [a.reshape(-1, 2) for a in (truth, found)]
    oracles = {
        "iou": jaccard_score,
        "dice": f1_score,
        "precision": precision_score,
        "recall": recall_score,
    }
    for name, oracle in oracles.items():
        expected = oracle(*flat, average=None)
        got = [own.numbers[name].value for own in assessed.classes]
        np.testing.assert_allclose(got, expected)
        assert assessed.headline[name].value == pytest.approx(expected.mean())
    assert assessed.headline["pixel_accuracy"].value == pytest.approx((truth == found).mean())


def test_exclusive_classes_are_measured_with_and_without_the_background():
    truth, found = exclusive(8)
    scores = of_masks(np.eye(3, dtype=np.int64)[truth], np.eye(3, dtype=np.int64)[found], THREE)
    headline = assess_masks(scores, resamples=0).headline
    each = jaccard_score(truth.ravel(), found.ravel(), average=None)
    assert headline["iou"].value == pytest.approx(each.mean())
    assert headline["foreground_iou"].value == pytest.approx(each[1:].mean())
    assert headline["pixel_accuracy"].value == pytest.approx((truth == found).mean())


def test_means_over_images_leave_out_images_where_nothing_is_true_or_said():
    truth, found = planes(8)
    own = assess_masks(of_masks(truth, found), resamples=0).classes[1].numbers
    dices, ious = [], []
    for t, f in zip(truth[..., 1], found[..., 1], strict=True):
        if t.any() or f.any():
            dices.append(2 * (t & f).sum() / (t.sum() + f.sum()))
            ious.append((t & f).sum() / (t | f).sum())
    assert len(dices) == 7
    assert 0 in dices
    assert own["image_dice"].value == pytest.approx(np.mean(dices))
    assert own["image_iou"].value == pytest.approx(np.mean(ious))


def test_presence_is_counted_over_images():
    truth, found = planes(8)
    own = assess_masks(of_masks(truth, found), resamples=0).classes[0]
    is_there, is_said = truth[..., 0].any(axis=(1, 2)), found[..., 0].any(axis=(1, 2))
    assert (own.images, own.found) == (is_there.sum(), (is_there & is_said).sum())
    assert (own.without, own.quiet) == ((~is_there).sum(), (~is_there & ~is_said).sum())
    assert own.numbers["image_sensitivity"].value == own.found / own.images
    assert own.numbers["image_specificity"].value == own.quiet / own.without


def test_an_interval_is_that_of_brute_force():
    truth, found = planes(12, seed=3)
    scores = of_masks(truth, found)
    assessed = assess_masks(scores, resamples=200, seed=5)
    rng, values = generator_for(5, "bootstrap"), []
    for rows in rng.integers(0, 12, (200, 12)):
        hits, said, true = (getattr(scores, n)[rows].sum(axis=0) for n in ("hits", "said", "true"))
        values.append(hits / (said + true - hits))
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    for column, own in enumerate(assessed.classes):
        assert own.numbers["iou"].low == pytest.approx(low[column])
        assert own.numbers["iou"].high == pytest.approx(high[column])
    means = np.quantile(np.mean(values, axis=1), [0.025, 0.975])
    assert [assessed.headline["iou"].low, assessed.headline["iou"].high] == pytest.approx(means)


def test_groups_are_resampled_as_wholes():
    truth, found = planes(12, seed=3)
    alone = assess_masks(of_masks(truth, found), resamples=300)
    grouped = assess_masks(of_masks(truth, found), groups=["a", "b", "c"] * 4, resamples=300)
    assert (alone.units, grouped.units, grouped.grouped) == (12, 3, True)
    assert grouped.headline["iou"].value == alone.headline["iou"].value
    assert grouped.headline["iou"].low != alone.headline["iou"].low


def test_spread_is_over_folds():
    truth, found = planes(9, seed=1)
    folds = [0, 1, 2] * 3
    assessed = assess_masks(of_masks(truth, found), folds=folds, resamples=0)
    own = [
        assess_masks(of_masks(truth[k::3], found[k::3]), resamples=0).headline["dice"].value
        for k in range(3)
    ]
    assert assessed.headline["dice"].std_over_folds == pytest.approx(np.std(own))
    assert assessed.folds == (0, 1, 2)


def test_a_class_that_is_nowhere_is_undefined_and_left_out_of_means():
    truth, found = planes(8)
    truth[..., 1] = found[..., 1] = 0
    assessed = assess_masks(of_masks(truth, found), resamples=50)
    nowhere = assessed.classes[1].numbers
    undefined = {name for name, own in nowhere.items() if math.isnan(own.value)}
    assert undefined == {
        "iou",
        "dice",
        "precision",
        "recall",
        "image_iou",
        "image_dice",
        "image_sensitivity",
    }
    assert nowhere["iou"].why == "neither true nor said anywhere"
    assert nowhere["precision"].why == "said nowhere"
    assert nowhere["image_specificity"].value == 1
    assert nowhere["image_specificity"].low == pytest.approx(0.025 ** (1 / 8))
    assert assessed.headline["iou"].value == assessed.classes[0].numbers["iou"].value
    assert "over 1 of 2 classes; 'lesion': neither true nor said" in assessed.headline["iou"].why


def test_all_right_has_no_interval_and_says_why():
    truth, _ = planes(8)
    assessed = assess_masks(of_masks(truth, truth))
    assert assessed.headline["iou"].value == 1
    assert math.isnan(assessed.headline["iou"].low)
    assert assessed.headline["iou"].why == "no interval: all resamples are alike"


def test_a_class_in_one_image_leaves_the_mean_over_classes_without_interval():
    truth, found = planes(8)
    truth[3:, ..., 1] = found[3:, ..., 1] = 0
    truth[:2, ..., 1] = found[:2, ..., 1] = 0
    assessed = assess_masks(of_masks(truth, found))
    assert math.isnan(assessed.headline["iou"].low)
    assert "so rare" in assessed.headline["iou"].why


def test_images_of_which_no_pixel_counts_are_told_and_in_no_number():
    truth, found = planes(8)
    scores = of_masks(truth, found)
    scores.pixels[0] = 0
    assessed = assess_masks(scores)
    assert assessed.classes[0].without == 1
    assert assessed.notes == ("1 images have no pixel that counts: they are in no number",)
    scores.log_losses[1:] = 2.0
    assert assess_masks(scores).headline["log_loss"].value == 2


def test_one_image_has_numbers_but_no_intervals():
    truth, found = planes(9)
    assessed = assess_masks(of_masks(truth[3:4], found[3:4]))
    assert assessed.headline["iou"].is_defined
    assert assessed.resamples == 0
    assert "one sample only" in assessed.notes[0]


def test_no_images_are_an_error():
    truth, found = planes(4)
    with pytest.raises(DataError, match=r"masks: expected at least 1 image to measure, got 0"):
        assess_masks(of_masks(truth, found).take([]))


def test_folds_of_fewer_images_are_an_error():
    truth, found = planes(4)
    with pytest.raises(DataError, match=r"assess_masks: folds: expected 4, got 3"):
        assess_masks(of_masks(truth, found), folds=[0, 1, 1])


def test_the_order_of_images_changes_nothing():
    scores = of_masks(*planes(10))
    turned = scores.take(list(range(9, -1, -1)))
    records = [json.dumps(assess_masks(own).record()) for own in (scores, turned)]
    assert json.loads(records[0])["heads"][0]["classes"] is not None
    first, second = (json.loads(text)["heads"][0]["headline"]["iou"] for text in records)
    assert first["low"] == pytest.approx(second["low"])


def test_a_record_says_how_empty_masks_are_counted_and_holds_no_nan():
    truth, found = planes(8)
    truth[..., 1] = 0
    text = json.dumps(assess_masks(of_masks(truth, found)).record(), allow_nan=False)
    record = json.loads(text)
    assert "means over images leave out" in record["empty_masks"]
    assert record["heads"][0]["classes"][1]["recall"]["value"] is None


def test_one_class_has_its_own_numbers_as_headline():
    truth, found = planes(8, classes=1)
    assessed = assess_masks(of_masks(truth, found, ONE))
    numbers = assessed.classes[0].numbers
    assert {name: assessed.headline[name] for name in numbers} == numbers
    assert not any(name.startswith("foreground") for name in assessed.headline)
