"""Musket's Python names of segmentation on a small real run."""

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from shapes import draw_masks
from skimage.morphology import binary_opening, disk, remove_small_holes, remove_small_objects

from fivefold import Experiment, segmentation
from fivefold.cli import app
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.maps import Maps
from fivefold.core.progress import Silent
from fivefold.data import rle
from fivefold.data.datasets import ConstrainedDirectory, SimplePNGMaskDataSet, WeightedBlend
from fivefold.data.decode import read_image

CONFIG = """\
architecture: Unet
backbone: test_resnet
encoder_weights: none
decoder: {encoder_depth: 3, decoder_channels: [16, 8, 8]}
shape: [32, 32, 3]
activation: sigmoid
classes: 1
batch: 4
lr: 0.01
folds_count: 2
metrics: [dice]
primary_metric: val_dice
loss: binary_crossentropy
stages: [{epochs: 12}, {epochs: 1}]
"""


def parse(path):
    return segmentation.parse(path, progress=Silent())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("run")
    draw_masks(root, 16, size=(40, 56))
    draw_masks(root, 3, size=(30, 48), names=("images_to_segment", "unused"), seed=5)
    (root / "config.yaml").write_text(CONFIG)
    cfg = parse(root)
    cfg.fit(SimplePNGMaskDataSet(root / "train", root / "train_mask"))
    return root


@pytest.fixture
def ds(root):
    return SimplePNGMaskDataSet(root / "train", root / "train_mask")


@pytest.fixture
def cfg(root, ds):
    found = parse(root)
    found.dataset = ds
    return found


def on_predict(file_name, img, data):
    threshold = 0.25
    predictions = data["pred"]
    imgs = data["images"]
    post_img = remove_small_holes(remove_small_objects(img.arr > threshold))
    encoded = rle.rle_encode(post_img)
    predictions.append(encoded)
    imgs.append(file_name[: file_name.index(".")])


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_the_first_program_of_musket_runs(cfg, root, tmp_path):
    predictions, images = [], []
    data = {"pred": predictions, "images": images}
    cfg.predict_in_directory(root / "images_to_segment", 0, on_predict, data)
    frame = pd.DataFrame.from_dict({"image": images, "rle_mask": predictions})
    frame.to_csv(tmp_path / "baseline_submission.csv", index=False)
    assert images == ["000", "001", "002"]
    cfg.predict_in_directory(root / "images_to_segment", [0, 1], on_predict, data, ttflips=True)
    assert images == ["000", "001", "002"] * 2
    for text in predictions:
        rle.rle_decode(text, (30, 48))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_the_second_program_of_musket_runs(cfg, ds):
    total = np.zeros(20)

    def overlap(masks, found):
        both = sum(np.logical_and(a, b).sum() for a in masks for b in found)
        return both / max(sum(m.sum() for m in masks), 1)

    seen = 0
    for batch in cfg.evaluateAll(ds, 1):
        for i in range(len(batch.predicted_maps_aug)):
            masks = ds.get_masks(batch.data[i])
            for d in range(1, 20):
                arr = batch.predicted_maps_aug[i].arr
                cur_seg = binary_opening(arr > d / 20, np.expand_dims(disk(2), -1))
                cm = rle.masks_as_images(rle.multi_rle_encode(cur_seg), (40, 56))
                total[d] = total[d] + overlap(masks, cm)
            seen += 1
    assert seen == 8
    assert total[1] >= total[19] >= 0
    assert total[1] > 0


def test_both_call_shapes_and_lists_of_folds(cfg, root):
    def maps_of(*arguments, **options):
        found = {}
        cfg.predict_in_directory(
            root / "images_to_segment", *arguments, lambda n, m, d: d.update({n: m.arr}), found,
            **options,
        )  # fmt: skip
        return found

    first, last, both = maps_of(0), maps_of(0, 1), maps_of([0, 1], -1)
    assert first["000.jpg"].shape == (30, 48, 1)
    assert first["000.jpg"].dtype == np.float32
    assert not np.array_equal(first["000.jpg"], last["000.jpg"])
    other = maps_of(1, 1)
    for name, one in both.items():
        np.testing.assert_allclose(one, (last[name] + other[name]) / 2, atol=1e-6)
    assert list(maps_of(0, limit=2, batchSize=1)) == ["000.jpg", "001.jpg"]
    some = ConstrainedDirectory(root / "images_to_segment", ["002.jpg"])
    seen = []
    cfg.predict_in_directory(some, 0, lambda name, found, data: seen.append(name), None)
    assert [name.rpartition("/")[2] for name in seen] == ["002.jpg"]


def test_flips_are_undone_on_the_maps(cfg, ds):
    plain = cfg.predict_all_to_array(ds, 0, -1)
    flipped = cfg.predict_all_to_array(ds, 0, -1, ttflips=True)
    assert plain.shape == flipped.shape == (16, 40, 56, 1)
    assert 0 < np.abs(plain - flipped).mean() < 0.25
    truth = np.stack([ds[i].y for i in range(16)]) > 0
    assert flipped[truth].mean() > flipped[~truth].mean() + 0.2


def test_batches_have_musket_s_names(cfg, ds, root):
    batches = list(cfg.predict_on_dataset(ds, 0, -1, batch_size=10))
    assert [len(batch) for batch in batches] == [10, 6]
    first = batches[0]
    assert first.data == [ds.get_id(i) for i in range(10)]
    assert first.images_aug.shape == (10, 32, 32, 3)
    np.testing.assert_array_equal(first.images[3], ds[3].x)
    one = first.segmentation_maps_aug[3]
    np.testing.assert_array_equal(one.arr, first.results[3])
    np.testing.assert_array_equal(np.asarray(one), one.arr)
    assert one.shape == (40, 56, 1)
    with pytest.raises(AttributeError, match="only batches of `evaluateAll`"):
        _ = first.segmentation_maps
    maps = cfg.predict_on_batch(cfg.load_model(0, -1), False, first)
    assert maps[0].shape == (32, 32, 1)
    whole = cfg.load_model([0, 1], -1).predict(first.images_aug)
    assert whole.shape == (10, 32, 32, 1)
    np.testing.assert_allclose(
        whole, cfg.predict_on_batch(cfg.load_model([0, 1]), False, first), atol=1e-6
    )


def test_truth_and_predictions_of_a_fold_come_together(cfg, ds):
    batches = list(cfg.evaluateAll(ds, 0, batchSize=3))
    assert [len(batch) for batch in batches] == [3, 3, 2]
    own = {ds.get_id(i): i for i in range(16)}
    for batch in batches:
        for k, name in enumerate(batch.data):
            np.testing.assert_array_equal(batch.segmentation_maps[k].arr, ds[own[name]].y > 0)
            np.testing.assert_array_equal(batch.images[k], ds[own[name]].x)
    (some,) = cfg.evaluate(ds, 0, -1, limit=4)
    assert len(some) == len(some.heatmaps_aug) == 4


def test_maps_are_written_to_a_folder_and_averaged(cfg, root, tmp_path):
    images = root / "images_to_segment"
    cfg.predict_to_directory(images, tmp_path / "png", 0, -1)
    cfg.predict_to_directory(images, tmp_path / "a", 0, -1, binaryArray=True)
    cfg.predict_to_directory(images, tmp_path / "b", 1, -1, binaryArray=True)
    exact = np.load(tmp_path / "a" / "001.npy")
    assert exact.shape == (30, 48, 1)
    picture = read_image(tmp_path / "png" / "001.png")[..., 0]
    np.testing.assert_array_equal(picture, (exact[..., 0] * 255).astype(np.uint8))
    found = {}

    def remember(name, array, data):
        data[name] = array

    folders = [f"{tmp_path}/a/", f"{tmp_path}/b/"]
    segmentation.ansemblePredictions(images, folders, remember, found, [3, 1])
    other = np.load(tmp_path / "b" / "001.npy")
    np.testing.assert_allclose(found["001.jpg"], (3 * exact + other) / 4, atol=1e-6)
    segmentation.ansemblePredictions(images, folders, remember, found)
    np.testing.assert_allclose(found["001.jpg"], (exact + other) / 2, atol=1e-6)


def test_what_cannot_be_averaged_is_refused(root, tmp_path):
    images = root / "images_to_segment"
    with pytest.raises(DataError, match=r"weights: expected 1 numbers from 0, got \[1, 2\]"):
        segmentation.ansemblePredictions(images, [tmp_path], print, None, [1, 2])
    with pytest.raises(DataError, match="expected a map that predict_to_directory has written"):
        segmentation.ansemblePredictions(images, [tmp_path], print, None)


def test_names_that_would_be_one_file_are_refused(cfg, tmp_path):
    """`data/map-files`."""
    for name in ("a.1.png", "a.2.png"):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
    with pytest.raises(DataError, match=r"differ before their first dot, got 'a.1.png' and 'a.2."):
        cfg.predict_to_directory(tmp_path, tmp_path / "out", 0, -1)
    assert not (tmp_path / "out").exists()


def test_predictions_are_kept_on_disk_as_whole_numbers(cfg, ds, tmp_path):
    stored = cfg.predict_all_to_dataset(ds, [0, 1], -1, dsPath=tmp_path / "stored.maps")
    exact = cfg.predict_all_to_array(ds, [0, 1], -1)
    assert len(stored) == 16
    for i in (0, 7):
        item = stored[i]
        assert item.id == ds.get_id(i)
        np.testing.assert_array_equal(item.x, ds[i].x)
        np.testing.assert_array_equal(item.y, ds[i].y > 0)
        assert item.prediction.dtype == np.float32
        np.testing.assert_allclose(item.prediction, exact[i], atol=0.5 / 255 + 1e-6)
    assert Maps(tmp_path / "stored.maps").read(ds.get_id(0)).dtype == np.uint8
    blended = stored.blend(stored, 0.3)
    assert isinstance(blended, WeightedBlend)
    np.testing.assert_allclose(blended[0].prediction, stored[0].prediction, atol=1e-6)
    stored.dump(tmp_path / "masks.csv")
    frame = pd.read_csv(tmp_path / "masks.csv", keep_default_na=False)
    assert list(frame.columns) == ["id", "class", "rle"]
    mask = rle.rle_decode(frame["rle"][7], (40, 56))
    np.testing.assert_array_equal(mask, stored[7].prediction[..., 0] > 0.5)


def test_validation_is_predicted_by_the_models_that_have_not_seen_it(cfg, ds, monkeypatch):
    found = cfg.predictions("validation")
    assert sorted(found[i].id for i in range(len(found))) == sorted(map(ds.get_id, range(16)))
    part = cfg.predictions("validation1")
    own = {part[i].id: part[i].prediction for i in range(len(part))}
    whole = {found[i].id: found[i].prediction for i in range(len(found))}
    for name, one in own.items():
        np.testing.assert_array_equal(one, whole[name])
    from fivefold.experiment.musket import mask_predicting

    monkeypatch.setattr(mask_predicting, "load_mask_ensemble", None)
    again = cfg.predictions("validation1")
    assert again.maps.path == part.maps.path


def test_thresholds_are_found_by_a_function_and_by_a_metric(cfg, ds):
    def dice(truth, answer):
        return 2 * (truth & answer).sum() / max(truth.sum() + answer.sum(), 1)

    best = cfg.find_treshold("validation0", 0, dice)
    assert 0 < best < 1
    pairs = [(one.y > 0, one.prediction) for one in cfg.predictions("validation0")]
    assert cfg.find_optimal_treshold_by_validation(dice) == pytest.approx(
        (best + cfg.find_threshold("validation1", 1, dice)) / 2
    )
    pooled = cfg.find_threshold(ds, 0, "dice")
    assert cfg.find_thresholds(ds, 0) == {"foreground": pooled}
    at_best, at_first = (
        np.mean([dice(y, p > t) for y, p in pairs]) for t in (best, 0.0)
    )  # fmt: skip
    assert at_best >= at_first
    with pytest.raises(DataError, match="func: expected None for masks"):
        cfg.find_thresholds(ds, 0, dice)


def test_what_is_not_there_says_what_to_use(cfg, root, tmp_path):
    with pytest.raises(AttributeError, match="use `evaluateAll`, batch by batch"):
        _ = cfg.evaluate_all_to_arrays
    (tmp_path / "config.yaml").write_text("architecture: ResNet18\nstages: [{epochs: 1}]\n")
    with pytest.raises(ConfigError, match="architecture: expected one that makes masks, got 'ResN"):
        parse(tmp_path)


def test_experiments_of_masks_and_of_labels_are_told_apart(cfg, root, ds):
    """`data/masks-predicted` and `data/labels-predicted`."""
    with pytest.raises(DataError, match="expected an experiment that labels images, got one of"):
        cfg.experiment.predict(root / "images_to_segment")
    found = cfg.experiment.predict_masks(root / "images_to_segment", threshold=0.4)
    assert list(found.ids) == ["000.jpg", "001.jpg", "002.jpg"]
    for one in found:
        np.testing.assert_array_equal(one.mask, one.arr > np.float32(0.4))
        assert one.mask.shape == (30, 48, 1)


def test_what_was_decided_makes_the_masks(cfg, root):
    images = root / "images_to_segment"
    changed = ["thresholds=0.3", "smallest_area=40"]
    run = Experiment.load(root, changed)
    decided = run.predict_masks(images)
    assert decided.told == (
        "what is more probable than 0.3; no parts of fewer pixels than 40 at 32 x 32 pixels"
    )
    in_tiles = run.predict_masks(images, tiles=True)
    assert in_tiles.told.endswith("no parts of fewer pixels than 40 at 32 x 32 pixels of 40 x 56")
    assert in_tiles.tiles_told == "40 x 56 pixels each, resized to 32 x 32"
    own = run.predict_masks(images, threshold=0.6, smallest_area=0)
    assert own.told == "what is more probable than 0.6"
    assert run.predict_masks(images, raw=True).told == "what is more probable than 0.5"
    for one in decided:
        parts, _, sizes, _ = cv2.connectedComponentsWithStats(one.mask[..., 0], connectivity=8)
        assert all(sizes[1:parts, cv2.CC_STAT_AREA] >= 40 * (30 * 48) / (32 * 32))


def test_the_command_writes_masks_of_a_trained_experiment(root, tmp_path, capsys):
    images = str(root / "images_to_segment")
    for name in ("one", "other"):
        output = ["-o", str(tmp_path / name), "--overlays", "--tta"]
        assert app.run(["predict", str(root), images, *output]) == 0
    told = capsys.readouterr().err
    assert f"{tmp_path / 'one'}: 3 masks" in told
    assert "masks: what is more probable than 0.5\n" in told
    for path in (tmp_path / "one").rglob("*.*"):
        other = tmp_path / "other" / path.relative_to(tmp_path / "one")
        assert other.read_bytes() == path.read_bytes()
    assert read_image(tmp_path / "one" / "masks" / "000.png").shape == (30, 48, 3)
