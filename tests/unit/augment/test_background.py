from pathlib import Path

import numpy as np
import pytest
from pictures import augment, here, noise, rng, squares
from PIL import Image
from scipy.ndimage import binary_erosion

from fivefold.augment import build_augmentation, check_augmentation
from fivefold.build import check
from fivefold.config import parse
from fivefold.core.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Three backgrounds of one colour each."""
    for number, colour in enumerate(((250, 0, 0), (0, 250, 0), (0, 0, 250))):
        Image.new("RGB", (9, 7), colour).save(tmp_path / f"{number}.png")
    return str(tmp_path)


def test_what_the_mask_marks_stays_and_the_rest_is_a_background(folder):
    image, mask = squares()
    seen = set()
    for seed in range(20):
        value = {"path": folder, "rate": 0}
        picture, kept = augment(image, "BackgroundReplacer", value, seed, mask)
        np.testing.assert_array_equal(kept, mask)
        np.testing.assert_array_equal(picture[mask > 0], image[mask > 0])
        (colour,) = {tuple(pixel) for pixel in picture[mask == 0].tolist()}
        seen.add(colour)
    assert seen == {(250, 0, 0), (0, 250, 0), (0, 0, 250)}


def test_rate_is_the_share_that_keeps_its_background(folder):
    image, mask = squares()
    value = {"path": folder, "rate": 0.3}
    kept = [augment(image, "BackgroundReplacer", value, s, mask)[0] is image for s in range(900)]
    assert 0.26 < np.mean(kept) < 0.34
    value["rate"] = 1
    assert augment(image, "BackgroundReplacer", value, 0, mask)[0] is image


@pytest.mark.parametrize("side", [1, 3, 5])
def test_erosion_leaves_out_the_rim_and_not_in_the_mask(folder, side):
    image, mask = squares()
    value = {"path": folder, "rate": 0, "erosion": side}
    picture, kept = augment(image, "BackgroundReplacer", value, 0, mask)
    inner = binary_erosion(mask > 0, np.ones((side, side)), border_value=1)
    np.testing.assert_array_equal((picture != image).any(axis=2), ~inner)
    np.testing.assert_array_equal(kept, mask)


def test_a_range_of_erosions_is_drawn_and_0_is_none(folder):
    image, mask = squares()
    areas = set()
    for seed in range(30):
        value = {"path": folder, "rate": 0, "erosion": [0, 3]}
        picture, _ = augment(image, "BackgroundReplacer", value, seed, mask)
        areas.add(int((picture == image).all(axis=2).sum()))
    assert (mask > 0).sum() in areas
    assert 2 <= len(areas) <= 3


def test_its_augmenters_run_before_on_image_and_mask(folder):
    image, mask = squares()
    value = {"path": folder, "rate": 0, "augmenters": {"Fliplr": 1, "Crop": {"px": [0, 0, 0, 20]}}}
    picture, moved = augment(image, "BackgroundReplacer", value, 0, mask)
    assert moved.shape == mask.shape
    assert (moved != mask).any()
    assert set(np.unique(moved)) <= {0, 1, 2}
    assert (picture[moved == 0].max(axis=1) == 250).all()


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_channels_beyond_colours_stay(folder, channels):
    image, mask = noise(48, 64, channels), squares()[1]
    value = {"path": folder, "rate": 0}
    picture, _ = augment(image, "BackgroundReplacer", value, 0, mask[..., None])
    np.testing.assert_array_equal(picture[..., 3:], image[..., 3:])
    assert (picture[mask == 0][:, :3] != image[mask == 0][:, :3]).any()


def test_hidden_files_are_no_backgrounds(folder):
    (Path(folder) / ".DS_Store").write_bytes(b"no picture")
    image, mask = squares()
    for seed in range(12):
        augment(image, "BackgroundReplacer", {"path": folder, "rate": 0}, seed, mask)


def test_without_a_mask_it_is_an_error(folder):
    change = build_augmentation([("BackgroundReplacer", {"path": folder, "rate": 0})], here)
    with pytest.raises(DataError, match="BackgroundReplacer: expected a mask beside") as error:
        change(squares()[0], rng())
    assert error.value.slug == "data/no-mask"


def test_a_background_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    value = {"path": str(tmp_path), "rate": 0}
    with pytest.raises(DataError, match=r"notes.txt: expected a background that can be") as error:
        augment(*squares()[:1], "BackgroundReplacer", value, 0, squares()[1])
    assert error.value.slug == "data/background"


def test_a_folder_without_files_is_told(tmp_path):
    value = {"path": str(tmp_path), "rate": 0.5, "augmenters": {"Fliplr": 1}}
    (problem,) = check_augmentation([("BackgroundReplacer", value)], here)
    assert (
        "augmentation.BackgroundReplacer: expected a folder with pictures, got" in problem.message
    )
    value["augmenters"] = {"Fliplr": 2}
    (problem,) = check_augmentation([("BackgroundReplacer", value)], here)
    assert problem.message.startswith("augmentation.BackgroundReplacer.augmenters.Fliplr.p: expect")


@pytest.mark.parametrize(
    "text", ["{path: p, rate: 0.5}", "{path: p, augmenters: {Fliplr: 0.5}, erosion: [0, 4]}"]
)
def test_classification_has_no_masks_for_it(text):
    config = parse(
        "architecture: resnet18\nstages: [{epochs: 1}]\naugmentation:\n"
        f"  OneOf: [BackgroundReplacer: {text}]\n"
    )
    (problem,) = check(config)
    assert str(problem) == (
        "config.yaml:4:31: augmentation.OneOf: augmenter 'BackgroundReplacer' cannot be used\n"
        "    it needs a mask for every image, which classification has none of: leave it out"
    )
    assert problem.slug == "config/refused-augmenter"


@pytest.mark.parametrize(
    ("around", "name"),
    [
        (lambda inner: ("Alpha", {"first": [inner]}), "Alpha"),
        (lambda inner: ("WithChannels", {"channels": 0, "children": inner}), "WithChannels"),
        (lambda inner: ("Alpha", {"second": [{"Sequential": [inner]}]}), "Alpha"),
    ],
)
def test_it_is_refused_where_the_augmenter_around_it_shows_it_no_mask(folder, around, name):
    inner = {"BackgroundReplacer": {"path": folder, "rate": 0.5}}
    (problem,) = check_augmentation([around(inner)], here, masks=True)
    assert problem.slug == "config/refused-augmenter"
    assert problem.hint == f"it needs the mask, which {name} does not show it"
    nested = ("Sequential", [{"Sometimes": [inner]}])
    assert check_augmentation([nested], here, masks=True) == []


def test_transforms_have_no_mask_in_prediction():
    items = [("BackgroundReplacer", {"path": "p"})]
    (problem,) = check_augmentation(items, here, "transforms", masks=False)
    assert problem.hint == (
        "it needs a mask, which no image has in prediction: put it into `augmentation`"
    )


def test_the_ignored_rim_of_what_is_marked_stays_as_it_looks(folder):
    image, mask = squares()
    mask[7, 10:35] = 255
    picture, kept = augment(image, "BackgroundReplacer", {"path": str(folder), "rate": 0}, 0, mask)
    np.testing.assert_array_equal(picture[mask > 0], image[mask > 0])
    np.testing.assert_array_equal(kept, mask)
