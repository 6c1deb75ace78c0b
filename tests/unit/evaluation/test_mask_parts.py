import numpy as np
import pytest
from scipy import ndimage

from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Head
from fivefold.evaluation.mask_answers import without_small_parts
from fivefold.evaluation.mask_levels import Overlap
from fivefold.evaluation.mask_parts import areas_to_try, choose_areas, overlap_by_area

TWO = Head("", "sigmoid", ("vessel", "lesion"))
THREE = Head("", "softmax", ("ground", "cell", "nucleus"))


def test_areas_grow_by_a_fifth_up_to_a_quarter_of_the_map():
    areas = areas_to_try(320 * 320)
    assert areas[:8].tolist() == [0, 2, 3, 4, 5, 6, 7, 9]
    assert 320 * 320 / 4 / 1.2 < areas[-1] <= 320 * 320 / 4
    assert (np.diff(areas) > 0).all()
    assert areas_to_try(1).tolist() == [0]


def masks(seed, head):
    rng = np.random.default_rng(seed)
    noise = ndimage.uniform_filter(rng.random((30, 40, 3)), (3, 3, 0))
    if head.activation == "softmax":
        said = noise.argmax(axis=-1)[..., None]
        truth = np.where(rng.random(said.shape) < 0.8, said, 0)
    else:
        said = (noise[..., :2] > 0.55).astype(int)
        truth = np.where(rng.random(said.shape) < 0.8, said, 0)
    truth[rng.random(truth.shape) < 0.05] = 255
    return said.astype(np.uint8), truth.astype(np.uint8)


@pytest.mark.parametrize("head", [TWO, THREE], ids=["planes", "exclusive"])
@pytest.mark.parametrize("seed", range(4))
def test_counts_of_every_area_are_those_of_leaving_parts_out(head, seed):
    said, truth = masks(seed, head)
    areas = areas_to_try(truth.shape[0] * truth.shape[1])
    overlap = overlap_by_area(said, truth, head, areas)
    assert overlap.said[1].min() < overlap.said[1].max()
    for way, area in enumerate(areas.tolist()):
        for k in range(head.num_classes):
            own = [area if k == j else 0 for j in range(head.num_classes)]
            kept = without_small_parts(said, head, own)
            if head.activation == "softmax":
                shown, true = kept[..., 0] == k, truth[..., 0] == k
            else:
                shown, true = kept[..., k] == 1, truth[..., k] == 1
            counted = ~(truth == 255).any(axis=-1)
            true = true & counted
            assert overlap.hits[k, way] == (shown & true).sum()
            assert overlap.said[k, way] == (shown & counted).sum()
            assert overlap.true[k, 0] == true.sum()


def specks(count=6):
    """Draw one true square in each of some images, and specks that are said and not true."""
    areas = areas_to_try(64 * 64)
    overlap = Overlap.nothing(2, len(areas))
    for number in range(count):
        truth = np.zeros((64, 64, 2), np.uint8)
        truth[10:30, 10:30] = 1
        said = truth.copy()
        said[40 : 40 + number % 3 + 1, 5:9, 0] = 1  # up to 12 pixels
        overlap += overlap_by_area(said, truth, TWO, areas)
    return overlap, areas


@pytest.mark.parametrize("aim", [0.5, "dice", "image_dice", "image_iou", "f2", {"recall": 0.9}])
def test_the_smallest_area_that_leaves_out_all_specks_is_chosen(aim):
    overlap, areas = specks()
    first, second = choose_areas(overlap, ThresholdAim.of(aim), areas, TWO)
    assert first == min(a for a in areas.tolist() if a > 12)
    assert second == 0  # nothing to gain: all parts are kept


def test_the_first_of_exclusive_classes_is_never_cut():
    areas = areas_to_try(30 * 40)
    overlap = Overlap.nothing(3, len(areas))
    for seed in range(3):
        overlap += overlap_by_area(*masks(seed, THREE), THREE, areas)
    assert choose_areas(overlap, ThresholdAim(), areas, THREE)[0] == 0


def test_a_class_that_is_nowhere_keeps_all_parts():
    areas = areas_to_try(30 * 40)
    nothing = np.zeros((30, 40, 2), np.uint8)
    overlap = overlap_by_area(nothing, nothing, TWO, areas)
    assert choose_areas(overlap, ThresholdAim.of("image_dice"), areas, TWO) == (0, 0)
