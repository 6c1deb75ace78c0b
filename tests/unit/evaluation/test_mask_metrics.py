import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn
from torchmetrics.functional import segmentation

from fivefold import mask_metric, metric
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head
from fivefold.evaluation import (
    compute,
    direction,
    find_mask_metric,
    metrics,
    resolve_monitor,
)
from fivefold.evaluation.mask_metrics import mask_metrics

torch.set_num_threads(1)

EXCLUSIVE = Head("", "softmax", ("background", "cat", "Big dog"))
PLANES = Head("", "sigmoid", ("cat", "dog", "sky"))
ONE = Head("", "sigmoid", ("cell",))
HEADS = pytest.mark.parametrize("head", [EXCLUSIVE, PLANES, ONE], ids=["classes", "planes", "one"])


def masks(head, images=5, size=(9, 8), seed=0):
    """Draw what is said and what is true, bool [N, K, H, W]."""
    rng = np.random.default_rng(seed)
    if head.activation == "softmax":
        numbers = np.arange(head.num_classes)[:, None, None]
        said, true = (
            rng.choice(head.num_classes, (images, 1, *size), p=[0.6, 0.3, 0.1]) == numbers
            for _ in range(2)
        )
    else:
        said, true = (rng.random((images, head.num_classes, *size)) < 0.3 for _ in range(2))
    return said, true


def scores_of(said, true, head, probs=None):
    """Count as the engine does, every pixel counting."""
    ids = tuple(f"s{i}" for i in range(len(said)))
    probs = said.astype(float) if probs is None else probs
    own = np.clip(np.where(true, probs, 1 - probs), 1e-7, 1)
    lost = -np.log(own).mean((1, 2, 3))
    if head.activation == "softmax":
        lost = -(np.log(np.clip(probs, 1e-7, 1)) * true).sum(1).mean((1, 2))
    return MaskScores(
        ids,
        (head,),
        hits=(said & true).sum((2, 3)),
        said=said.sum((2, 3)),
        true=true.sum((2, 3)),
        pixels=np.full(len(said), said.shape[2] * said.shape[3]),
        soft_hits=(probs * true).sum((2, 3)),
        soft_said=probs.sum((2, 3)),
        log_losses=lost,
    )


def columns(array):
    """Write every pixel as a row [N H W, K]."""
    return array.transpose(0, 2, 3, 1).reshape(-1, array.shape[1]).astype(int)


def one(name, scores):
    return compute(scores, [name])[name]


SKLEARN = {
    "iou": (sklearn.jaccard_score, {"average": "macro"}),
    "iou_score": (sklearn.jaccard_score, {"average": "macro"}),
    "dice": (sklearn.f1_score, {"average": "macro"}),
    "macro_f1": (sklearn.f1_score, {"average": "macro"}),
    "f2_score": (sklearn.fbeta_score, {"average": "macro", "beta": 2}),
    "precision": (sklearn.precision_score, {"average": "macro"}),
    "recall": (sklearn.recall_score, {"average": "macro"}),
    "micro_iou": (sklearn.jaccard_score, {"average": "micro"}),
    "micro_f1": (sklearn.f1_score, {"average": "micro"}),
    "micro_precision": (sklearn.precision_score, {"average": "micro"}),
    "micro_recall": (sklearn.recall_score, {"average": "micro"}),
    "weighted_f1": (sklearn.f1_score, {"average": "weighted"}),
    "weighted_precision": (sklearn.precision_score, {"average": "weighted"}),
    "weighted_recall": (sklearn.recall_score, {"average": "weighted"}),
}


@HEADS
@pytest.mark.parametrize("name", SKLEARN)
def test_metrics_of_all_pixels_are_scikit_learns(name, head):
    said, true = masks(head)
    function, options = SKLEARN[name]
    options = options | {"average": "binary"} if head is ONE else options
    expected = function(columns(true), columns(said), **options)
    assert one(name, scores_of(said, true, head)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("accuracy", sklearn.accuracy_score),
        ("balanced_accuracy", sklearn.balanced_accuracy_score),
        ("matthews_corrcoef", sklearn.matthews_corrcoef),
        ("cohen_kappa", sklearn.cohen_kappa_score),
    ],
)
def test_agreement_of_exclusive_classes_is_scikit_learns(name, function):
    said, true = masks(EXCLUSIVE)
    expected = function(true.argmax(1).ravel(), said.argmax(1).ravel())
    assert one(name, scores_of(said, true, EXCLUSIVE)) == pytest.approx(expected)


@HEADS
def test_binary_accuracy_and_muskets_correlation_are_over_all_answers(head):
    said, true = masks(head)
    scores = scores_of(said, true, head)
    assert one("binary_accuracy", scores) == pytest.approx((said == true).mean())
    expected = sklearn.matthews_corrcoef(true.ravel(), said.ravel())
    assert one("matthews_correlation", scores) == pytest.approx(expected)
    if head is not EXCLUSIVE:
        assert one("acc", scores) == one("binary_accuracy", scores)


@HEADS
def test_specificity_is_the_recall_of_what_is_not_shown(head):
    said, true = masks(head)
    average = "binary" if head is ONE else "macro"
    expected = sklearn.recall_score(1 - columns(true), 1 - columns(said), average=average)
    assert one("specificity", scores_of(said, true, head)) == pytest.approx(expected)


@HEADS
@pytest.mark.parametrize("measure", ["iou", "dice"])
def test_image_by_image_they_are_torchmetrics(measure, head):
    said, true = masks(head)
    said[0, -1] = true[0, -1] = False
    true[1, -1] = False
    theirs = {"iou": segmentation.mean_iou, "dice": segmentation.dice_score}[measure]
    options = {} if measure == "iou" else {"average": "none"}
    values = []
    for k in range(head.num_classes):
        own = [torch.from_numpy(np.stack([~a[:, k], a[:, k]], 1)).long() for a in (said, true)]
        if measure == "iou":
            found = theirs(*own, num_classes=2, per_class=True)[:, 1].numpy()
        else:
            found = theirs(*own, num_classes=2, **options)[:, 1].numpy()
        there = (said[:, k] | true[:, k]).any((1, 2))
        values.append(found[there].mean())
    scores = scores_of(said, true, head)
    assert one(f"image_{measure}", scores) == pytest.approx(np.mean(values), rel=1e-6)
    last = head.class_names[-1]
    assert one(f"image_{measure}_{last}", scores) == pytest.approx(values[-1], rel=1e-6)


@HEADS
def test_single_classes_have_their_own_numbers(head):
    said, true = masks(head)
    scores = scores_of(said, true, head)
    for k, name in enumerate(head.class_names):
        flat = true[:, k].ravel(), said[:, k].ravel()
        assert one(f"iou_{name}", scores) == pytest.approx(sklearn.jaccard_score(*flat))
        assert one(f"DICE_{name.upper()}", scores) == pytest.approx(sklearn.f1_score(*flat))
        assert one(f"precision_{name}", scores) == pytest.approx(sklearn.precision_score(*flat))
        assert one(f"recall_{name}", scores) == pytest.approx(sklearn.recall_score(*flat))


def test_the_foreground_is_without_the_first_of_exclusive_classes():
    for head in (EXCLUSIVE, PLANES):
        said, true = masks(head)
        scores = scores_of(said, true, head)
        chosen = head.class_names[int(head is EXCLUSIVE) :]
        for name in ("iou", "dice"):
            expected = np.mean([one(f"{name}_{c}", scores) for c in chosen])
            assert one(f"foreground_{name}", scores) == pytest.approx(expected)


def test_soft_scores_add_up_probabilities():
    said, true = masks(PLANES)
    probs = np.random.default_rng(1).random(said.shape)
    scores = scores_of(said, true, PLANES, probs)
    both, total = (probs * true).sum((0, 2, 3)), (probs + true).sum((0, 2, 3))
    assert one("soft_dice", scores) == pytest.approx((2 * both / total).mean())
    assert one("soft_iou", scores) == pytest.approx((both / (total - both)).mean())


def test_a_class_that_is_nowhere_is_left_out_and_without_any_it_is_undefined():
    said, true = masks(PLANES)
    said[:, 1] = true[:, 1] = False
    scores = scores_of(said, true, PLANES)
    expected = (one("iou_cat", scores) + one("iou_sky", scores)) / 2
    assert math.isnan(one("iou_dog", scores))
    assert one("iou", scores) == pytest.approx(expected)
    said[:] = true[:] = False
    nothing = scores_of(said, true, PLANES)
    for name in ("iou", "dice", "image_iou", "micro_iou", "precision", "recall", "soft_dice"):
        assert math.isnan(one(name, nothing)), name
    assert one("binary_accuracy", nothing) == 1


@pytest.mark.parametrize("measure", ["dice", "iou", "map10"])
def test_muskets_rules_for_images_without_objects(measure):
    said, true = masks(ONE)
    said[0] = true[0] = False  # neither
    true[1] = False  # a false alarm
    scores = scores_of(said, true, ONE)
    both, total = scores.hits[:, 0], scores.said[:, 0] + scores.true[:, 0]
    with np.errstate(invalid="ignore"):
        values = 2 * both / total if measure == "dice" else both / (total - both)
    if measure == "map10":
        values = np.array([np.mean([v > t / 100 for t in range(50, 100, 5)]) for v in values])
    rest = values[1:]
    for rule, expected in {
        "zero": rest.sum() / 5,
        "one": (rest.sum() + 1) / 5,
        "skip": rest.mean(),
    }.items():
        found = one(f"{measure}_true_negative_is_{rule}", scores)
        assert found == pytest.approx(expected, abs=1e-6)


@HEADS
def test_log_loss_is_scikit_learns(head):
    said, true = masks(head)
    probs = np.random.default_rng(1).random(said.shape)
    if head is EXCLUSIVE:
        probs /= probs.sum(1, keepdims=True)
        expected = sklearn.log_loss(
            columns(true).argmax(1), probs.transpose(0, 2, 3, 1).reshape(-1, 3)
        )
    else:
        expected = sklearn.log_loss(true.ravel(), probs.ravel())
    scores = scores_of(said, true, head, probs)
    own = "categorical_crossentropy" if head is EXCLUSIVE else "binary_crossentropy"
    for name in ("log_loss", "ce", own):
        assert one(name, scores) == pytest.approx(expected)


def test_without_images_there_is_nothing_to_measure():
    said, true = masks(ONE)
    nothing = scores_of(said, true, ONE).take([])
    for name in mask_metrics.names():
        if name != "categorical_crossentropy":
            with pytest.raises(DataError, match="expected masks of at least 1 image, got 0"):
                compute(nothing, [name])


def test_the_prefix_and_the_spelling_are_kept():
    scores = scores_of(*masks(ONE), ONE)
    found = compute(scores, ["IoU", "binary_accuracy", "iou_coef"], prefix="val_")
    assert list(found) == ["val_IoU", "val_binary_accuracy", "val_iou_coef"]
    assert found["val_IoU"] == found["val_iou_coef"]


@pytest.mark.parametrize(
    ("name", "message", "slug"),
    [
        ("auc", "of masks, got 'auc'\n.*needs the probabilities of all pixels", "refused-metric"),
        (
            "dice_with_custom_treshold_true_negative_is_one",
            "got 'dice_with_custom_treshold_true_negative_is_one'\n.*`thresholds` searches",
            "refused-metric",
        ),
        ("mse", "of masks, got 'mse'\n.*it measures whole images", "refused-metric"),
        ("crf_loss", "got 'crf_loss'\n.*labels of the words of a text", "refused-metric"),
        ("iou_cow", "metric of masks, got 'iou_cow'\n.*did you mean 'iou_c", "unknown-name"),
        ("dicee", "metric of masks, got 'dicee'\n.*did you mean 'dice'", "unknown-name"),
        ("ce_of_all", "metric of masks, got 'ce_of_all'", "unknown-name"),
        (
            "categorical_crossentropy",
            "expected a metric for activation 'sigmoid', got 'categorical_cross",
            "refused-metric",
        ),
    ],
)
def test_what_cannot_be_measured_of_masks_is_told(name, message, slug):
    with pytest.raises(ConfigError, match=message) as error:
        compute(scores_of(*masks(PLANES), PLANES), ["dice", name])
    assert error.value.problems[0].slug == f"config/{slug}"


def test_a_loss_for_another_kind_of_classes_is_told():
    scores = scores_of(*masks(PLANES), PLANES)
    metric = mask_metrics.get("categorical_crossentropy").make
    with pytest.raises(DataError, match="categorical_crossentropy: expected masks of another") as e:
        metric(scores)
    assert e.value.slug == "data/mask-metric"


@pytest.fixture
def own(monkeypatch):
    """Let a test add parts that are gone after it."""
    for catalog in (mask_metrics, metrics):
        for kept in ("_by_name", "_by_key"):
            monkeypatch.setattr(catalog, kept, dict(getattr(catalog, kept)))


def test_a_metric_of_ones_own_is_given_what_was_counted(own):
    @mask_metric("share", best="min")
    def share_said(scores, *, of="said"):
        return getattr(scores, of).sum() / scores.pixels.sum()

    scores = scores_of(*masks(ONE), ONE)
    expected = scores.said.sum() / scores.pixels.sum()
    assert compute(scores, ["Share"]) == {"Share": pytest.approx(expected)}
    assert direction("val_share_said") == "min"


def test_a_metric_of_ones_own_that_gives_no_number_is_told_by_its_line(own):
    @mask_metric(best="max")
    def of_each(scores):
        return scores.hits

    with pytest.raises(ConfigError, match=r"metric 'of_each': expected one number") as error:
        compute(scores_of(*masks(ONE), ONE), ["of_each"])
    assert error.value.problems[0].slug == "config/part-result"


def test_a_metric_of_ones_own_for_whole_images_is_none_of_masks(own):
    @metric(best="max")
    def hit_rate(predictions):
        return 1.0

    message = "of masks, got 'hit_rate'\n.*`mask_metric` adds one of masks"
    with pytest.raises(ConfigError, match=message):
        compute(scores_of(*masks(ONE), ONE), ["hit_rate"])


def test_monitors_know_the_direction_of_metrics_of_masks():
    assert direction("val_image_dice") == "max"
    assert direction("val_foreground_iou_holdout".removesuffix("_holdout")) == "max"
    assert direction("val_soft_iou") == "max"
    assert direction("val_iou_loss") == "min"
    assert direction("val_iou_cell") == "max"


def test_monitors_are_found_by_any_spelling():
    available = ["loss", "val_loss", "iou", "val_iou", "val_binary_accuracy", "val_micro_dice"]
    assert resolve_monitor("val_iou_coef", available) == "val_iou"
    assert resolve_monitor("val_iot", available) == "val_iou"
    assert resolve_monitor("val_micro_f1", available) == "val_micro_dice"
    assert resolve_monitor("val_image_iou", available) is None


def test_a_name_that_whole_images_have_too_means_the_same_metric():
    for spelling in mask_metrics.spellings():
        other = metrics.find(spelling)
        if other is not None:
            assert mask_metrics.find(spelling).name == other.name
            assert mask_metrics.find(spelling).facts["best"] == other.facts["best"]


def test_names_of_classes_are_taken_on_trust_until_the_classes_are_known():
    assert find_mask_metric("iou_cow") is not None
    assert find_mask_metric("iou_cow", PLANES) is None
    assert find_mask_metric("iou_SKY", PLANES) is not None
    assert find_mask_metric("acc_sky") is None


def test_classes_whose_names_differ_in_case_alone_are_told_apart():
    head = Head("", "sigmoid", ("Cat", "cat", "Sky"))
    for name in ("iou_Cat", "iou_cat", "IoU_cat", "iou_SKY"):
        assert find_mask_metric(name, head) is not None
    assert find_mask_metric("iou_CAT", head) is None
    hits = np.array([[1, 2, 3]])
    scores = MaskScores(
        ("a",),
        (head,),
        hits,
        hits * 0 + 3,
        hits * 0 + 3,
        hits[:, 0] * 9,
        hits / 1,
        hits / 1,
        hits[:, 0] / 1,
    )
    found = compute(scores, ["iou_Cat", "iou_cat", "iou_SKY"])
    assert found == pytest.approx({"iou_Cat": 1 / 5, "iou_cat": 2 / 4, "iou_SKY": 1})
