import cv2
import numpy as np
import pytest

from fivefold.augment import (
    Augmentation,
    build_augmentation,
    build_transforms,
    check_augmentation,
)
from fivefold.core.errors import ConfigError, DataError


def here(*path):
    return "config.yaml:" + ".".join(map(str, path))


def build(*items):
    return build_augmentation(items, here)


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(height=24, width=16, channels=3, seed=0):
    return rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height=64, width=64):
    y, x = np.mgrid[:height, :width]
    return (127 + 60 * np.sin(x / 9) + 60 * np.cos(y / 7))[..., None].astype(np.uint8)


def test_no_augmentation_returns_the_very_image():
    image = noise()
    assert Augmentation()(image, rng()) is image


@pytest.mark.parametrize("items", [[("Fliplr", 0)], [("Flipud", 0.0)], [("Affine", None)]])
def test_what_changes_nothing_returns_the_very_image(items):
    image = noise()
    assert build(*items)(image, rng()) is image


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("Fliplr", 1)], lambda a: a[:, ::-1]),
        ([("flipUD", {"p": 1})], lambda a: a[::-1]),
        ([("Fliplr", 1), ("Flipud", 1)], lambda a: a[::-1, ::-1]),
        ([("Affine", {"rotate": 180})], lambda a: a[::-1, ::-1]),
        ([("Fliplr", 1), ("Fliplr", 1)], lambda a: a),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_flips_are_exact(items, expected, channels):
    image = noise(channels=channels)
    flipped = build(*items)(image, rng())
    np.testing.assert_array_equal(flipped, expected(image))
    assert flipped.flags.c_contiguous


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (-90, 1), (270, 1)])
@pytest.mark.parametrize("size", [15, 16])
def test_a_quarter_turn_clockwise_equals_numpys(degrees, turns, size):
    image = noise(size, size)
    turned = build(("Affine", {"rotate": degrees}))(image, rng())
    np.testing.assert_array_equal(turned, np.rot90(image, turns))


def test_pixels_move_right_and_down_and_leave_cval():
    image = noise()
    moved = build(("Affine", {"translate_px": {"x": 3, "y": -2}, "cval": 9}))(image, rng())
    np.testing.assert_array_equal(moved[:-2, 3:], image[2:, :-3])
    assert (moved[:, :3] == 9).all()
    assert (moved[-2:] == 9).all()


def test_percent_is_a_part_of_width_and_height_in_whole_pixels():
    image = noise(20, 30)
    moved = build(("Affine", {"translate_percent": {"x": 0.11, "y": 0.1}}))(image, rng())
    np.testing.assert_array_equal(moved[2:, 3:], image[:-2, :-3])


@pytest.mark.parametrize(
    ("mode", "padding"),
    [("edge", "edge"), ("reflect", "reflect"), ("symmetric", "symmetric"), ("wrap", "wrap")],
)
def test_modes_fill_as_numpys_pad_does(mode, padding):
    image = noise()
    moved = build(("Affine", {"translate_px": {"x": 4}, "mode": mode}))(image, rng())
    padded = np.pad(image, ((0, 0), (4, 0), (0, 0)), mode=padding)[:, : image.shape[1]]
    np.testing.assert_array_equal(moved, padded)


def test_scale_enlarges_about_the_centre():
    image = np.zeros((41, 41, 1), np.uint8)
    image[15:26, 15:26] = 255
    scaled = build(("Affine", {"scale": 2}))(image, rng())
    rows, columns = np.nonzero(scaled[..., 0] > 128)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 30, 10, 30)


def brute_force(image, inverse):
    """Sample each output pixel bilinearly where the inverse matrix says, in plain Python."""
    height, width = image.shape[:2]
    out = np.zeros(image.shape, float)
    padded = np.pad(image.astype(float), ((1, 2), (1, 2), (0, 0)))
    for v in range(height):
        for u in range(width):
            x, y, _ = inverse @ [u, v, 1]
            if not (-1 < x < width and -1 < y < height):
                continue
            i, j = int(np.floor(y)), int(np.floor(x))
            dy, dx = y - i, x - j
            patch = padded[i + 1 : i + 3, j + 1 : j + 3]
            weights = np.outer([1 - dy, dy], [1 - dx, dx])
            out[v, u] = (patch * weights[..., None]).sum((0, 1))
    return out


def test_a_warp_equals_brute_force_sampling():
    image = smooth(32, 40)
    turned = build(("Affine", {"rotate": 20, "scale": 1.3}))(image, rng())
    matrix = cv2.getRotationMatrix2D((19.5, 15.5), -20, 1.3)
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    difference = np.abs(turned - brute_force(image, inverse))
    assert difference.max() <= 3  # OpenCV places samples on a grid of 1/32 pixel
    assert difference.mean() < 0.6


def test_several_changes_become_one_warp():
    image = smooth()
    there_and_back = build(("Affine", {"rotate": 30}), ("Affine", {"rotate": -30}))
    assert there_and_back(image, rng()) is image
    out_and_in = build(("Affine", {"translate_px": 60}), ("Affine", {"translate_px": -60}))
    assert out_and_in(image, rng()) is image


def test_changes_with_different_borders_stay_apart():
    image = noise()
    both = build(
        ("Affine", {"translate_px": {"x": 5}, "cval": 255}),
        ("Affine", {"translate_px": {"x": -5}, "mode": "edge"}),
    )
    moved = both(image, rng())
    np.testing.assert_array_equal(moved[:, :-5], image[:, :-5])
    np.testing.assert_array_equal(moved[:, -5:], np.repeat(image[:, -6:-5], 5, axis=1))


def test_masks_move_with_their_image_and_stay_classes():
    marks = np.zeros((40, 40, 1), np.uint8)
    marks[5:15, 8:20] = 200
    augment = build(
        ("Fliplr", 0.5),
        ("Affine", {"rotate": [-25, 25], "scale": [0.8, 1.2], "mode": "edge", "cval": 50}),
    )
    for seed in range(10):
        image, mask = augment(marks, rng(seed), (marks[..., 0] // 200).copy())
        assert set(np.unique(mask)) <= {0, 1}
        assert mask.shape == (40, 40)
        assert ((image[..., 0] > 100) != mask.astype(bool)).mean() < 0.02


def test_a_mask_does_not_change_what_happens_to_the_image():
    augment = build(("Fliplr", 0.5), ("Affine", {"rotate": [-25, 25]}))
    image = noise()
    with_mask, _ = augment(image, rng(4), image[..., 0])
    np.testing.assert_array_equal(with_mask, augment(image, rng(4)))


def test_a_mask_of_another_size_is_an_error():
    with pytest.raises(DataError, match=r"mask: expected height and width \(24, 16\)") as error:
        Augmentation()(noise(), rng(), np.zeros((8, 8), np.uint8))
    assert error.value.slug == "data/mask-size"


def test_every_problem_is_reported_with_its_place():
    items = [
        ("Flipr", 0.5),
        ("Fliplr", 1.5),
        ("Flipud", None),
        ("Affine", {"rotat": 3, "scale": 0, "shear": "some"}),
    ]
    with pytest.raises(ConfigError, match="expected the name of a known augmenter") as error:
        build(*items)
    told = [str(problem) for problem in error.value.problems]
    assert told == [
        "config.yaml:0.Flipr: augmentation: expected the name of a known augmenter, "
        "got 'Flipr'\n    did you mean 'Fliplr'?",
        "config.yaml:1.Fliplr.p: augmentation.Fliplr.p: expected less than or equal to 1, got 1.5",
        "config.yaml:2.Flipud.p: augmentation.Flipud.p: required, but not set",
        "config.yaml:3.Affine.scale: augmentation.Affine.scale: expected a number "
        "above 0, a range [a, b], a list to choose from, or a mapping of these with x, y, got 0",
        "config.yaml:3.Affine.shear: augmentation.Affine.shear: expected a number "
        "between -90 and 90, a range [a, b] or a list to choose from, got 'some'",
        "config.yaml:3.Affine.rotat: augmentation.Affine.rotat: unknown key\n"
        "    did you mean 'rotate'?",
    ]
    assert [problem.slug for problem in error.value.problems] == [
        "config/unknown-name",
        "config/bad-value",
        "config/missing-key",
        "config/bad-value",
        "config/bad-value",
        "config/unknown-key",
    ]


def test_two_translations_at_once_are_a_problem():
    items = [("Affine", {"translate_px": 1, "translate_percent": [0, 0.1]})]
    (problem,) = check_augmentation(items, here)
    assert problem.message == (
        "augmentation.Affine: expected one of translate_percent and translate_px, got both"
    )


def test_a_good_list_has_no_problems():
    items = [("Fliplr", 0.5), ("Affine", {"translate_percent": {"x": [-0.2, 0.2]}, "order": 3})]
    assert check_augmentation(items, here) == []


def test_transforms_draw_from_the_pixels_themselves():
    transform = build_transforms([("Affine", {"translate_px": [-8, 8], "mode": "wrap"})])
    images = [noise(seed=seed) for seed in range(20)]
    moved = [transform(image) for image in images]
    again = [transform(image.copy()) for image in images]
    np.testing.assert_array_equal(moved, again)
    shifts = {
        next(s for s in range(-8, 9) if np.array_equal(np.roll(image, (s, s), (0, 1)), picture))
        for image, picture in zip(images, moved, strict=True)
    }
    assert len(shifts) > 5


def test_no_transforms_return_the_very_image():
    image = noise()
    assert build_transforms([])(image) is image


@pytest.mark.parametrize("name", ["WithChannels", "ChannelShuffle"])
def test_channels_that_images_do_not_have_are_told_before_there_are_images(name):
    options = {"channels": [0, 7], **({"children": "Noop"} if name == "WithChannels" else {})}
    (problem,) = check_augmentation([(name, options)], here)
    assert problem.where == f"config.yaml:0.{name}.channels"
    assert problem.message == f"augmentation.{name}.channels: expected 0 to 2, got 7"
    assert check_augmentation([(name, options)], here, channels=8) == []


def test_a_bare_word_where_an_option_holds_augmenters_is_named():
    (problem,) = check_augmentation([("SimplexNoiseAlpha", "Flipr")], here)
    assert problem.message == (
        "augmentation.SimplexNoiseAlpha: expected the name of a known augmenter, got 'Flipr'"
    )


@pytest.mark.parametrize(
    ("name", "options", "shown"),
    [
        ("WithChannels", {"channels": 0, "children": {"Grayscale": 1}}, "1 channel:"),
        ("WithHueAndSaturation", {"Grayscale": 1}, "2 channels:"),
    ],
)
def test_colours_are_refused_where_an_augmenter_shows_fewer_channels(name, options, shown):
    (problem,) = check_augmentation([(name, options)], here)
    assert problem.slug == "config/refused-augmenter"
    wanted = "it changes red, green and blue, and the augmenter around it shows "
    assert problem.hint.startswith(f"{wanted}{shown}")
