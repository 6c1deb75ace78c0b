"""Which mask belongs to which image."""

import re
from unicodedata import normalize

import pytest

from fivefold.core.errors import DataError
from fivefold.data.mask_pairs import find_pairs


def touched(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def pairs(root, images="images", masks="masks"):
    found = find_pairs(root / images, root / masks)
    return dict(zip(found.images, found.masks, strict=True)), found


def test_a_mask_has_the_name_of_its_image_whatever_both_end_in(tmp_path):
    touched(tmp_path / "images", "b.jpg", "a.b.tif", "sub/c.jpeg", "sub/d.png", "e.jpg")
    touched(tmp_path / "masks", "b.png", "a.b.png", "sub/c.gif", "sub/d_mask.png", "e_mask.gif")
    named, found = pairs(tmp_path)
    assert named == {
        "a.b.tif": "a.b.png",
        "b.jpg": "b.png",
        "e.jpg": "e_mask.gif",
        "sub/c.jpeg": "sub/c.gif",
        "sub/d.png": "sub/d_mask.png",
    }
    assert (found.excluded, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("images", "masks", "below"),
    [("data", "data", ""), ("data", "data/masks", "masks/"), ("data/pictures", "data", "")],
)
def test_images_and_masks_may_lie_within_each_other(tmp_path, images, masks, below):
    touched(tmp_path / images, "a.jpg", "s/b.jpg", "c_mask.jpg")
    touched(tmp_path / masks, "a_mask.png", "s/b_mask.png", "c_mask_mask.png")
    named, found = pairs(tmp_path, images, masks)
    assert named == {
        "a.jpg": "a_mask.png", "s/b.jpg": "s/b_mask.png", "c_mask.jpg": "c_mask_mask.png"
    }  # fmt: skip
    assert found.warnings == ()


def test_what_has_no_partner_is_named_and_left_out(tmp_path):
    touched(tmp_path / "images", *[f"{k}.jpg" for k in range(7)], "notes.txt")
    touched(tmp_path / "masks", *[f"{k}.png" for k in (0, 1)], "s/x_mask.png", ".hidden")
    named, found = pairs(tmp_path)
    assert list(named) == ["0.jpg", "1.jpg"]
    folder, masks = tmp_path / "images", tmp_path / "masks"
    assert found.warnings == (
        f"5 images without a mask, left out: {folder}/2.jpg, {folder}/3.jpg, {folder}/4.jpg, …; "
        f"expected {masks}/2.* or 2_mask.*",
        f"1 mask without an image, left out: {masks}/s/x_mask.png; expected {folder}/s/x.*",
    )
    assert sorted(found.excluded) == sorted(
        [
            *((f"{k}.jpg", "no-mask") for k in range(2, 7)),
            ("notes.txt", "not-an-image-name"),
            ("masks/.hidden", "hidden"),
            ("masks/s/x_mask.png", "mask-without-image"),
        ]
    )


@pytest.mark.parametrize(
    ("images", "masks", "text"),
    [
        (["a.jpg"], ["b.png"], "got none: 1 images such as 'a.jpg', 1 masks such as 'b.png'"),
        ([], ["b.png"], "got none: 0 images, 1 masks such as 'b.png'"),
        (["a.jpg"], ["a.png", "a.gif"], "a.png: expected one mask of that name, got 'a.gif' too"),
        (["a.jpg", "a.png"], ["a.png"], "got 'a.jpg' and 'a.png'"),
        (["a.jpg", "a_mask.jpg"], ["a_mask.png"], "got 'a.jpg' and 'a_mask.jpg'"),
    ],
)
def test_names_that_say_nothing_are_refused(tmp_path, images, masks, text):
    touched(tmp_path / "images", *images, "notes.txt")
    touched(tmp_path / "masks", *masks)
    with pytest.raises(DataError, match=re.escape(text)) as caught:
        pairs(tmp_path)
    assert caught.value.slug == "data/mask-pairs"


def test_a_missing_folder_is_named(tmp_path):
    touched(tmp_path / "images", "a.jpg")
    with pytest.raises(DataError, match="masks: expected a folder of images, got nothing there"):
        pairs(tmp_path)


def test_letters_with_accents_are_one_however_a_system_writes_them(tmp_path):
    image, mask = (normalize(form, "café") for form in ("NFC", "NFD"))
    touched(tmp_path, f"images/{image}.jpg", f"masks/{mask}.png")
    assert pairs(tmp_path)[0] == {f"{image}.jpg": f"{mask}.png"}
