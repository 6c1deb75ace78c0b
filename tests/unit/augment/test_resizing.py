import numpy as np
import pytest
from pictures import augment, here, noise, rng, smooth
from PIL import Image

from fivefold.augment import augmenters, check_augmentation
from fivefold.augment.changes import size_after


def size_of(value, seed=0, height=24, width=36):
    component = augmenters.get("Resize")
    options, complaints = component.check({"size": value})
    assert not complaints
    return size_after(component.make(rng(seed), height, width, **options), (height, width))


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (10, (10, 10)),
        (0.5, (12, 18)),
        (2.0, (48, 72)),
        ("keep", (24, 36)),
        ({"height": 12}, (12, 36)),
        ({"height": 12, "width": "keep-aspect-ratio"}, (12, 18)),
        ({"height": "keep-aspect-ratio", "width": 0.25}, (6, 9)),
        ({"height": "keep", "width": 1}, (24, 1)),
    ],
)
def test_sizes_are_pixels_or_parts(value, size):
    assert size_of(value) == size


def test_ranges_and_choices_are_of_both_sides_together():
    assert {size_of([5, 7], seed) for seed in range(40)} == {(5, 5), (6, 6), (7, 7)}
    assert {size_of([5, 7, 9], seed) for seed in range(40)} == {(5, 5), (7, 7), (9, 9)}
    parts = {size_of([0.25, 0.75], seed) for seed in range(40)}
    assert len(parts) > 8
    assert all(6 <= height <= 18 and abs(1.5 * height - width) <= 1 for height, width in parts)


@pytest.mark.parametrize(
    ("interpolation", "pillow"),
    [
        ("nearest", Image.Resampling.NEAREST),
        ("linear", Image.Resampling.BILINEAR),
        ("cubic", Image.Resampling.BICUBIC),
    ],
)
def test_interpolation_enlarges_as_pillow_does(interpolation, pillow):
    image = smooth(24, 36, 3)
    (change,) = [drawn("Resize", {"size": 3.0, "interpolation": interpolation})]
    expected = np.asarray(Image.fromarray(image).resize((108, 72), pillow))
    difference = np.abs(change.image(image).astype(int) - expected)
    assert difference.max() <= (0 if interpolation == "nearest" else 4)


def drawn(name, value):
    component = augmenters.get(name)
    options, _ = component.check(value)
    return component.make(rng(), 24, 36, **options)


def test_resizing_loses_detail_and_keeps_the_network_s_size():
    image = noise(48, 48)
    coarse = augment(image, "Resize", 0.25)
    assert coarse.shape == image.shape
    assert coarse.astype(float).std() < 0.7 * image.astype(float).std()
    assert abs(coarse.mean() - image.mean()) < 3


def test_scale_is_another_name():
    assert augmenters.find("scale") is augmenters.find("Resize")


def test_keep_size_by_resize_brings_back_what_its_children_cut():
    component = augmenters.get("KeepSizeByResize")
    inner = [{"CropToFixedSize": {"width": 10, "height": 8}}]
    for value, size in ((inner, (24, 36)), ([{"Fliplr": 1}], (24, 36))):
        options, _ = component.check({"children": value})
        assert size_after(component.make(rng(), 24, 36, **options), (24, 36)) == size
    assert len(component.make(rng(), 24, 36, **component.check({"children": inner})[0])) == 2


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, 0.0, True, [], [1, 0.5], "big", {"x": 3}, {}, 10**6),
        {"height": "keep", "width": []},
        {"height": "keep-aspect-ratio", "width": "keep-aspect-ratio"},
    ],
)
def test_other_sizes_are_refused(value):
    (problem,) = check_augmentation([("Resize", {"size": value})], here)
    assert "size: expected pixels (a whole number), a part (a number with a poi" in problem.message
