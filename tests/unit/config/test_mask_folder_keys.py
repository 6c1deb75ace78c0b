"""Keys of images with a folder of masks."""

import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError

HEAD = "architecture: Unet\nbackbone: resnet18\nshape: [32, 32, 3]\nstages: [{epochs: 1}]\n"


def section(text):
    return parse(f"{HEAD}dataset: {{{text}}}\n").dataset


def test_images_have_masks_in_another_folder():
    found = section("images: a, masks: b")
    assert (found.kind, found.images, found.masks) == ("masks", "a", "b")
    assert (found.mask_classes, found.ignore_value, found.runs_code) == (None, None, False)
    listed = section("images: a, masks: b, mask_classes: [sea, ship], ignore_value: 7")
    assert (listed.mask_classes, listed.ignore_value) == (("sea", "ship"), 7)
    named = section(
        "images: a, masks: b, mask_classes: {sea: 0, ship: 90}, ignore_value: [1, 2, 3]"
    )
    assert (named.mask_classes, named.ignore_value) == ({"sea": 0, "ship": 90}, (1, 2, 3))
    coloured = section("images: a, masks: b, mask_classes: {sea: [0, 0, 0], ship: [90, 0, 0]}")
    assert coloured.mask_classes == {"sea": (0, 0, 0), "ship": (90, 0, 0)}


_CLASSES = (
    "a list of different class names, or a mapping from them to different numbers 0-255 or to "
    "different colours"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("images: a", "expected `masks` beside `images`, or a table or `coco` that lists them"),
        (
            "masks: a",
            "expected both `images` and `masks`, a folder each, or `masks: true` with coco",
        ),
        ("images: a, masks: true", "expected both `images` and `masks`, a folder each"),
        ("folder: a, masks: b", "expected exactly one of the keys folder, csv"),
        ("csv: a, images: b, masks: c", "expected exactly one of the keys folder, csv"),
        ("images: a, masks: b, separator: c", "only keys that go with 'masks', not separator"),
        ("folder: a, mask_classes: [b]", "only keys that go with 'folder', not mask_classes"),
        ("images: a, masks: b, mask_classes: [c, c]", _CLASSES),
        ("images: a, masks: b, mask_classes: []", _CLASSES),
        ("images: a, masks: b, mask_classes: {c: 1, d: 1}", _CLASSES),
        ("images: a, masks: b, mask_classes: {c: 1, d: [1, 2, 3]}", _CLASSES),
        ("images: a, masks: b, mask_classes: {c: 256}", _CLASSES),
        ("images: a, masks: b, mask_classes: {c: [1, 2]}", _CLASSES),
        ("images: a, masks: b, mask_classes: {0: c}", _CLASSES),
        ("images: a, masks: b, ignore_value: -1", "expected a number 0-255 or a colour"),
    ],
)
def test_what_does_not_go_together_is_refused(text, expected):
    with pytest.raises(ConfigError, match=expected):
        section(text)
