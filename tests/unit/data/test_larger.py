"""Larger pictures of samples: which have one, where it is kept, and that it is the same anyway."""

import numpy as np
import pytest
from PIL import Image as Pictures

from fivefold.build import build_images
from fivefold.build.pixels import add_larger, build_kept, build_preprocess
from fivefold.config import parse
from fivefold.core.progress import Silent
from fivefold.data import FolderSource, audit, table_of
from fivefold.data.decode import decode

CONFIG = """\
architecture: resnet18
shape: [16, 24, 3]
detail: 2
augmentation: {RandomResizedCrop: {}}
stages: [{epochs: 1}]
"""
SIDES = [(16, 24), (17, 24), (64, 96), (20, 15)]  # of each class; the second and third are larger


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / "set" / name).mkdir(parents=True)
        for k, size in enumerate(SIDES):
            pixels = rng.integers(0, 256, (*size, 3), np.uint8)
            Pictures.fromarray(pixels).save(tmp_path / "set" / name / f"{k}.png")
    return tmp_path / "set"


def opened(folder, more="", progress=None):
    """Audit a folder and open what training would."""
    config, source = parse(CONFIG + more), FolderSource(folder)
    kept = build_kept(config, source)
    found = audit(source, folds=2, progress=Silent(), kept=kept)
    table = table_of(source, found)
    images = build_images(config.shape, source, table, kept)
    sizes = found.rows.sizes[table.indices]
    return add_larger(config, images, sizes, progress or Silent())


def larger_pixels(images):
    return [images.larger.get(row) for row in range(len(images.table))]


def check(images, folder):
    """Compare what there is with each file, decoded and resized on its own."""
    preprocess = build_preprocess((32, 48, 3))
    found = larger_pixels(images)
    for sample_id, size, pixels in zip(images.table.ids, SIDES * 2, found, strict=True):
        if size not in SIDES[1:3]:
            assert pixels is None
            continue
        content = (folder / sample_id).read_bytes()
        assert np.array_equal(pixels, preprocess(decode(content), sample_id))


def test_images_with_more_pixels_than_the_network_sees_have_one(folder):
    images = opened(folder)
    assert images.larger.shape == (32, 48, 3)
    check(images, folder)
    assert images.num_bytes == 8 * 16 * 24 * 3 + 4 * 32 * 48 * 3
    assert images.larger.num_bytes_ahead == 0


@pytest.mark.usefixtures("cache_folder")
def test_the_disk_keeps_them_for_the_next_run(folder, monkeypatch):
    class Told(Silent):
        def __init__(self):
            self.bars = []

        def bar(self, description, total):
            self.bars.append((description, total))
            return super().bar(description, total)

    first, second = Told(), Told()
    check(opened(folder, progress=first), folder)
    assert first.bars == [("larger pictures", 4)]
    images = opened(folder, progress=second)
    monkeypatch.setattr(FolderSource, "image", None)  # nothing is decoded any more
    check(images, folder)
    assert second.bars == []
    assert images.num_bytes == 0


@pytest.mark.parametrize(
    "more", ["detail: 1\n", "augmentation: {Fliplr: 0.5}\n", "crops: 2\n", "frozen"]
)
def test_where_no_stage_wants_them_there_are_none(folder, more):
    text = CONFIG.replace("detail: 2\n", "") if "detail" in more else CONFIG
    text = text.replace("augmentation: {RandomResizedCrop: {}}\n", "") if "Flip" in more else text
    if more == "frozen":
        text, more = text.replace("epochs: 1", "epochs: 1, freeze_encoder: true"), ""
        more = "frozen_views: 0\n"
    config, source = parse(text + more), FolderSource(folder)
    found = audit(source, folds=2, progress=Silent())
    images = build_images(config.shape, source, table_of(source, found))
    assert add_larger(config, images, found.rows.sizes, Silent()).larger is None


def test_small_images_have_none(folder):
    for path in folder.rglob("[12].png"):
        Pictures.open(path).resize((20, 10)).save(path)
    assert opened(folder).larger is None
