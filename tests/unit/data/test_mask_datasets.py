"""Musket's data sets of images with masks."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from shapes import draw_masks

from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind
from fivefold.data import coders, datasets, rle
from fivefold.data.datasets import (
    AspectRatioDataSet,
    BinarySegmentationDataSet,
    CompositeDataSet,
    CompressibleWriteableDS,
    MultiClassSegmentationDataSet,
    NegativeDataSet,
    SimplePNGMaskDataSet,
    SourceDataSet,
    SubDataSet,
    source_of,
)
from fivefold.data.image_problem import ImageProblem
from fivefold.data.python_class import PredictionItem, PythonSource

SIZE = (6, 9)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for k, name in enumerate("abc"):
        pixels = np.full((*SIZE, 3), 40 * k, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def plane():
    found = np.zeros(SIZE, dtype=bool)
    found[1:3, 2:5] = found[4:, 7:] = True
    return found


def table(tmp_path, rows, header=("image", "rle")):
    path = tmp_path / "train.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


ENCODERS = {
    "columns": (rle.rle_encode, {}),
    "rows": (coders.rle_encode, {"rMask": False}),
    "relative": (lambda plane: coders.mask2rle_relative(plane.T), {"isRel": True}),
}


@pytest.mark.parametrize("form", ENCODERS)
def test_a_table_of_masks_is_read_and_written_again(form, tmp_path, images, plane):
    encode, options = ENCODERS[form]
    nothing = "-1" if form == "relative" else ""
    path = table(tmp_path, [("a.png", encode(plane)), ("b.png", nothing)])
    made = BinarySegmentationDataSet(images, path, "image", "rle", **options)
    assert [made[0].id, made[1].id] == ["a.png", "b.png"]
    assert made[0].y.shape == (*SIZE, 1)
    np.testing.assert_array_equal(made[0].y[..., 0], plane)
    np.testing.assert_array_equal(made.get_target(0), made[0].y)
    assert [made.isPositive(i) for i in range(2)] == [True, False]
    rows = [{"image": "a.png", "rle": encode(plane)}, {"image": "b.png", "rle": nothing}]
    assert made.encode(made, encode_y=True) == rows
    assert made.encode(made[0], encode_y=True) == rows[0]
    predicted = PredictionItem("x", None, None, np.where(plane, 0.7, 0.2)[:, :, None])
    assert made.encode(predicted) == {"image": "x", "rle": encode(plane)}
    assert made.encode(predicted, treshold=0.8) == {"image": "x", "rle": nothing}


def test_predictions_are_brought_to_the_shape_of_the_table(tmp_path, images):
    small = np.zeros((3, 3), dtype=bool)
    small[:, 0] = True
    path = table(tmp_path, [("a.png", rle.rle_encode(small))])
    made = BinarySegmentationDataSet(images, path, "image", "rle", maskShape=(3, 3))
    large = np.zeros(SIZE, dtype=np.uint8)
    large[:, :3] = 1
    np.testing.assert_array_equal(made[0].y[..., 0], large)
    item = PredictionItem("a.png", None, made[0].y, large.astype(np.float64))
    expected = {"image": "a.png", "rle": rle.rle_encode(small)}
    assert made.encode(item) == expected
    assert made.encode(item, encode_y=True) == expected


def test_objects_of_a_mask_come_one_by_one(tmp_path, images, plane):
    made = BinarySegmentationDataSet(
        images, table(tmp_path, [("a.png", rle.rle_encode(plane))]), "image", "rle"
    )
    first, second = made.get_masks("a.png")
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first + second, plane)
    assert first[1:3, 2:5].all()
    assert (first * second).sum() == 0
    with pytest.raises(DataError, match="expected the id of an item with a mask, got 'z'"):
        made.get_masks("z")


def test_only_the_first_images_may_count(tmp_path, images):
    rows = [("a.png", "1 1"), ("b.png", "2 1"), ("a.png", "5 1"), ("c.png", "")]
    made = BinarySegmentationDataSet(images, table(tmp_path, rows), "image", "rle", len=1)
    assert len(made) == 1
    assert made[0].y.sum() == 2


def test_images_may_lie_in_several_folders(tmp_path, images):
    other = tmp_path / "other"
    other.mkdir()
    Image.fromarray(np.full((*SIZE, 3), 9, np.uint8)).save(other / "z.png")
    path = table(tmp_path, [("a", "1 1"), ("z", "")])
    made = BinarySegmentationDataSet([images, other], path, "image", "rle")
    assert [int(made[i].x.max()) for i in range(2)] == [0, 9]


def test_without_a_column_of_masks_there_are_only_images(tmp_path, images):
    path = table(tmp_path, [("a.png", "x"), ("b.png", "y"), ("", "")])
    made = BinarySegmentationDataSet(images, path, "image")
    assert len(made) == 2
    assert made[0].y is None
    assert made.source.masks is None
    with pytest.raises(DataError, match="expected the id of an item with a mask, got data withou"):
        made.get_masks("a.png")


@pytest.mark.parametrize("joined", [False, True])
def test_several_classes_have_a_plane_each(joined, tmp_path, images, plane):
    text = rle.rle_encode(plane)
    whole = rle.rle_encode(plane | ~plane)
    rows = [("a.png", "cat", text), ("a.png", "dog", whole), ("b.png", "cat", "")]
    header = ("ImageId", "ClassId", "rle")
    if joined:
        rows, header = [(f"{i}_{c}", t) for i, c, t in rows], ("ImageId_ClassId", "rle")
    made = MultiClassSegmentationDataSet(
        images, table(tmp_path, rows, header), "ImageId", "rle", "ClassId"
    )
    assert made.classes == ("cat", "dog")
    assert made[0].y.shape == (*SIZE, 2)
    np.testing.assert_array_equal(made[0].y[..., 0], plane)
    assert made[0].y[..., 1].all()
    written = made.encode(made, encode_y=True)
    assert written[:3] == [dict(zip(header, row, strict=True)) for row in rows]
    assert written[3:] == [written[2] | dict(zip(header, _second(joined), strict=True))]
    assert made.encode(made[0], encode_y=True) == written[:2]


def _second(joined):
    return ("b.png_dog", "") if joined else ("b.png", "dog", "")


def test_negatives_are_images_without_anything(images):
    made = NegativeDataSet(images)
    assert len(made) == 3
    assert not made[0].y.any()
    assert made[0].y.shape == (*SIZE, 1)
    assert not any(made.isPositive(i) for i in range(3))


def test_data_sets_made_of_others_keep_masks(tmp_path, images, plane):
    path = table(tmp_path, [("a.png", rle.rle_encode(plane)), ("b.png", "")])
    made = BinarySegmentationDataSet(images, path, "image", "rle")
    part = source_of(SubDataSet(made, [1, 0]))
    np.testing.assert_array_equal(part.mask(1)[..., 0], plane)
    both = PythonSource(CompositeDataSet([made, NegativeDataSet(images)]))
    assert both.masks == MaskKind(1, exclusive=False)
    assert len(both) == 5
    np.testing.assert_array_equal(both.mask(0)[..., 0], plane)
    assert [both.is_positive(i) for i in range(5)] == [True, False, False, False, False]


def test_exclusive_classes_come_back_through_python(plane):
    class Exclusive:
        class_names = ("ground", "cat")

        def __len__(self):
            return 2

        def __getitem__(self, i):
            mask = plane.astype(np.uint8) * (1 - i)
            mask[0, 0] = 255
            return PredictionItem(f"{i}", np.zeros((*SIZE, 3), np.uint8), mask)

    first = PythonSource(Exclusive())
    assert first.masks == MaskKind(2, exclusive=True)
    again = PythonSource(CompositeDataSet([SourceDataSet(first)]))
    assert again.masks == first.masks
    assert again.labels == first.labels
    np.testing.assert_array_equal(again.mask(0), first.mask(0))


def test_folders_of_images_and_masks_are_read_by_their_names(tmp_path):
    root = draw_masks(tmp_path, 6, empty_every=3)
    made = SimplePNGMaskDataSet(str(root / "train"), str(root / "train_mask"))
    assert [made[i].id for i in range(2)] == ["000", "001"]
    assert made[0].y.shape == (48, 48, 1)
    for i in range(6):
        plane = np.array(Image.open(root / "train_mask" / f"{i:03d}.png")) > 0
        np.testing.assert_array_equal(made[i].y[..., 0], plane)
        assert made.isPositive(i) == plane.any()
    assert made.source.masks == MaskKind(1, exclusive=False)
    assert source_of(made) is made.source
    total = sum(made.get_masks("000"))
    np.testing.assert_array_equal(total, made[0].y[..., 0])
    assert (len(made), made.name) == (6, "train")


def test_some_images_may_be_listed_and_of_any_ending(tmp_path):
    root = draw_masks(tmp_path, 4)
    picture = root / "train" / "002.jpg"
    Image.open(picture).save(root / "train" / "002.bmp")
    made = SimplePNGMaskDataSet(root / "train", root / "train_mask", list=["002", "001"])
    assert made.source.path(0).endswith("002.jpg")
    assert [made[i].id for i in range(2)] == ["002", "001"]
    made = SimplePNGMaskDataSet(root / "train", root / "train_mask", in_ext="bmp")
    assert len(made) == 4
    assert [made.source.path(i)[-3:] for i in range(4)] == ["jpg", "jpg", "bmp", "jpg"]


def test_masks_that_show_nothing_may_be_asked_for(tmp_path):
    root = draw_masks(tmp_path, 3)
    made = SimplePNGMaskDataSet(root / "train", "nowhere", generate=True)
    assert len(made) == 3
    assert not made[0].y.any()
    assert made[0].y.shape == (48, 48, 1)


def test_folders_without_a_common_name_are_refused(tmp_path):
    root = draw_masks(tmp_path, 3)
    with pytest.raises(
        DataError, match=r"expected masks of the images in .*, got none for 1 image"
    ):
        SimplePNGMaskDataSet(root / "train", root / "train_mask", list=["z"])


def test_one_missing_mask_is_one_sample_less(tmp_path):
    root = draw_masks(tmp_path, 3)
    (root / "train_mask" / "001.png").unlink()
    made = SimplePNGMaskDataSet(root / "train", root / "train_mask")
    with pytest.raises(ImageProblem, match=r"its mask .*001.png: missing: there is no such"):
        made.source.fetch(1)


@pytest.mark.parametrize(
    "name", ["InstanceSegmentationDataSet", "TextMaskGenerator", "Backgrounds"]
)
def test_what_is_not_here_says_what_is(name):
    with pytest.raises(ImportError, match=f"{name} of Musket's is not in fivefold: "):
        getattr(datasets, name)


def test_a_mask_is_cut_as_its_image_is(tmp_path):
    root = draw_masks(tmp_path, 2, size=(40, 60))
    whole = SimplePNGMaskDataSet(root / "train", root / "train_mask")
    source = PythonSource(AspectRatioDataSet(whole, (1, 1)))
    assert source.image(0).shape == (40, 40, 3)
    np.testing.assert_array_equal(source.mask(0), whole[0].y[:, 10:50])


@pytest.mark.parametrize(("scale", "kind"), [(255, np.uint8), (1000, np.uint16)])
def test_predicted_masks_are_kept_as_whole_numbers(scale, kind, tmp_path):
    probs = np.random.default_rng(0).random((5, 6, 1))
    written = CompressibleWriteableDS([0, 1], "said", tmp_path / "said", scale=scale)
    written.append(probs)
    written.append([probs, probs / 2])
    with np.load(tmp_path / "said" / "0.npz") as file:
        assert file["0"].dtype == kind
    again = CompressibleWriteableDS([0, 1], "said", tmp_path / "said", count=2, scale=scale)
    np.testing.assert_allclose(again.prediction(0), probs, atol=0.5 / scale + 1e-7)
    np.testing.assert_allclose(again.prediction(1)[1], probs / 2, atol=0.5 / scale + 1e-7)
    exact = CompressibleWriteableDS([0], "said", tmp_path / "exact", asUints=False)
    exact.append(probs)
    np.testing.assert_array_equal(exact.prediction(0), probs)


def test_a_scale_of_three_bytes_is_refused(tmp_path):
    with pytest.raises(DataError, match="scale: expected from 1 to 65535, got 70000"):
        CompressibleWriteableDS([], "said", tmp_path, scale=70_000)


def test_muskets_import_lines_give_these_classes(tmp_path):
    root = draw_masks(tmp_path, 2)
    program = (
        "import fivefold.musket\n"
        "from segmentation_pipeline.impl.datasets import SimplePNGMaskDataSet\n"
        "from segmentation_pipeline.impl.rle import rle_encode\n"
        "from musket_core.image_datasets import BinarySegmentationDataSet\n"
        f"ds = SimplePNGMaskDataSet({str(root / 'train')!r}, {str(root / 'train_mask')!r})\n"
        "print(len(ds), len(rle_encode(ds[0].y)) > 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2 True\n", "")
