import cv2
import numpy as np
import pytest
from mask_nets import BRIGHT, COLOURS, GROUNDS, ensemble_of
from PIL import Image

from fivefold.core.errors import ConfigError
from fivefold.core.progress import Silent
from fivefold.core.types import Head
from fivefold.engine import whole_maps
from fivefold.engine.whole_maps import WholeMap, whole_map
from fivefold.experiment.datasets import open_inputs
from fivefold.experiment.mask_rules import USUAL_RULE, MaskRule, given_rule
from fivefold.experiment.predicted_masks import PredictedMask, PredictedMasks

PIXEL = np.zeros((1, 1, 3), np.uint8)


def predicted(head, rule=USUAL_RULE, size=(41, 53), seed=0):
    shape = (head.num_classes, 9, 11)
    maps = np.random.default_rng(seed).random(shape, dtype=np.float32)
    if head.activation == "softmax":
        maps /= maps.sum(axis=0)
    return PredictedMask("a.png", PIXEL, whole_map(maps, size), head, rule)


@pytest.mark.parametrize("rule", [USUAL_RULE, MaskRule(areas=(40, 40, 40))], ids=["all", "large"])
@pytest.mark.parametrize("head", [COLOURS, GROUNDS], ids=["planes", "exclusive"])
def test_numbers_of_a_mask_are_those_of_its_pixels(head, rule, monkeypatch):
    monkeypatch.setattr(whole_maps, "_STRIP", 300)
    one = predicted(head, rule)
    mask = one.decided
    for k in range(3):
        shown = one.mask[..., 0] == k if head == GROUNDS else one.mask[..., k] == 1
        np.testing.assert_array_equal(mask.plane(k), shown)
        assert mask.counts[k] == shown.sum()
        assert mask.sureness[k] == pytest.approx(one.arr[..., k][shown].mean(), abs=1e-4)
    if head == GROUNDS and rule == USUAL_RULE:
        np.testing.assert_array_equal(one.mask[..., 0], one.arr.argmax(axis=2))


def test_a_class_is_where_it_is_more_probable_than_its_threshold():
    one = predicted(COLOURS, MaskRule(thresholds=(0.2, 0.5, 0.8)))
    np.testing.assert_array_equal(one.mask, one.arr > np.array([0.2, 0.5, 0.8]))


def test_without_a_pixel_there_is_no_probability():
    found = predicted(COLOURS, MaskRule(thresholds=(0.5, 1.0, 0.5))).decided
    assert found.counts[1] == 0
    assert np.isnan(found.sureness[1])
    assert not np.isnan(found.sureness[[0, 2]]).any()


def test_small_parts_are_counted_in_pixels_of_the_map_that_they_were_chosen_on():
    rule = MaskRule(areas=(10,), counted_at=(20, 20))
    assert rule.scale((40, 60)) == 6
    probs = np.zeros((1, 40, 60), np.float32)
    probs[0, 2:9, 2:9] = 1  # 49 pixels here are less than 10 there
    probs[0, 20:30, 20:30] = 1
    found = PredictedMask("a", PIXEL, whole_map(probs, (40, 60)), BRIGHT, rule).decided
    assert found.counts[0] == 100
    assert not found.pixels[:15].any()


def test_small_parts_are_counted_in_what_a_map_of_a_tile_covers():
    rule = MaskRule(areas=(10,), counted_at=(20, 20), covered=(40, 60))
    assert rule.scale((400, 600)) == 6
    assert rule.told(BRIGHT).endswith("than 10 at 20 x 20 pixels of 40 x 60")


@pytest.mark.parametrize(
    ("tiles", "covered", "told"),
    [
        (None, (40, 60), ""),
        (0.25, None, "32 x 32 pixels each"),
        (0.25, (40, 60), "40 x 60 pixels each, resized to 32 x 32"),
    ],
)
def test_how_large_tiles_are_is_told(tmp_path, tiles, covered, told):
    Image.fromarray(np.zeros((10, 12, 3), np.uint8)).save(tmp_path / "a.png")
    ensemble = ensemble_of(tiles=tiles, covered=covered)
    found = PredictedMasks(ensemble, open_inputs(tmp_path), USUAL_RULE, Silent())
    assert found.tiles_told == told


def test_who_watches_sees_all_probabilities_in_one_pass():
    passes = []

    def rows():
        passes.append(1)
        yield from (np.full((4, 6, 1), 0.25 * k, np.float32) for k in range(1, 4))

    seen = []
    one = PredictedMask("a", PIXEL, WholeMap((12, 6), 1, rows), BRIGHT, USUAL_RULE)
    mask = one.decide(seen.append)
    assert passes == [1]
    assert [part.flat[0] for part in seen] == [0.25, 0.5, 0.75]
    assert mask.counts.tolist() == [24]  # one half is not above one half


def test_a_data_set_is_predicted_anew_by_each_pass(tmp_path):
    for name, value in (("b.png", 200), ("a.png", 20)):
        Image.fromarray(np.full((10, 12, 3), value, np.uint8)).save(tmp_path / name)
    found = PredictedMasks(ensemble_of(), open_inputs(tmp_path), USUAL_RULE, Silent())
    assert list(found.ids) == ["a.png", "b.png"]
    assert len(found) == 2
    assert found.class_names == ("bright",)
    for _ in range(2):
        told = [(one.sample_id, one.size, int(one.mask.sum())) for one in found]
        assert told == [("a.png", (10, 12), 0), ("b.png", (10, 12), 120)]


def test_what_a_user_says_takes_the_place_of_what_was_decided():
    decided = MaskRule((0.3, 0.4, 0.5), (1, 2, 3), (20, 20))
    assert given_rule(decided, COLOURS, None, None) == decided
    assert given_rule(decided, COLOURS, 0.7, None).thresholds == (0.7, 0.7, 0.7)
    assert given_rule(decided, COLOURS, None, 50) == MaskRule((0.3, 0.4, 0.5), (50, 50, 50), None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1.5, None), "threshold: expected from 0 to 1, got 1.5"),
        ((None, -1), "smallest_area: expected a number of pixels from 0, got -1"),
        ((None, 2.5), "smallest_area: expected a whole number, got 2.5"),
    ],
)
def test_what_is_no_threshold_and_no_area_is_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        given_rule(USUAL_RULE, COLOURS, *arguments)


def test_exclusive_classes_get_no_threshold():
    """`config/no-threshold`."""
    with pytest.raises(ConfigError, match="threshold: expected none, since the most probable"):
        given_rule(USUAL_RULE, GROUNDS, 0.4, None)


def test_connected_parts_touch_at_corners_too():
    probs = np.eye(30, dtype=np.float32)[None]
    count, _ = cv2.connectedComponents(probs[0].astype(np.uint8), connectivity=8)
    assert count == 2
    rule = MaskRule(areas=(30,))
    one = PredictedMask("a", PIXEL, whole_map(probs, (30, 30)), BRIGHT, rule)
    assert one.decided.counts[0] == 30


@pytest.mark.parametrize(
    ("size", "tiles", "told"), [((46, 45), None, 1), ((46, 45), 0.25, 0), ((44, 44), None, 0)]
)
def test_images_much_larger_than_those_trained_on_are_told_once(
    tmp_path, caplog, size, tiles, told
):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(tmp_path / name)
    ensemble, source = ensemble_of(tiles=tiles), open_inputs(tmp_path)
    list(PredictedMasks(ensemble, source, USUAL_RULE, Silent(), (30, 30)))
    words = "a.png has 46 x 45 pixels, the largest image trained on 30 x 30: resized, it shows"
    assert caplog.text.count(words) == told
    assert ("resized" in caplog.text) == bool(told)


def test_smallest_parts_are_told_of_the_classes_that_have_them():
    head = Head("", "softmax", ("ground", "road", "car", "tree"))
    told = MaskRule((), (0, 0, 22, 15), (32, 48)).told(head)
    assert told.endswith("; no parts of fewer pixels than 22 (car), 15 (tree) at 32 x 48 pixels")
    several = Head("", "sigmoid", ("road", "car"))
    assert (
        MaskRule((0.25, 0.5)).told(several) == "what is more probable than 0.25 (road), 0.5 (car)"
    )
