"""Pixels that stay on the device: the same bits as batches that are sent one by one."""

import logging
import pickle

import numpy as np
import pytest
import tiny  # noqa: F401  registers the net
import torch
from masked import Masked, shown
from shapes import draw_folders

from fivefold.build import build_images
from fivefold.config import parse
from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import FolderSource, audit, table_of
from fivefold.data.batches import Batches
from fivefold.engine import resident as module
from fivefold.engine.device import images_of, masks_of, targets_of
from fivefold.engine.fold_data import FoldData
from fivefold.engine.resident import Resident, ResidentBatches, room_on_device

CONFIG = """\
architecture: tiny
weights: none
shape: [32, 48, 3]
batch: 7
stages: [{epochs: 2}]
"""
PLENTY = 1 << 40


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resident") / "shapes"
    draw_folders(folder, 9)
    source = FolderSource(folder)
    table = table_of(source, audit(source, folds=2, progress=Silent()))
    return build_images((32, 48, 3), source, table)


def stage_of(more=""):
    return parse(CONFIG + more).resolve()[0]


class Told(Silent):
    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)


def on_device(images, stage, room=PLENTY, progress=None):
    return Resident(images, stage, 2, progress or Silent(), lambda: room)


def passes(images, stage, resident):
    rows = np.arange(len(images.table))
    data = FoldData(images.table, images, rows[:20], rows[20:], resident=resident)
    train = data.train_batches(stage, seed=5, fold=1)
    return train(0), train(1), data.val_batches(stage)


def as_numbers(batches):
    return [(b.indices.tolist(), images_of(b), targets_of(b)) for b in batches]


def assert_same(found, expected):
    for (rows, pixels, truth), (slow_rows, slow_pixels, slow_truth) in zip(
        as_numbers(found), as_numbers(expected), strict=True
    ):
        assert rows == slow_rows
        assert pixels.stride() == slow_pixels.stride()
        assert torch.equal(pixels, slow_pixels)
        assert torch.equal(truth, slow_truth)


@pytest.mark.parametrize(
    "more",
    [
        "",
        "augmentation: {Fliplr: 0.5}\n",
        "augmentation: {Fliplr: 0.5, Flipud: 0.3}\n",
        "augmentation: [{HorizontalFlip: 0.5}, {Fliplr: {p: 0.5}}]\n",
        "transforms: {Multiply: 0.7}\n",
    ],
)
def test_every_pass_has_the_bits_of_batches_that_are_sent(images, more):
    stage = stage_of(more)
    found = passes(images, stage, on_device(images, stage))
    assert all(isinstance(batches, ResidentBatches) for batches in found)
    for batches, slow in zip(found, passes(images, stage, None), strict=True):
        assert_same(batches, slow)


@pytest.mark.parametrize(
    "more",
    [
        "augmentation: {Affine: {rotate: 20}}\n",
        "augmentation: {Fliplr: 0.5, Multiply: [0.8, 1.2]}\n",
        "augmentation: {MixUp: {alpha: 0.4}}\n",
        "augmentation: {Fliplr: 0.5}\ntransforms: {Multiply: 0.7}\n",
        "crops: 2\n",
    ],
)
def test_what_the_device_cannot_draw_alike_is_made_on_the_cpu(images, more):
    stage = stage_of(more)
    first, second, validation = passes(images, stage, on_device(images, stage))
    assert isinstance(first, Batches)
    assert isinstance(second, Batches)
    assert isinstance(validation, ResidentBatches)
    assert_same(validation, passes(images, stage, None)[2])


def test_pixels_may_take_a_quarter_of_what_is_free_and_else_it_is_said(images, caplog):
    needed = len(images.table) * 32 * 48 * 3
    stage, told = stage_of(), Told()
    fits = on_device(images, stage, 4 * needed, told)
    assert fits.pixels().shape == (27, 32, 48, 3)
    fits.pixels()
    assert told.lines == ["27 images, 0.000124 GB, stay on cpu"]
    with caplog.at_level(logging.WARNING):
        tight = on_device(images, stage, 4 * needed - 1)
        assert tight.pixels() is tight.pixels() is None
    expected = (
        "27 images, 0.000124 GB do not stay on cpu: 0.000498 GB are free, and a quarter is for "
        "images"
    )
    assert [record.getMessage() for record in caplog.records] == [expected]
    for batches, slow in zip(
        passes(images, stage, tight), passes(images, stage, None), strict=True
    ):
        assert_same(batches, slow)


def test_a_device_without_memory_of_its_own_holds_nothing_and_nothing_is_said(images, caplog):
    assert room_on_device() == 0 or torch.cuda.is_available()
    told = Told()
    assert on_device(images, stage_of(), 0, told).pixels() is None
    assert told.lines == caplog.records == []


def test_memory_that_runs_out_after_all_is_said_and_batches_are_sent(images, caplog, monkeypatch):
    def full(*_args, **_words):
        msg = "CUDA out of memory."
        raise torch.OutOfMemoryError(msg)

    found = on_device(images, stage_of())
    monkeypatch.setattr(module.torch, "empty", full)
    assert found.pixels() is None
    assert [record.getMessage() for record in caplog.records] == [
        "27 images, 0.000124 GB do not stay on cpu: CUDA out of memory."
    ]


def test_a_defect_is_not_taken_for_a_full_memory(images, monkeypatch):
    def broken(*_args, **_words):
        msg = "something else"
        raise RuntimeError(msg)

    monkeypatch.setattr(module.torch, "empty", broken)
    with pytest.raises(RuntimeError, match="something else"):
        on_device(images, stage_of()).pixels()


def test_it_travels_empty_and_can_be_emptied(images):
    found = Resident(images, stage_of(), 2, Silent())
    assert pickle.loads(pickle.dumps(found)).pixels() is None  # noqa: S301  made a line above
    held = on_device(images, stage_of())
    first = held.pixels()
    assert held.told_to(Silent())._pixels is None
    held.forget()
    assert held._pixels is None
    assert torch.equal(held.pixels(), first)


@pytest.mark.gpu
def test_on_a_gpu_the_pixels_are_those_of_the_cpu(images):
    stage = stage_of("augmentation: {Fliplr: 0.5, Flipud: 0.5}\n")
    found = Resident(images, stage, 2, Silent())
    assert found.pixels().device.type == "cuda"
    for batches, slow in zip(
        passes(images, stage, found), passes(images, stage, None), strict=True
    ):
        assert_same(batches, slow)


@pytest.mark.parametrize("exclusive", [True, False])
def test_masks_stay_beside_their_images_and_are_mirrored_with_them(exclusive):
    source = Masked(30, exclusive=exclusive, size=(32, 48))
    table = table_of(source, audit(source, folds=0, progress=Silent()))
    masked, stage = (
        build_images((32, 48, 3), source, table),
        stage_of("augmentation: {Fliplr: 0.5, Flipud: 0.5}\n"),
    )
    told = Told()
    resident = on_device(masked, stage, progress=told)
    found, sent = passes(masked, stage, resident), passes(masked, stage, None)
    for quick, slow in zip(found, sent, strict=True):
        quick, slow = list(quick), list(slow)
        assert_same(quick, slow)
        for batch, other in zip(quick, slow, strict=True):
            masks = masks_of(batch)
            assert torch.equal(masks, masks_of(other))
            rows = masks.permute(0, 2, 3, 1).numpy()
            red = images_of(batch)[:, 0].numpy()
            assert all(
                np.array_equal(r, shown(m, source.masks)) for r, m in zip(red, rows, strict=True)
            )
    planes = source.masks.planes
    assert told.lines == [f"30 images, {30 * 32 * 48 * (3 + planes) / 1e9:.3g} GB, stay on cpu"]
    resident.forget()
    assert resident.masks() is not None
    assert on_device(masked, stage, room=0).masks() is None


def test_a_batch_without_masks_has_none_to_give(images):
    batch = next(iter(passes(images, stage_of(), None)[0]))
    with pytest.raises(DataError, match="expected a mask for each image of a batch, got none"):
        masks_of(batch)
