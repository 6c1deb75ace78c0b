import csv
import io

import numpy as np
import pytest
from mask_nets import BRIGHT, COLOURS, GROUNDS, ensemble_of
from PIL import Image

from fivefold.apps.mask_files import Wanted, write_masks
from fivefold.core.errors import ResourceError
from fivefold.core.progress import Silent
from fivefold.data.decode import read_image
from fivefold.data.rle import rle_decode
from fivefold.experiment.datasets import open_inputs
from fivefold.experiment.mask_rules import USUAL_RULE
from fivefold.experiment.predicted_masks import PredictedMasks

SIZES = {"a.png": (32, 40), "sub/b.jpg": (57, 33), "sub/dark.png": (20, 20)}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    (root / "sub").mkdir()
    rng = np.random.default_rng(0)
    for name, (height, width) in SIZES.items():
        small = rng.integers(0, 256, (3, 3, 3), dtype=np.uint8)
        if "dark" in name:
            small[:] = 1
        picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        picture.save(root / name)
    return root


def found_in(images, head=BRIGHT, rule=USUAL_RULE, **options):
    return PredictedMasks(ensemble_of(head, **options), open_inputs(images), rule, Silent())


def table_of(output):
    return list(csv.DictReader(io.StringIO((output / "masks.csv").read_text("utf-8"))))


def files_below(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_one_class_is_0_and_255_at_the_images_own_size(images, tmp_path):
    written = write_masks(found_in(images), tmp_path, Wanted())
    assert (written.images, written.empty) == (3, 1)
    assert files_below(tmp_path) == [
        "masks.csv",
        "masks/a.png",
        "masks/sub/b.png",
        "masks/sub/dark.png",
    ]
    for one, name in zip(found_in(images), ("a", "sub/b", "sub/dark"), strict=True):
        picture = Image.open(tmp_path / "masks" / f"{name}.png")
        assert picture.mode == "L"
        np.testing.assert_array_equal(np.asarray(picture), one.mask[..., 0] * 255)


def test_the_table_says_the_same_as_the_pictures(images, tmp_path):
    write_masks(found_in(images), tmp_path, Wanted())
    rows = table_of(tmp_path)
    assert [row["id"] for row in rows] == list(SIZES)
    assert list(rows[0]) == ["id", "class", "rle", "pixels", "probability", "height", "width"]
    for row, one in zip(rows, found_in(images), strict=True):
        size = int(row["height"]), int(row["width"])
        assert size == SIZES[row["id"]] == one.size
        np.testing.assert_array_equal(rle_decode(row["rle"], size), one.mask[..., 0])
        assert int(row["pixels"]) == one.mask.sum()
    assert rows[2]["rle"] == rows[2]["probability"] == ""
    assert 0.5 < float(rows[0]["probability"]) < 1


def test_exclusive_classes_are_numbers_in_colours(images, tmp_path):
    write_masks(found_in(images, GROUNDS), tmp_path, Wanted())
    for one, name in zip(found_in(images, GROUNDS), ("a", "sub/b", "sub/dark"), strict=True):
        picture = Image.open(tmp_path / "masks" / f"{name}.png")
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), one.mask[..., 0])
        assert picture.getpalette()[:3] == [0, 0, 0]
    assert [row["class"] for row in table_of(tmp_path)] == ["red", "blue"] * 3


def test_classes_that_may_overlap_get_a_folder_each(images, tmp_path):
    write_masks(found_in(images, COLOURS), tmp_path, Wanted())
    for one, name in zip(found_in(images, COLOURS), ("a", "sub/b", "sub/dark"), strict=True):
        for k, part in enumerate(("red", "green", "blue")):
            pixels = np.asarray(Image.open(tmp_path / "masks" / part / f"{name}.png"))
            np.testing.assert_array_equal(pixels, one.mask[..., k] * 255)


@pytest.mark.parametrize("tiles", [None, 0.25])
def test_probabilities_are_written_exactly_or_as_pictures(images, tmp_path, tiles):
    write_masks(found_in(images, COLOURS, tiles=tiles), tmp_path / "exact", Wanted(maps="npy"))
    write_masks(found_in(images, COLOURS, tiles=tiles), tmp_path / "seen", Wanted(maps="png"))
    for one, name in zip(found_in(images, COLOURS, tiles=tiles), ("a", "sub/b"), strict=False):
        exact = np.load(tmp_path / "exact" / "maps" / f"{name}.npy", allow_pickle=False)
        np.testing.assert_array_equal(exact, one.arr)
        green = np.asarray(Image.open(tmp_path / "seen" / "maps" / "green" / f"{name}.png"))
        np.testing.assert_array_equal(green, np.rint(one.arr[..., 1] * 255))


def test_overlays_show_the_image_at_its_own_size(images, tmp_path):
    write_masks(found_in(images), tmp_path, Wanted(overlays=True))
    assert read_image(tmp_path / "overlays" / "sub" / "b.png").shape == (57, 33, 3)


def test_the_same_command_writes_the_same_bytes(images, tmp_path):
    wanted = Wanted(maps="npy", overlays=True)
    for name in ("one", "other"):
        write_masks(found_in(images, GROUNDS), tmp_path / name, wanted)
    assert files_below(tmp_path / "one") == files_below(tmp_path / "other")
    for name in files_below(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_what_is_written_stays_when_it_is_stopped(images, tmp_path):
    found = found_in(images)

    class Stopping(PredictedMasks):
        def __iter__(self):
            passed = iter(found)
            yield next(passed)
            msg = "enough"
            raise KeyboardInterrupt(msg)

    stopped = Stopping(ensemble_of(), open_inputs(images), USUAL_RULE, Silent())
    with pytest.raises(KeyboardInterrupt, match="enough"):
        write_masks(stopped, tmp_path, Wanted(maps="npy"))
    assert files_below(tmp_path) == ["maps/a.npy", "masks.csv", "masks/a.png"]
    assert [row["id"] for row in table_of(tmp_path)] == ["a.png"]


def test_a_folder_that_cannot_be_written_is_told(images, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match=r"masks\.csv: expected to write this file"):
        write_masks(found_in(images), tmp_path / "file", Wanted())
