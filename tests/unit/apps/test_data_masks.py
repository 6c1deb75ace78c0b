"""`fivefold data` with images that have masks."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from shapes import draw_masks

from fivefold.apps.data_check import check_data, contact_sheets, draw_sheets, draw_stats, stats_of
from fivefold.apps.data_files.choosing import kinds_of
from fivefold.apps.data_files.converting import write_as_named
from fivefold.apps.data_files.labels import list_folders, list_table
from fivefold.apps.data_files.reading import table_without_copies
from fivefold.apps.data_files.resizing import Wanted, resize_folder
from fivefold.apps.data_files.sampling import draw_sample
from fivefold.apps.data_files.splitting import Plan, write_split
from fivefold.config import parse
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.masks import IGNORED
from fivefold.core.progress import Silent
from fivefold.experiment.datasets import given_folds
from fivefold.experiment.named_data import Opened, Reading, open_data
from fivefold.experiment.sources import open_source

HEAD = "architecture: Unet\nbackbone: resnet18\nshape: [32, 32, 3]\nstages: [{epochs: 1}]\n"


def opened(root, text="dataset: {images: train, masks: train_mask}"):
    """Open data with the activation that a config names."""
    source = open_source(
        parse(f"{HEAD}{text}\n", root / "config.yaml"), allow_imports=False, progress=Silent()
    )
    return Opened(root, "masks", source, root / "train")


def converted(data, output, **options):
    keep = np.ones(len(data.source), dtype=bool)
    return write_as_named(data, keep, output, progress=Silent(), **options)


def check_same(first, second):
    assert second.labels == first.labels
    assert second.masks == first.masks
    assert len(first) == len(second)
    for i in range(len(first)):
        np.testing.assert_array_equal(second.mask(i), first.mask(i))
        np.testing.assert_array_equal(second.image(i), first.image(i))


KINDS = {"one class": (1, ""), "several": (3, "\nactivation: softmax")}
OUTPUTS = ("all.csv", "all.json", "all")


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_masks_come_back_from_each_form_in_which_they_are_written(kind, output, tmp_path):
    classes, more = KINDS[kind]
    root = draw_masks(tmp_path / "data", 6, classes=classes, empty_every=3, size=(40, 56))
    data = opened(root, f"dataset: {{images: train, masks: train_mask}}{more}")
    written = converted(data, root / output)
    assert (written.images, written.warnings) == (6, ())
    again = opened(root, written.section).source
    if classes == 1 and output != "all":
        assert again.labels[0].class_names == ("foreground",)
    check_same(data.source, again)


@pytest.mark.parametrize("output", OUTPUTS)
def test_what_is_ignored_stays_so_or_is_told(output, tmp_path):
    root = draw_masks(tmp_path / "data", 3, classes=2)
    place = root / "train_mask" / "001.png"
    mask = np.array(Image.open(place))
    mask[:4] = IGNORED
    Image.fromarray(mask).save(place)
    data = opened(root, "dataset: {images: train, masks: train_mask}\nactivation: softmax")
    written = converted(data, root / output)
    again = opened(root, written.section).source
    if output == "all.csv":
        assert written.warnings[0].startswith("1 masks have pixels that do not count")
        assert not (again.mask(1) == IGNORED).any()
        return
    assert written.warnings == ()
    check_same(data.source, again)


OVERLAPPING = {
    "images": [{"id": 0, "file_name": "000.jpg"}, {"id": 1, "file_name": "001.jpg"}],
    "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    "annotations": [
        {"id": 1, "image_id": 0, "category_id": 1, "segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]},
        {"id": 2, "image_id": 0, "category_id": 2, "segmentation": [[5, 5, 20, 5, 20, 20]]},
        {"id": 3, "image_id": 1, "category_id": 2, "segmentation": [[5, 5, 20, 5, 20, 20]]},
        {
            "id": 4,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 1,
            "segmentation": {"size": [48, 48], "counts": [0, 96, 2208]},
        },
    ],
}


@pytest.fixture
def overlapping(tmp_path):
    root = draw_masks(tmp_path / "data", 2)
    (root / "coco.json").write_text(json.dumps(OVERLAPPING))
    return root


def test_classes_that_overlap_stay_so_in_a_coco_file(overlapping):
    data = open_data(overlapping / "coco.json", Reading())
    assert data.images_dir == overlapping / "train"
    written = converted(data, overlapping / "all.json")
    assert "activation: sigmoid" in written.section
    check_same(data.source, opened(overlapping, written.section).source)


def test_classes_that_overlap_are_no_picture(overlapping):
    data = open_data(overlapping / "coco.json", Reading())
    with pytest.raises(DataError, match=r"000.jpg: expected one class for each pixel of a picture"):
        converted(data, overlapping / "all")
    assert not (overlapping / "all").exists()


def test_a_mask_that_cannot_be_read_is_told(tmp_path):
    root = draw_masks(tmp_path / "data", 3)
    data = opened(root)
    (root / "train_mask" / "001.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"001.jpg .*: expected a usable mask, got") as error:
        converted(data, root / "all.csv")
    assert error.value.slug == "data/unwritten-mask"
    assert not (root / "all.csv").exists()


def test_options_of_labels_mean_nothing_with_masks(tmp_path):
    data = opened(draw_masks(tmp_path / "data", 2))
    with pytest.raises(ConfigError, match="--new-separator: expected no such option with masks"):
        converted(data, tmp_path / "all.csv", separator="$")


def test_data_commands_find_masks_by_looking(tmp_path):
    root = draw_masks(tmp_path / "data", 3)
    found = open_data(root, Reading())
    assert (found.kind, found.images_dir) == ("masks", root / "train")
    assert found.source.masks is not None


def test_masks_keep_their_values_when_images_are_resized(tmp_path):
    root = draw_masks(tmp_path / "data", 3, classes=3, size=(60, 90))
    done = resize_folder(root, tmp_path / "small", Wanted(30), progress=Silent())
    assert (done.images, done.masks) == (6, 3)
    small = tmp_path / "small"
    with Image.open(small / "train" / "002.jpg") as image:
        assert image.size == (30, 20)
    with (
        Image.open(root / "train_mask" / "002.png") as before,
        Image.open(small / "train_mask" / "002.png") as after,
    ):
        expected = before.resize((30, 20), Image.Resampling.NEAREST)
        np.testing.assert_array_equal(np.array(after), np.array(expected))


def test_a_folder_of_masks_alone_is_resized_so_where_that_is_asked_for(tmp_path):
    root = draw_masks(tmp_path / "data", 2, classes=3, size=(60, 90))
    with Image.open(root / "train_mask" / "000.png") as drawn:
        palette = drawn.convert("P")
    palette.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    palette.save(root / "train_mask" / "000.png")
    wanted = Wanted(30, nearest=True)
    resize_folder(root / "train_mask", tmp_path / "small", wanted, progress=Silent())
    with Image.open(tmp_path / "small" / "000.png") as after:
        assert after.mode == "P"
        expected = palette.resize((30, 20), Image.Resampling.NEAREST)
        np.testing.assert_array_equal(np.array(after), np.array(expected))


def test_masks_are_counted_in_images_and_pixels(tmp_path):
    root = draw_masks(tmp_path / "data", 6, classes=2, empty_every=3)
    data = opened(root, "dataset: {images: train, masks: train_mask}\nactivation: softmax")
    planes = [np.array(Image.open(p)) for p in sorted((root / "train_mask").iterdir())]
    (root / "train_mask" / "000.png").write_bytes(b"no picture")
    found = stats_of(data, Silent())
    shown = planes[1:]
    assert found.masks.pixels == {
        name: int(sum((plane == k).sum() for plane in shown))
        for k, name in enumerate(("background", "1", "2"))
    }
    assert found.masks.total == sum(plane.size for plane in shown)
    assert found.outputs == [("", found.masks.images)]
    assert found.masks.images["2"] == sum((plane == 2).any() for plane in shown)
    assert (found.masks.empty, found.unusable) == (2, 1)
    assert found.masks.covered["nothing"] == 2
    assert sum(found.masks.covered.values()) == 5
    assert found.record()["masks"]["empty"] == 2
    assert draw_stats(found).startswith(b"\x89PNG")


def test_what_is_wrong_with_masks_is_found_and_drawn(tmp_path, monkeypatch):
    root = draw_masks(tmp_path / "data", 8, empty_every=4)
    Image.new("L", (9, 7)).save(root / "train_mask" / "005.png")
    data = open_data(root, Reading())
    checked = check_data(data, headers_only=False, progress=Silent())
    assert checked.refusals == []
    by_name = {one.name: one for one in checked.findings}
    assert by_name["mask_size"].count == 1
    assert list(by_name["mask_size"].examples) == ["005.jpg"]
    assert list(by_name["empty_masks"].examples) == ["003.jpg", "007.jpg"]
    titles = list[str]()
    monkeypatch.setattr(contact_sheets, "_draw_tile", lambda *its: titles.append(its[2].note))
    assert "mask_size" in dict(draw_sheets(checked, data.source))
    assert "image 48 x 48, mask 9 x 7" in titles


def test_one_class_is_not_compared_and_its_bar_shows_its_share(tmp_path):
    data = opened(draw_masks(tmp_path / "data", 6))
    found = stats_of(data, Silent())
    assert found.imbalance is None
    with Image.open(io.BytesIO(draw_stats(found))) as drawn:
        row = np.array(drawn)[94 + 3 * 26 + 8, 208 : 208 + 420]  # the bar below "pixels that show"
    filled = (row == (59, 111, 182)).all(axis=1).mean()
    share = found.masks.pixels["foreground"] / found.masks.total
    assert share < 0.5
    assert filled == pytest.approx(share, abs=0.01)


def test_labels_are_not_made_of_masks(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    for list_them, data in ((lambda d: list_folders([d]), root), (list_table, root / "all.csv")):
        if data.suffix:
            converted(opened(root), data)
        with pytest.raises(DataError, match="table of labels, got images with masks") as error:
            list_them(data)
        assert error.value.slug == "data/masks-not-labels"


def test_a_split_of_masks_has_positives_in_each_fold_and_can_be_read_back(tmp_path):
    root = draw_masks(tmp_path / "data", 12, empty_every=3)
    data = opened(root)
    table = table_without_copies(data.source)
    written = write_split(data, table, Plan(test=0.25, folds=2), root / "folds.csv")
    shown = {name: part.classes["foreground"] for name, part in written.parts.items()}
    assert shown == {"test": 2, "train": 6, "fold 0": 3, "fold 1": 3}
    text = "dataset: {images: train, masks: train_mask}\nfolds_from: folds.csv\nfolds_count: 2\n"
    config = parse(HEAD + text, root / "config.yaml")
    given = given_folds(config, data.source)
    assert len(given.fold_of) == 12


@pytest.mark.parametrize(
    ("plan", "column", "expected"),
    [
        (Plan(test=0.25), "", "--folds: expected a number of folds for images with masks"),
        (Plan(folds=2), "part", "--column: expected no other name for images with masks"),
    ],
)
def test_a_split_that_no_config_could_read_is_refused(plan, column, expected, tmp_path):
    data = opened(draw_masks(tmp_path / "data", 4))
    table = table_without_copies(data.source)
    with pytest.raises(ConfigError, match=expected):
        write_split(data, table, plan, tmp_path / "a.csv", column=column)


def test_a_sample_of_masks_is_drawn_by_what_they_show(tmp_path):
    root = draw_masks(tmp_path / "data", 12, classes=3)
    data = opened(root, "dataset: {images: train, masks: train_mask}\nactivation: softmax")
    table = table_without_copies(data.source)
    assert kinds_of(table).names == ("1", "2", "3")
    drawn = draw_sample(table, per_class=2)
    assert min(drawn.counts.values()) >= 2
    written = write_as_named(data, drawn.keep, root / "small", progress=Silent())
    assert written.images == drawn.keep.sum() < 12
    assert len(list((root / "small" / "masks").iterdir())) == written.images


@pytest.mark.parametrize("factor", [1, 16])
def test_numbers_of_12_bits_in_files_of_16_are_told_with_what_to_do(factor, tmp_path):
    root = draw_masks(tmp_path / "data", 6)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 4000, (48, 48)).astype(np.uint16)
    pixels[0, 0] = 4095
    for name in ("000", "001"):
        (root / "train" / f"{name}.jpg").unlink()
        Image.fromarray(pixels * np.uint16(factor)).save(root / "train" / f"{name}.tif")
    checked = check_data(opened(root), headers_only=False, progress=Silent())
    actions = {one.name: one.action for one in checked.findings}
    text = (
        "the largest number of 16 bits is 4,095 of 65,535, which becomes 16 of 255: rescale such "
    )
    told = [name for name, action in actions.items() if text in action]
    assert told == (["dark", "16_bit"] if factor == 1 else [])
