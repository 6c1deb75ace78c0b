import io

import numpy as np
import pytest
from PIL import Image
from shapes import NAMES, draw_folders, draw_masks

from fivefold.apps.preview import draw_preview, training_samples
from fivefold.apps.preview.masks import laid_over
from fivefold.apps.preview.preview import _spread
from fivefold.apps.preview.sheet import Row, _shown, draw_sheet
from fivefold.augment import build_augmentation
from fivefold.build import build_images, build_prepare
from fivefold.build.pixels import build_preprocess
from fivefold.config import parse
from fivefold.core.cells import cell_of
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.layout import RunFolder
from fivefold.core.masks import as_nearest
from fivefold.core.progress import Silent
from fivefold.core.seeding import SampleGenerators
from fivefold.data import (
    FilesSource,
    FolderSource,
    PredictionItem,
    PythonSource,
    audit,
    table_of,
)
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.engine.fold_data import FoldData
from fivefold.engine.overlays import colour_of
from fivefold.experiment.datasets import prepare

CONFIG = """\
architecture: tiny
shape: [32, 32, 3]
seed: 5
augmentation: {Affine: {rotate: [-40, 40]}, Add: [-60, 60]}
stages:
  - {epochs: 3, freeze_encoder: true}
  - {epochs: 9, unfreeze_encoder: true}
"""
MARGIN, TOP, SIDE, GAP = 16, 42, 112, 8


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return FolderSource(draw_folders(tmp_path_factory.mktemp("shapes"), 5))


def picture(drawn, row, column, *, plain=1, side=SIDE, gap=GAP):
    """Take a picture of the sheet; there is more room behind those that are not augmented."""
    sheet = np.asarray(Image.open(io.BytesIO(drawn.png)))
    behind = plain + drawn.views - 1 - column
    x = sheet.shape[1] - MARGIN - side - behind * (side + gap) - gap * (column < plain)
    y = TOP + row * (side + gap)
    return sheet[y : y + side, x : x + side]


def cell(drawn, row, column, *, plain=1, size=32):
    """Take a picture of the sheet at its own size."""
    places = ((np.arange(size) + 0.5) * SIDE / size).astype(int)
    return picture(drawn, row, column, plain=plain)[np.ix_(places, places)]


def seen(config, source, i, *place):
    augment = build_augmentation(config.augmentation, lambda *path: "")
    rng = SampleGenerators(5, "augment", *place).of(source.sample_ids[i])
    return augment(source.image(i), rng)


def test_the_pictures_are_those_of_the_first_epochs_of_fold_0(source):
    config = parse(CONFIG)
    drawn = draw_preview(config, source, stage=1)
    assert (drawn.stage, drawn.samples, drawn.views) == (1, 8, 5)
    for row, i in enumerate(_spread(source, 8)):
        np.testing.assert_array_equal(cell(drawn, row, 0), source.image(i))
        for epoch in range(5):
            expected = seen(config, source, i, 0, 1, epoch)
            np.testing.assert_array_equal(cell(drawn, row, 1 + epoch), expected)


def test_of_a_frozen_backbone_the_views_are_drawn(source):
    config = parse(CONFIG)
    drawn = draw_preview(config, source, samples=2)
    assert (drawn.samples, drawn.views) == (2, 3)
    i = _spread(source, 2)[1]
    np.testing.assert_array_equal(cell(drawn, 1, 3), seen(config, source, i, 2))
    assert draw_preview(parse(CONFIG + "frozen_views: 0\n"), source).views == 0


def test_transforms_have_a_column_of_their_own_and_act_on_all_others(source):
    config = parse(CONFIG + "transforms: {Invert: 1}\n")
    drawn = draw_preview(config, source, stage=1, samples=1)
    (i,) = _spread(source, 1)
    np.testing.assert_array_equal(cell(drawn, 0, 0, plain=2), source.image(i))
    np.testing.assert_array_equal(cell(drawn, 0, 1, plain=2), 255 - source.image(i))
    expected = 255 - seen(config, source, i, 0, 1, 0)
    np.testing.assert_array_equal(cell(drawn, 0, 2, plain=2), expected)


def cells(drawn, row, column, plain):
    """Take the four cells of 28 pixels, each two wide on the sheet, that an image is cut into."""
    mosaic = picture(drawn, row, column, plain=plain, side=SIDE + 3, gap=16)
    places = [(y, x) for y in (0, 59) for x in (0, 59)]
    return [np.ascontiguousarray(mosaic[y : y + 56 : 2, x : x + 56 : 2]) for y, x in places]


def test_cells_are_drawn_as_training_gets_them(source):
    """The oracle is what the batches of fold 0 hold, in the stage whose backbone is frozen."""
    text = CONFIG.replace("[32, 32, 3]", "[56, 56, 3]") + "crops: 2\ntransforms: {Invert: 1}\n"
    config = parse(text)
    stage = config.resolve()[0]
    drawn = draw_preview(config, source, samples=2, views=2)
    assert (drawn.crops, drawn.views) == (2, 2)
    table = table_of(source, audit(source, folds=2, progress=Silent()))
    images = build_images(config.shape, source, table)
    for row, i in enumerate(_spread(source, 2)):
        rows = [table.ids.index(source.sample_ids[i])]
        whole = images.get(rows[0])
        original = [cell_of(whole, 2, number) for number in range(4)]
        np.testing.assert_array_equal(cells(drawn, row, 0, 2), original)
        np.testing.assert_array_equal(cells(drawn, row, 1, 2), [255 - one for one in original])
        batches = FoldData(table, images, rows, [], threads=0).train_batches(stage, seed=5, fold=0)
        for epoch in range(2):
            (batch,) = batches(epoch)
            shown = {one.tobytes() for one in cells(drawn, row, 2 + epoch, 2)}
            assert shown == {one.tobytes() for one in batch.images}
            assert len(shown) == 4


def test_a_frozen_stage_of_cells_sees_epochs_not_views(source):
    drawn = draw_preview(parse(CONFIG + "crops: 2\n"), source, samples=1)
    assert drawn.views == 3


@pytest.mark.parametrize(("epochs", "views"), [(1, 1), (4, 4), (9, 5)])
def test_no_more_epochs_are_drawn_than_the_stage_has(source, epochs, views):
    config = parse(CONFIG.replace("epochs: 9", f"epochs: {epochs}"))
    assert draw_preview(config, source, stage=1, samples=1).views == views


def found(config, source, folder, stage=0):
    return training_samples(config, source, config.resolve()[stage], folder, Silent())


def test_only_samples_that_fold_0_is_trained_on_are_chosen(tmp_path, caplog):
    """The oracle is a run's own folds: what fold 0's model has neither seen nor can use is out."""
    draw_folders(tmp_path / "shapes", 8)
    (tmp_path / "shapes" / "circle" / "000.png").write_bytes(b"no image")
    config = parse(CONFIG + "folds_count: 3\ntestSplit: 0.25\n")
    source, folder = FolderSource(tmp_path / "shapes"), RunFolder.of(tmp_path)
    first = found(config, source, folder)
    assert not folder.folds_path.exists()
    assert "1 image cannot be used" in caplog.text
    splits = prepare(source, config, folder, Silent(), save=True).splits
    again = found(config, source, folder)
    expected = list(splits.train_ids(0))
    assert list(first.source.sample_ids) == list(again.source.sample_ids) == expected
    assert first.left_out == again.left_out == {
        "validate fold 0": len(splits.val_ids(0)),
        "are held out": len(splits.holdout_ids),
        "cannot be used": 1,
    }  # fmt: skip
    assert draw_preview(config, first.source, samples=99).samples == len(expected)


class Flagged:
    """One class that most images lack."""

    class_names = ("ship",)

    def __len__(self):
        return 20

    def __getitem__(self, i):
        pixels = np.full((32, 32, 3), 10 * i, np.uint8)
        return PredictionItem(f"{i:02}", pixels, [float(i % 5 == 0)])


def test_negatives_that_a_stage_leaves_out_are_not_drawn(tmp_path):
    text = CONFIG.replace("{epochs: 3,", "{epochs: 3, negatives: none,")
    config = parse(text + "activation: sigmoid\nfolds_count: 2\n")
    source, folder = PythonSource(Flagged()), RunFolder.of(tmp_path)
    chosen = found(config, source, folder)
    assert set(chosen.source.sample_ids) < {"00", "05", "10", "15"}
    told = chosen.left_out["are negatives that the stage leaves out"]
    assert len(chosen.source) + told == len(found(config, source, folder, 1).source)


def test_all_classes_are_shown_in_turn(source):
    classes = [int(np.argmax(source.target(i))) for i in _spread(source, 8)]
    assert classes == [0, 1, 2, 0, 1, 2, 0, 1]
    assert len(NAMES) == 3


def test_images_without_labels_are_drawn_too(tmp_path):
    draw_folders(tmp_path / "shapes", 3)
    paths = sorted((tmp_path / "shapes").rglob("*.png"))
    drawn = draw_preview(parse(CONFIG), FilesSource(paths), stage=-1)
    assert (drawn.stage, drawn.samples) == (1, 8)


@pytest.mark.parametrize("shape", ["[32, 32, 1]", "[20, 44, 3]", "[600, 300, 3]"])
def test_other_shapes_are_drawn_in_their_proportions(source, shape):
    text = CONFIG.replace("[32, 32, 3]", shape)
    height, width, _ = parse(text).shape
    sheet = Image.open(io.BytesIO(draw_preview(parse(text), source, samples=1).png))
    assert sheet.mode == "RGB"
    assert sheet.height < 300
    assert (sheet.width > sheet.height * width / height) or height > width


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_any_number_of_channels_can_be_drawn(channels):
    image = np.random.default_rng(0).integers(0, 256, (8, 9, channels), dtype=np.uint8)
    shown = _shown(image, (18, 16))
    first = image[..., :3] if channels >= 3 else image[..., :1].repeat(3, axis=2)
    np.testing.assert_array_equal(np.asarray(shown)[::2, ::2], first)


def test_the_column_of_names_is_as_wide_as_they_need(tmp_path):
    def width(title, sample_id):
        image = np.zeros((224, 224, 3), np.uint8)
        png = draw_sheet(["original"], [Row(title, sample_id, [[image]])], plain=1)
        return Image.open(io.BytesIO(png)).width

    assert width("cat", "a") == width("", "b") < width("Abyssinian cat", "a")
    assert width("cat", "animals/abyssinian/0001.jpg") > width("cat", "animals/0001.jpg")
    assert width("x" * 1000, "y" * 1000) == width("x" * 99, "y" * 99)


def test_what_cannot_be_read_is_told_and_left_out(tmp_path, caplog):
    draw_folders(tmp_path, 2)
    (tmp_path / "circle" / "000.png").write_bytes(b"no image")
    drawn = draw_preview(parse(CONFIG), FolderSource(tmp_path))
    assert drawn.samples == 5
    assert "circle/000.png" in caplog.text
    assert "left out" in caplog.text


def test_data_without_an_image_are_an_error(tmp_path):
    draw_folders(tmp_path, 1)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match="preview: expected at least 1 image that can be read"):
        draw_preview(parse(CONFIG), FolderSource(tmp_path))


def test_a_stage_that_is_not_there_is_an_error(source):
    with pytest.raises(ConfigError, match="stage: expected a number from 0 to 1, got 2"):
        draw_preview(parse(CONFIG), source, stage=2)


def test_the_same_config_gives_the_same_bytes(source):
    assert draw_preview(parse(CONFIG), source) == draw_preview(parse(CONFIG), source)


def masked(folder, keys=""):
    """Open images of shapes with their masks, and a config for them."""
    text = CONFIG.replace("architecture: tiny", "architecture: Unet\nbackbone: test_resnet")
    root = draw_masks(folder, 4, size=40)
    return parse(text + keys, "c.yaml"), MaskFolderSource(root / "train", root / "train_mask")


def test_masks_are_drawn_over_what_the_network_sees_of_their_images(tmp_path):
    config, found = masked(tmp_path)
    drawn = draw_preview(config, found, stage=1, samples=2, views=3)
    (stage,) = [one for one in config.resolve() if one.index == 1]
    sample_id, i = found.sample_ids[0], 0
    preprocess = build_preprocess(config.shape, found.masks)
    pair = preprocess(found.image(i, (32, 32)), ""), as_nearest(found.mask(i), 32, 32)
    epoch = build_prepare(stage)(
        pair[0], SampleGenerators(5, "augment", 0, 1, 1).of(sample_id), pair[1]
    )
    for column, (image, mask) in ((0, pair), (2, epoch)):
        expected = laid_over(image, mask, found.masks)
        sheet = np.asarray(Image.open(io.BytesIO(drawn.png)))
        size = len(expected)
        x = sheet.shape[1] - MARGIN - size - (3 - column) * (size + GAP) - GAP * (column < 1)
        np.testing.assert_array_equal(sheet[TOP : TOP + size, x : x + size], expected)


def test_cells_and_transforms_take_their_masks_along(tmp_path):
    config, found = masked(tmp_path, "crops: 2\ntransforms: {Fliplr: 1.0}\n")
    assert draw_preview(config, found, stage=1, samples=2, views=2).crops == 2


def test_colours_of_several_classes_are_named_below(tmp_path):
    root = draw_masks(tmp_path, 4, size=40, classes=2)
    source = MaskFolderSource(root / "train", root / "train_mask")
    config, _ = masked(tmp_path / "other")
    drawn = Image.open(io.BytesIO(draw_preview(config, source, samples=1).png)).convert("RGB")
    named = np.array(drawn)[-40:]  # below the only row
    for number in (1, 2):
        swatch = (named == colour_of(source.masks, number)).all(axis=2)
        assert swatch.sum() > 100
