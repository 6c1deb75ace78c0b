"""Masks beside their images: from the source through the audit, the cache and memory to batches."""

import time
from functools import partial
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from masked import Masked, shown

from fivefold.augment import resize
from fivefold.build.pixels import build_kept, build_prepare
from fivefold.config import parse
from fivefold.core.cache_home import CacheHome
from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.masks import MaskKind, as_nearest, counts_of
from fivefold.core.progress import Silent
from fivefold.data import Sample, Source
from fivefold.data.audit import audit
from fivefold.data.batches import Batches
from fivefold.data.image_problem import ImageProblem
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.mask_checks import check_values
from fivefold.data.preprocess import Preprocess
from fivefold.data.samples import table_of
from fivefold.data.shards import Known, RowForm, ShardWriter
from fivefold.data.source import Labels

SHAPE = (12, 16, 3)
KINDS = pytest.mark.parametrize("exclusive", [True, False], ids=["numbers", "planes"])


def preprocess_of(source, shape=SHAPE):
    return Preprocess(shape, partial(resize, height=shape[0], width=shape[1]), source.masks)


def read_by(source, home=None, *, shape=SHAPE, **options):
    kept = Kept(preprocess_of(source, shape), len(source), home, **options)
    table = table_of(source, audit(source, folds=0, progress=Silent(), kept=kept))
    return ResizedImages(source, table, kept)


@pytest.fixture
def home(tmp_path):
    return CacheHome(tmp_path / "cache", 1 << 30)


def stage_of(more=""):
    text = "architecture: resnet18\nshape: [12, 16, 3]\nstages: [{epochs: 1}]\nclasses: 3\n"
    return parse(text + more).resolve()[0]


def batches(images, more="", **options):
    stage = stage_of(more)
    known = {"batch": 4, "seed": 3, "place": (0, 0, 0), "crops": stage.crops, "threads": 2}
    return Batches(
        images, images.table, range(len(images.table)),
        **{**known, "prepare": build_prepare(stage)} | options,
    )  # fmt: skip


@KINDS
def test_memory_disk_and_source_give_the_same_masks(home, exclusive):
    source = Masked(7, exclusive=exclusive)
    in_memory, on_disk = read_by(source), read_by(source, home)
    again = read_by(Masked(7, exclusive=exclusive), home)
    nowhere = read_by(source, byte_limit=0)
    assert on_disk.stored.all()
    source.reads.clear()
    for row in range(7):
        for images in (in_memory, on_disk, again):
            image, mask = images.both(row)
            assert np.array_equal(mask, source.drawn(row))
            assert np.array_equal(mask, images.mask(row))
            assert np.array_equal(image, images.get(row))
            assert np.array_equal(image[..., 0], shown(mask, source.masks))
            assert image.flags.c_contiguous
            assert not mask.flags.writeable
    assert source.reads == []
    assert np.array_equal(nowhere.both(3)[1], source.drawn(3))


def test_masks_take_the_nearest_pixel_of_another_size(home):
    source = Masked(3, size=(37, 51))
    images = read_by(source, home, shape=(12, 16, 3))
    for row in range(3):
        mask = images.mask(row)
        assert np.array_equal(mask, as_nearest(source.drawn(row), 12, 16))
        assert set(np.unique(mask)) <= {0, 1, 2}


def test_a_cache_without_masks_is_not_the_one_with_them(home):
    with_masks, planes = preprocess_of(Masked(1)), preprocess_of(Masked(1, exclusive=False))
    without = Preprocess(SHAPE, with_masks.resize)
    more = preprocess_of(Masked(1, classes=4))
    assert len({p.key for p in (with_masks, planes, without, more)}) == 4
    assert set(with_masks.record) - set(without.record) == {"classes", "planes"}
    assert (without.row_shape, without.num_bytes) == (SHAPE, 576)
    assert (with_masks.row_shape, with_masks.num_bytes) == ((1, 1, 768), 768)


@KINDS
def test_the_audit_knows_the_classes_of_every_mask_and_a_cache_hit_reads_no_mask(home, exclusive):
    source = Masked(5, exclusive=exclusive, empty=[2])
    found = audit(source, folds=0, progress=Silent(), kept=Kept(preprocess_of(source), 5, home))
    counts = [tuple(counts_of(source.drawn(i), source.masks).tolist()) for i in range(5)]
    assert [row.counts for row in found.rows] == counts
    assert [source.told[i] for i in range(5)] == counts
    again = Masked(5, exclusive=exclusive, empty=[2])
    kept = Kept(preprocess_of(again), 5, home)
    assert [kept.find(row.digest).counts for row in found.rows] == counts
    assert audit(again, folds=0, progress=Silent(), kept=kept).rows == found.rows
    assert [again.told[i] for i in range(5)] == counts


def test_a_saved_audit_tells_the_counts_too(tmp_path):
    folder = RunFolder.of(tmp_path / "config.yaml")
    source = Masked(4)
    found = audit(source, folds=0, progress=Silent(), folder=folder)
    again = Masked(4)
    again.stamp = source.stamp = lambda i: "1:2"
    audit(source, folds=0, progress=Silent(), folder=folder)
    again.reads.clear()
    assert audit(again, folds=0, progress=Silent(), previous=folder.audit_path).rows[0].counts
    assert again.reads == []
    assert again.told == {i: row.counts for i, row in enumerate(found.rows)}
    # Other classes: what an earlier audit has counted is of no use.
    other = Masked(4, classes=4)
    other.stamp = again.stamp
    rows = audit(other, folds=0, progress=Silent(), previous=folder.audit_path).rows
    assert (len(rows[0].counts), other.reads != []) == (4, True)


AUGMENTED = [
    "",
    "augmentation: {Fliplr: 0.5, Flipud: 0.5}\n",
    "transforms: {Fliplr: 0.5}\n",
    "augmentation: {Flipud: 0.5}\ntransforms: {Fliplr: 0.5}\n",
    "crops: 2\naugmentation: {Fliplr: 0.5}\ntransforms: {Flipud: 0.5}\n",
]


@KINDS
@pytest.mark.parametrize("more", AUGMENTED)
def test_augmentation_transforms_and_cells_move_masks_with_their_images(exclusive, more):
    images = read_by(Masked(9, exclusive=exclusive))
    moved = False
    for batch in batches(images, more):
        assert batch.masks.dtype == np.uint8
        assert batch.masks.shape == (*batch.images.shape[:3], images.masks.planes)
        for image, mask, row in zip(batch.images, batch.masks, batch.indices, strict=True):
            assert np.array_equal(image[..., 0], shown(mask, images.masks))
            moved |= not np.array_equal(mask, images.mask(row))
    assert moved == bool(more)


def test_validation_transforms_every_cell_and_its_mask():
    images = read_by(Masked(5))
    more = "crops: 2\ntransforms: {Fliplr: 0.5}\n"
    moved = 0
    for batch in batches(images, more, place=None, crops=1):
        for image, mask, row in zip(batch.images, batch.masks, batch.indices, strict=True):
            assert image.shape == SHAPE
            assert np.array_equal(image[..., 0], shown(mask, images.masks))
            moved += not np.array_equal(mask, images.mask(row))
    assert moved


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_threads_and_places_of_pixels_change_no_bit(home, threads):
    more = "augmentation: {Affine: {rotate: [-30, 30], scale: [0.8, 1.3]}, Fliplr: 0.5}\n"
    expected = list(batches(read_by(Masked(9)), more, threads=2))
    for images in (read_by(Masked(9), home), read_by(Masked(9), byte_limit=0)):
        for batch, other in zip(batches(images, more, threads=threads), expected, strict=True):
            assert np.array_equal(batch.images, other.images)
            assert np.array_equal(batch.masks, other.masks)


def test_images_with_masks_are_not_mixed():
    with pytest.raises(DataError, match="mix: expected images without masks"):
        batches(read_by(Masked(4)), mix=lambda rng, images, targets: None)


def test_another_process_maps_the_same_masks(home):
    images = read_by(Masked(4), home)
    other = ForkingPickler.loads(ForkingPickler.dumps(images))
    other.source.reads.clear()
    assert all(np.array_equal(other.mask(row), images.mask(row)) for row in range(4))
    assert other.source.reads == []


class Slow(Masked):
    one_at_a_time = True

    def sample(self, i):
        time.sleep(0.08)
        return super().sample(i)


def test_forks_give_masks_and_counts_as_threads_do():
    source, usual = Slow(40), Masked(40)
    slow, fast = read_by(source, byte_limit=0), read_by(usual, byte_limit=0)
    assert source.told == usual.told
    found = batches(slow, "augmentation: {Fliplr: 0.5}\n")
    for batch, other in zip(found, batches(fast, "augmentation: {Fliplr: 0.5}\n"), strict=True):
        assert np.array_equal(batch.images, other.images)
        assert np.array_equal(batch.masks, other.masks)


class Wrong(Source):
    """One image with a mask that is none of it."""

    sample_ids = ("a",)
    labels = (Labels("", ("x", "y"), exclusive=False),)

    def __init__(self, mask, kind):
        self._mask, self.masks = mask, kind

    def sample(self, i):
        image = np.zeros((4, 5, 3), np.uint8)
        return Sample("a", image, np.ones(2, np.float32), self._mask)


NUMBERS, PLANES = MaskKind(2, True), MaskKind(2, False)
WRONG = [
    (None, NUMBERS, "no_mask", "the data set gives no mask for this image"),
    (np.zeros((5, 4, 1), np.uint8), NUMBERS, "mask_size",
     "expected the height and width of the image, 4 x 5, got a mask of 5 x 4"),
    (np.zeros((4, 5, 3), np.uint8), NUMBERS, "mask_values",
     "expected a mask of uint8 of shape (4, 5, 1), got uint8 of shape (4, 5, 3)"),
    (np.full((4, 5, 1), 7, np.uint8), NUMBERS, "mask_values",
     "expected classes 0 to 1 or 255 for what is ignored, got 7 (20 pixels)"),
    (np.arange(40, dtype=np.uint8).reshape(4, 5, 2), PLANES, "mask_values",
     "expected 0 or 1 or 255 for what is ignored, got 2, 3, 4, 5, 6, … (38 pixels)"),
]  # fmt: skip


@pytest.mark.parametrize(("mask", "kind", "reason", "detail"), WRONG)
def test_a_mask_that_is_none_of_its_image_is_quarantined(mask, kind, reason, detail):
    (row,) = audit(Wrong(mask, kind), folds=0, progress=Silent()).rows
    assert (row.status, row.reason, row.detail) == ("quarantined", reason, detail)


def test_a_source_without_masks_has_none_to_give():
    with pytest.raises(DataError, match="a: expected a mask, got a data set that has none"):
        Wrong(None, None).mask(0)


def test_kept_pixels_of_a_config_have_room_for_masks(monkeypatch, tmp_path):
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path))
    config = parse(
        "architecture: resnet18\nshape: [12, 16, 3]\nstages: [{epochs: 1}]\nclasses: 3\n"
    )
    assert build_kept(config, Masked(2)).preprocess.row_shape == (1, 1, 12 * 16 * 4)


@given(st.integers(1, 20), st.booleans(), st.integers(0, 2**32), st.booleans())
def test_pixels_are_counted_and_other_values_found(classes, exclusive, seed, is_wrong):
    kind, rng = MaskKind(classes, exclusive), np.random.default_rng(seed)
    known = [*range(classes if exclusive else 2), 255]
    mask = rng.choice(np.uint8(known), (7, 5, kind.planes))
    wanted = range(classes) if exclusive else [1] * classes
    columns = [mask[..., 0]] * classes if exclusive else np.moveaxis(mask, 2, 0)
    expected = [(own == value).sum() for own, value in zip(columns, wanted, strict=True)]
    assert counts_of(mask, kind).tolist() == expected
    assert check_values(mask, kind).tolist() == expected
    if is_wrong:
        mask[3, 2, -1] = rng.integers(known[-2] + 1, 255)
        with pytest.raises(ImageProblem, match=r"got \d+ \(1 pixels\)"):
            check_values(mask, kind)


def test_a_row_of_masks_is_not_kept_without_its_counts(tmp_path):
    row = np.zeros((1, 1, 768), np.uint8)
    with ShardWriter(tmp_path, RowForm(row.shape, 3)) as writer:
        writer.add(bytes(32), row, Known(12, 16, counts=(1, 2, 3)))
        with pytest.raises(ValueError, match="counts: expected 3, got 0"):
            writer.add(bytes(32), row, Known(12, 16))
