import numpy as np
import pytest
from PIL import Image

from benchmarks.mask_data import large_picture, mask_set
from benchmarks.rows.segmentation import loading_row, tiles_rows, training_row
from fivefold.config import parse

TRAINED = {
    "backbone": "resnet18",
    "size": 128,
    "train_images_per_second": 9.6,
    "bare_images_per_second": 10.0,
    "efficiency": 0.96,
    "efficiency_of_pairs": [0.95, 0.96, 0.97],
}


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_masks_are_drawn_once_and_mark_part_of_their_pictures(tmp_path):
    root = mask_set(tmp_path, 3, (60, 80))
    files = sorted((root / "masks").iterdir())
    before = [path.stat().st_mtime_ns for path in files]
    for path in files:
        mask = pixels(path)
        assert mask.shape == (60, 80)
        assert set(np.unique(mask)) == {0, 255}
        assert pixels(root / "images" / f"{path.stem}.jpg").shape == (60, 80, 3)
    mask_set(tmp_path, 3, (60, 80))
    assert [path.stat().st_mtime_ns for path in files] == before


def test_a_large_picture_is_as_large_as_is_asked(tmp_path):
    (path,) = large_picture(tmp_path, 1200).iterdir()
    assert pixels(path).shape == (1200, 1200, 3)


def test_rows_tell_whether_goals_are_reached():
    assert training_row(TRAINED).verdict == "reached"
    assert training_row({**TRAINED, "efficiency": 0.94}).verdict == "missed"
    rates = {"crop_flip": 3000.0, "plain": 9000.0, "torchvision_files": 100.0}
    assert loading_row({"size": 224, "images_per_second_and_core": rates}).ratio == 30
    tiles = {"megapixels": 100.0, "size": 256, "backbone": "x", "cpu_seconds": 150.0}
    memory, time = tiles_rows({**tiles, "peak": 1.9e9, "seconds": 90.0})
    assert (memory.ours, memory.verdict) == (1900, "reached")
    assert (time.ours, time.verdict) == (90, "reached")


@pytest.mark.parametrize("size", [32, 256])
def test_what_is_trained_is_a_config_that_this_version_honours(size):
    from benchmarks import segmentation

    values = {"root": "here", "backbone": "resnet18", "size": size, "batch": 8, "filters": [8] * 5}
    config = parse(segmentation._CONFIG.format(**values))
    assert config.not_yet() == []
    assert config.makes_masks
