"""What the values of mask files mean, found by looking or said by `mask_classes`."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.progress import Silent
from fivefold.data.image_problem import ImageProblem
from fivefold.data.mask_looks import AskedClasses, find_reading
from fivefold.data.mask_values import values_of

PLANE, SOFTMAX = MaskKind(1, False), AskedClasses(exclusive=True)
SIGMOID = AskedClasses(exclusive=False)


def saved(folder, *masks, ending="png"):
    """Write masks, each an array or a Pillow image."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{k}.{ending}" for k in range(len(masks))]
    for path, mask in zip(paths, masks, strict=True):
        image = mask if isinstance(mask, Image.Image) else Image.fromarray(np.asarray(mask))
        image.save(path)
    return paths


def grid(*values, side=12):
    """Give each value rows of its own."""
    return np.repeat(np.resize(np.uint8(values), side), side).reshape(side, side)


def found(tmp_path, *masks, asked=AskedClasses(), ending="png"):  # noqa: B008  frozen
    paths = saved(tmp_path / "masks", *masks, ending=ending)
    return find_reading(paths, asked, tmp_path / "masks", Silent())


def read(reading, image):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(np.asarray(image))
    return reading.mask(values_of(image, colours=bool(reading.colours)))


@pytest.mark.parametrize(
    ("values", "asked", "ones"),
    [
        ((0, 255), AskedClasses(), 255),
        ((0, 1), AskedClasses(), 1),
        ((0, 7), AskedClasses(), 7),
        ((1, 2), AskedClasses(), 2),
        ((0, 128), AskedClasses(count=1), 128),
        ((0, 1, 255), AskedClasses(count=1), 1),
        ((255,), AskedClasses(), 255),
        ((0, 1), AskedClasses(names=("ship",)), 1),
        ((0, 128, 255), AskedClasses(count=1, exclusive=False), 255),
    ],
)
def test_two_values_are_one_class(tmp_path, values, asked, ones):
    reading, note = found(
        tmp_path, grid(*values), np.full((12, 12), values[0], np.uint8), asked=asked
    )
    mask = read(reading, grid(*values))
    assert (reading.kind, mask.shape) == (PLANE, (12, 12, 1))
    ignored = (grid(*values) == 255) & (ones == 1)
    assert np.array_equal(mask[..., 0] == 1, (grid(*values) >= min(ones, 128)) & ~ignored)
    assert np.array_equal(mask[..., 0] == IGNORED, ignored)
    name = "ship" if asked.names else "foreground"
    assert reading.class_names == (name,)
    assert note.startswith("masks holds ")
    assert name in note


@pytest.mark.parametrize("asked", [AskedClasses(), AskedClasses(count=1), SOFTMAX])
def test_masks_of_0_and_1_among_those_of_0_and_255_are_refused(tmp_path, asked):
    masks = [grid(0, 255), grid(0), grid(0, 1)]
    text = (
        r"0\.png: expected a mask of 0 and 1 as \S+2\.png, got 0 and 255\n"
        r".*write all masks alike; `ignore_value: 255` if nobody knows what is there"
    )
    with pytest.raises(DataError, match=text):
        found(tmp_path, *masks, asked=asked)
    told, _ = found(tmp_path, *masks, asked=replace(asked, ignore=IGNORED))
    assert set(np.unique(read(told, masks[0]))) == {0, IGNORED}
    together, _ = found(tmp_path, *masks, grid(0, 1, 255), asked=asked)
    assert set(np.unique(read(together, masks[2]))) == {0, 1}


def test_a_dark_mask_among_black_and_white_ones_is_told_and_not_taken_as_empty(tmp_path):
    reading, _ = found(tmp_path, grid(0, 255))
    assert not read(reading, grid(0)).any()
    for dark in (1, 127):
        with pytest.raises(ImageProblem, match=rf"black alone, got {dark} as the highest value"):
            read(reading, grid(0, dark))
    assert read(reading, grid(0, 1, 128)).any()
    ignoring, _ = found(tmp_path, grid(0, 100, 255), asked=AskedClasses(count=1, ignore=100))
    assert set(np.unique(read(ignoring, grid(0, 100)))) == {0, IGNORED}


def test_grey_rims_count_from_half_on(tmp_path):
    drawn = Image.new("L", (200, 200))
    drawn.paste(255, (40, 40, 160, 160))
    smooth = drawn.resize((77, 77), Image.Resampling.BICUBIC).rotate(30, Image.Resampling.BICUBIC)
    reading, note = found(tmp_path, smooth, smooth.rotate(90))
    assert len(np.unique(np.array(smooth))) > 20
    assert np.array_equal(read(reading, smooth)[..., 0], (np.array(smooth) > 127).astype(np.uint8))
    assert note == (
        "masks holds black and white: white, above half, is 'foreground'; `mask_classes` names and "
        "changes that"
    )
    jpeg, _ = found(tmp_path / "jpeg", drawn, ending="jpg")
    assert read(jpeg, Image.open(tmp_path / "jpeg/masks/0.jpg")).sum() == 120 * 120


@pytest.mark.parametrize("count", [None, 2])
def test_the_background_is_a_class_where_classes_are_exclusive(tmp_path, count):
    reading, _ = found(tmp_path, grid(0, 255), asked=AskedClasses(count=count, exclusive=True))
    assert (reading.kind, reading.class_names) == (MaskKind(2, True), ("background", "foreground"))
    assert np.array_equal(read(reading, grid(0, 255))[..., 0], grid(0, 1))


@pytest.mark.parametrize(
    ("asked", "kind", "names"),
    [
        (AskedClasses(), MaskKind(4, True), ("background", "1", "2", "3")),
        (SOFTMAX, MaskKind(4, True), ("background", "1", "2", "3")),
        (AskedClasses(count=4), MaskKind(4, True), ("background", "1", "2", "3")),
        (AskedClasses(count=6, exclusive=True), MaskKind(6, True),
         ("background", "1", "2", "3", "4", "5")),
        (SIGMOID, MaskKind(3, False), ("1", "2", "3")),
        (AskedClasses(count=3, exclusive=False), MaskKind(3, False), ("1", "2", "3")),
        (AskedClasses(names=("sea", "ship", "boat", "buoy")), MaskKind(4, True),
         ("sea", "ship", "boat", "buoy")),
        (AskedClasses(names=("ship", "boat", "buoy"), exclusive=False), MaskKind(3, False),
         ("ship", "boat", "buoy")),
    ],
)  # fmt: skip
def test_small_numbers_are_classes_and_255_is_ignored(tmp_path, asked, kind, names):
    numbers = grid(0, 1, 2, 3, 255)
    reading, note = found(tmp_path, grid(0, 1, 2), numbers, asked=asked)
    assert (reading.kind, reading.class_names, bool(note)) == (kind, names, asked.names is None)
    mask = read(reading, numbers)
    if kind.exclusive:
        assert np.array_equal(mask[..., 0], numbers)
    else:
        expected = (numbers[..., None] == [1, 2, 3]).astype(np.uint8)
        expected[numbers == 255] = IGNORED
        assert np.array_equal(mask, expected)


def test_a_rare_class_is_found_wherever_it_is(tmp_path):
    many = [grid(0, 1, 2)] * 150
    many[97] = grid(0, 5)
    assert found(tmp_path, *many)[0].kind == MaskKind(6, True)


def test_masks_that_begin_empty_are_all_looked_at(tmp_path):
    many = [grid(0)] * 150
    many[97] = grid(0, 255)
    assert found(tmp_path, *many)[0].kind == PLANE


def test_a_palette_is_read_by_its_numbers(tmp_path):
    image = Image.fromarray(grid(0, 1, 2))
    image.putpalette([200, 10, 10, 10, 200, 10, 10, 10, 200] + [0] * 759)
    assert image.mode == "P"
    reading, _ = found(tmp_path, image)
    assert np.array_equal(read(reading, image)[..., 0], grid(0, 1, 2))
    named = AskedClasses({"c": (10, 10, 200), "a": (200, 10, 10), "b": (10, 200, 10)})
    coloured, note = found(tmp_path, image, asked=named)
    assert (coloured.class_names, note) == (("c", "a", "b"), "")
    assert np.array_equal(read(coloured, image)[..., 0], grid(1, 2, 0))


@pytest.mark.parametrize("ending", ["gif", "png", "bmp", "tiff"])
@pytest.mark.parametrize("white", [0, 1])
def test_black_and_white_are_what_they_look_like_whatever_their_numbers(tmp_path, ending, white):
    image = Image.fromarray(grid(*((0, 1) if white else (1, 0))))
    image.putpalette([255 * (1 - white)] * 3 + [255 * white] * 3 + [9] * 762)
    empty = Image.fromarray(grid(0))
    reading, _ = found(tmp_path, image, empty, ending=ending)
    for name, expected in (("0", grid(0, 1)), ("1", grid(0))):
        with Image.open(tmp_path / "masks" / f"{name}.{ending}") as mask:
            assert np.array_equal(read(reading, mask)[..., 0], expected)


@pytest.mark.parametrize("mode", ["1", "I", "I;16", "F", "LA", "RGB", "RGBA"])
def test_every_mode_that_holds_numbers_is_read(tmp_path, mode):
    values = grid(0, 1)
    if mode == "1":
        image = Image.fromarray(values.astype(bool))
    elif mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16))
    else:
        image = Image.fromarray(values).convert(mode)
    assert image.mode == mode
    assert np.array_equal(values_of(image), values)


def test_black_and_white_of_16_bits_is_that_of_8():
    assert np.array_equal(values_of(Image.fromarray(np.uint16([[0, 65535]]))), [[0, 255]])
    with pytest.raises(ImageProblem, match="expected whole numbers 0 to 255, got 0 to 300"):
        values_of(Image.fromarray(np.uint16([[0, 300]])))


COLOURS = np.uint8([[[0, 0, 0], [128, 0, 0]], [[0, 128, 0], [0, 0, 0]]])


def test_colours_mean_what_is_said(tmp_path):
    named = {"cat": (128, 0, 0), "dog": (0, 128, 0), "ground": (0, 0, 0)}
    reading, note = found(tmp_path, COLOURS, asked=AskedClasses(named))
    assert (reading.class_names, note) == (("ground", "cat", "dog"), "")
    assert read(reading, COLOURS)[..., 0].tolist() == [[0, 1], [2, 0]]
    planes, _ = found(
        tmp_path,
        COLOURS,
        asked=AskedClasses({"dog": (0, 128, 0), "cat": (128, 0, 0)}, exclusive=False),
    )
    assert read(planes, COLOURS).tolist() == [[[0, 0], [0, 1]], [[1, 0], [0, 0]]]
    some = AskedClasses({"dog": (0, 128, 0)}, exclusive=False, ignore=(128, 0, 0))
    assert read(found(tmp_path, COLOURS, asked=some)[0], COLOURS)[..., 0].tolist() == [
        [0, 255],
        [1, 0],
    ]
    with pytest.raises(
        ImageProblem, match=r"expected \(0, 0, 0\), \(128, 0, 0\), got \(0, 128, 0\)"
    ):
        read(
            found(tmp_path, COLOURS, asked=AskedClasses({"a": (0, 0, 0), "b": (128, 0, 0)}))[0],
            COLOURS,
        )


def test_numbers_mean_what_is_said(tmp_path):
    asked = AskedClasses({"road": 90, "car": 30, "background": 200}, ignore=0)
    reading, _ = found(tmp_path, grid(0), asked=asked)
    assert reading.class_names == ("background", "car", "road")
    assert read(reading, grid(200, 30, 90, 0))[:4, 0, 0].tolist() == [0, 1, 2, 255]
    text = "expected 0, 30, 90, 200, got 31; `mask_classes` says what values mean"
    with pytest.raises(ImageProblem, match=text):
        read(reading, grid(31))
    sky = found(tmp_path, grid(0), asked=AskedClasses({"ground": 0, "sky": 255}))[0]
    assert read(sky, grid(0, 255))[:2, 0, 0].tolist() == [0, 1]


def test_colours_without_a_meaning_are_refused_with_what_to_write(tmp_path):
    with pytest.raises(
        DataError, match="expected labels, one number for each pixel, got RGB"
    ) as caught:
        found(tmp_path, COLOURS, COLOURS[::-1])
    assert caught.value.slug == "data/mask-colours"
    first, hint = str(caught.value).split("\n")
    path = tmp_path / "masks/0.png"
    text = f"{path}: expected labels, one number for each pixel, got RGB: [0, 0, 0], [0, 128, 0], "
    assert first == text + "[128, 0, 0]"
    assert hint.strip() == (
        "say which colour is which class: `mask_classes: {background: [0, 0, 0], class_1: [0, 128, "
        "0], class_2: [128, 0, 0]}`"
    )


def test_a_colour_among_numbers_is_a_problem_of_its_own(tmp_path):
    reading, _ = found(tmp_path, grid(0, 1, 2), grid(0, 1, 2), COLOURS)
    assert reading.kind == MaskKind(3, True)
    with pytest.raises(ImageProblem, match=r"RGB where labels are expected, such as \(0, 0, 0\), "):
        read(reading, COLOURS)


@pytest.mark.parametrize(
    ("values", "asked", "text"),
    [
        ((0, 85, 170, 255), AskedClasses(),
         "0.png: expected 0 and 255, or numbers of classes from 0, got 255 (all masks: 0, 85, 17"),
        ((0, 1, 2), AskedClasses(count=1),
         "0.png: expected 0 and 255, or numbers of classes from 0, got 2 (all masks: 0, 1, 2)"),
        ((0, 1, 5), AskedClasses(count=4, exclusive=True),
         "0.png: expected numbers 0 to 3 for 4 classes, 255 for what is ignored, got 5"),
        ((0, 3), AskedClasses(names=("a", "b", "c")),
         "0.png: expected numbers 0 to 2 for 3 classes, 255 for what is ignored, got 3"),
    ],
)  # fmt: skip
def test_values_without_a_meaning_are_refused(tmp_path, values, asked, text):
    with pytest.raises(DataError, match=r"expected .*, got ") as caught:
        found(tmp_path, grid(*values), asked=asked)
    assert caught.value.slug == "data/mask-values"
    assert text in str(caught.value)


@pytest.mark.parametrize("asked", [AskedClasses(), AskedClasses(count=3, exclusive=True)])
def test_masks_that_are_all_empty_are_refused(tmp_path, asked):
    text = "expected masks that show something, got 3 that are all empty"
    with pytest.raises(DataError, match=text) as caught:
        found(tmp_path, *[grid(0)] * 3, asked=asked)
    assert caught.value.slug == "data/empty-masks"


def test_a_mask_that_cannot_be_read_is_passed_over(tmp_path):
    paths = saved(tmp_path / "masks", grid(0, 255), grid(0, 255))
    paths[0].write_bytes(b"no image")
    assert find_reading(paths, AskedClasses(), tmp_path / "masks", Silent())[0].kind == PLANE


def test_masks_none_of_which_can_be_read_are_not_called_empty(tmp_path):
    wide = Image.fromarray(np.full((4, 4), 300, np.uint16))
    with pytest.raises(
        DataError,
        match=r"masks: expected masks that can be read, got none; the first is \S+0\.png: "
        r"expected whole numbers 0 to 255, got 300 to 300",
    ):
        found(tmp_path, wide, wide)


def test_many_masks_of_white_alone_are_one_class(tmp_path):
    reading, _ = found(tmp_path, *[grid(255)] * 70)
    assert read(reading, grid(255)).all()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (AskedClasses(ignore=(1, 2, 3)), r"expected a number, as masks hold, got \[1, 2, 3\]"),
        (AskedClasses(ignore=0), "expected what stands for no class, got 0, which is 'background'"),
        (AskedClasses(ignore=2), "expected what stands for no class, got 2, which is '2'"),
        (AskedClasses(names=("a", "b", "c", "d"), ignore=1), "got 1, which is 'b'"),
        (AskedClasses(names={"a": 0, "b": 2}, ignore=2), "got 2, which is 'b'"),
        (AskedClasses(names={"a": 0, "b": 2}, ignore=(0, 0, 0)), "expected a number, as masks"),
        (
            AskedClasses(names={"a": (0, 0, 0), "b": (9, 0, 0)}, ignore=9),
            "expected a colour, as `mask_classes` has, got 9",
        ),
    ],
)
def test_what_is_ignored_is_no_class_and_of_their_kind(tmp_path, asked, expected):
    with pytest.raises(DataError, match=f"ignore_value: .*{expected}"):
        found(tmp_path, grid(0, 1, 2, 3), asked=asked)


@pytest.mark.parametrize(
    ("count", "exclusive", "least"), [(300, True, 2), (254, False, 1), (1, True, 2)]
)
def test_a_byte_tells_so_many_classes_apart(tmp_path, count, exclusive, least):
    text = f"masks: expected {least} to 253 classes, got {count}"
    with pytest.raises(DataError, match=text):
        found(tmp_path, grid(0, 1), asked=AskedClasses(count=count, exclusive=exclusive))


def test_numbers_that_jpeg_has_blurred_are_refused(tmp_path):
    text = r"0\.jpg: expected numbers of \d classes in a format that keeps them, got JPEG"
    for asked in (AskedClasses(), AskedClasses(count=4)):
        with pytest.raises(DataError, match=text):
            found(tmp_path, grid(0, 1, 2, 3), asked=asked, ending="jpg")


def test_numbers_far_apart_that_jpeg_has_blurred_are_not_taken_for_black_and_white(tmp_path):
    drawn = Image.new("L", (200, 200))
    drawn.paste(180, (20, 20, 60, 60))
    drawn.paste(60, (120, 120, 160, 160))
    drawn.paste(235, (100, 100, 104, 104))
    with pytest.raises(DataError, match=r"0\.jpg: expected 0 and 255, or numbers of classes"):
        found(tmp_path, drawn, ending="jpg")


def test_black_and_white_masks_of_many_classes_are_not_called_empty(tmp_path):
    text = (
        r"masks: expected numbers 0 to 2 for 3 classes, got nothing but 0 and 255, and 255 is "
        r"ignored\n.*black and white masks are `classes: 1` with `sigmoid`"
    )
    with pytest.raises(DataError, match=text):
        found(tmp_path, grid(0, 255), asked=AskedClasses(count=3))
