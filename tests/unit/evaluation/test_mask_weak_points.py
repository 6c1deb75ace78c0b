"""What one number over all pixels hides."""

import numpy as np
import pytest

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head
from fivefold.evaluation.mask_assessment import assess_masks
from fivefold.evaluation.mask_weak_points import weak_points

ONE = Head("", "sigmoid", ("cell",))
TWO = Head("", "sigmoid", ("vessel", "lesion"))
THREE = Head("", "softmax", ("ground", "cell", "nucleus"))


def found_in(head, true, said, hits):
    """Judge images of 1000 pixels of which these counts [N, K] are known."""
    true, said, hits = (np.array(each, dtype=np.int64) for each in (true, said, hits))
    number = len(true)
    scores = MaskScores(
        ids=tuple(f"{i:03d}" for i in range(number)),
        heads=(head,),
        hits=hits,
        said=said,
        true=true,
        pixels=np.full(number, 1000),
        soft_hits=hits.astype(float),
        soft_said=said.astype(float),
        log_losses=np.zeros(number),
    )
    return weak_points(assess_masks(scores, resamples=0))


def rows(*parts):
    return [row for count, row in parts for _ in range(count)]


def test_good_masks_have_none():
    counts = [[500], [90]] * 10 + [[0]] * 4
    assert found_in(ONE, counts, counts, counts) == []


def test_a_dice_of_large_shapes_is_not_left_alone():
    true = rows((8, [900]), (4, [5]), (6, [0]))
    said = rows((8, [900]), (4, [0]), (5, [3]), (1, [0]))
    hits = rows((8, [900]), (10, [0]))
    assert found_in(ONE, true, said, hits) == [
        "Image by image it is worse: a mean dice of 0.471, against 0.998 over all pixels together.",
        "In 4 of 12 images with cell, no pixel of it is found (IoU 0).",
        "In 5 of 6 images without cell, some is found all the same.",
    ]


@pytest.mark.parametrize(("wrong", "of", "told"), [(2, 6, 0), (3, 60, 1), (3, 61, 0), (6, 6, 1)])
def test_few_images_are_not_told(wrong, of, told):
    true = rows((of, [0]), (70, [400]))
    said = rows((wrong, [1]), (of - wrong, [0]), (70, [400]))
    sentences = found_in(ONE, true, said, rows((of, [0]), (70, [400])))
    invented = [one for one in sentences if "without cell" in one]
    assert len(invented) == told
    if wrong == of:
        assert invented == ["In all 6 images without cell, some is found all the same."]


def test_of_several_classes_the_worst_is_named():
    true = rows((9, [400, 0]), (9, [0, 300]))
    said = rows((9, [400, 2]), (4, [1, 300]), (5, [0, 300]))
    hits = rows((9, [400, 0]), (9, [0, 300]))
    text = "In all 9 images without lesion, some is found all the same; of no other class in more."
    assert text in found_in(TWO, true, said, hits)


def test_the_background_has_no_part_in_it():
    true = rows((9, [0, 500, 500]))
    said = rows((9, [40, 480, 480]))
    assert found_in(THREE, true, said, rows((9, [0, 480, 480]))) == []


def test_of_exclusive_classes_means_are_without_the_background():
    true = rows((6, [100, 880, 20]), (6, [990, 5, 5]))
    said = rows((6, [100, 880, 20]), (6, [980, 10, 10]))
    hits = rows((6, [100, 880, 20]), (6, [980, 1, 1]))
    (sentence,) = found_in(THREE, true, said, hits)
    own = np.mean([1, 2 * 1 / 15])
    assert sentence.startswith(
        f"Image by image it is worse: a mean dice of what is not background of {own:.3f}, against "
    )
