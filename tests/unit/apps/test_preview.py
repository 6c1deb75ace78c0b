import io

import numpy as np
import pytest
from PIL import Image
from shapes import NAMES, draw_folders

from fivefold.apps.preview import _shown, _spread, draw_preview
from fivefold.augment import build_augmentation
from fivefold.config import parse
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.seeding import SampleGenerators
from fivefold.data import FilesSource, FolderSource

CONFIG = """\
architecture: tiny
shape: [32, 32, 3]
seed: 5
augmentation: {Affine: {rotate: [-40, 40]}, Add: [-60, 60]}
stages:
  - {epochs: 3, freeze_encoder: true}
  - {epochs: 9, unfreeze_encoder: true}
"""
LEFT, TOP, SIDE, GAP = 164, 38, 112, 8


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return FolderSource(draw_folders(tmp_path_factory.mktemp("shapes"), 5))


def cell(drawn, row, column, size=32):
    """Take a picture of the sheet at its own size."""
    sheet = np.asarray(Image.open(io.BytesIO(drawn.png)))
    x, y = LEFT + column * (SIDE + GAP), TOP + row * (SIDE + GAP)
    places = ((np.arange(size) + 0.5) * SIDE / size).astype(int)
    return sheet[y : y + SIDE, x : x + SIDE][np.ix_(places, places)]


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
    np.testing.assert_array_equal(cell(drawn, 0, 0), source.image(i))
    np.testing.assert_array_equal(cell(drawn, 0, 1), 255 - source.image(i))
    np.testing.assert_array_equal(cell(drawn, 0, 2), 255 - seen(config, source, i, 0, 1, 0))


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
    (shown,) = _shown([image], (18, 16))
    first = image[..., :3] if channels >= 3 else image[..., :1].repeat(3, axis=2)
    np.testing.assert_array_equal(np.asarray(shown)[::2, ::2], first)


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
    with pytest.raises(ConfigError, match="expected a stage from 0 to 1, got 2"):
        draw_preview(parse(CONFIG), source, stage=2)


def test_the_same_config_gives_the_same_bytes(source):
    assert draw_preview(parse(CONFIG), source) == draw_preview(parse(CONFIG), source)
