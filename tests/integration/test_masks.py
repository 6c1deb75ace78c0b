"""Experiments that learn masks, on the road that classes go."""

import csv

import numpy as np
import pytest
import torch
from digests import result_digests
from mask_runs import CONFIG, assert_same, files_of, fitted_masks, write_masks
from PIL import Image
from runs import StopAfter, StopError
from sklearn.metrics import f1_score, jaccard_score

from fivefold.core.errors import NumericError
from fivefold.core.layout import RunFolder
from fivefold.core.maps import HALF, Maps
from fivefold.core.mask_scores import MaskScores
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.history import read_history
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.summary import read_summary
from fivefold.models import probabilities

HELD_OUT = CONFIG + "testSplit: 0.2\n"
SEVERAL = CONFIG.replace("[dice, iou]", "[dice]").replace("val_iou", "val_loss")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return fitted_masks(tmp_path_factory.mktemp("done"), count=16, config=HELD_OUT, empty_every=4)


def test_a_run_leaves_its_masks_where_classes_have_their_predictions(done):
    found = {p.relative_to(done.folder.root).as_posix() for p in done.folder.root.rglob("*")}
    for fold in (0, 1):
        for stage in (0, 1):
            assert {
                f"weights/best-{fold}.{stage}.safetensors",
                f"metrics/metrics-{fold}.{stage}.csv",
                f"predictions/validation-{fold}.{stage}.npz",
                f"predictions/validation-{fold}.{stage}.maps",
                f"examples/{stage}/{fold}/validation.png",
                f"examples/{stage}/{fold}/epoch-000000.png",
            } <= found
    assert {
        "predictions/holdout.1.npz",
        "predictions/holdout.1.maps",
        "predictions/oof.csv",
        "predictions/holdout.csv",
        "summary.yaml",
    } <= found
    assert not (done.folder.root / "state").exists()


def test_maps_say_pixel_by_pixel_what_the_scores_count(done):
    for fold in (0, 1):
        scores = MaskScores.load(done.folder.predictions("validation", fold, 1))
        maps = Maps(done.folder.maps("validation", fold, 1))
        assert set(maps.ids) == set(scores.ids)
        for i, sample_id in enumerate(scores.ids):
            said, true = maps.read(sample_id) > HALF, maps.truth(sample_id) == 1
            assert scores.said[i] == said.sum()
            assert scores.true[i] == true.sum()
            assert scores.hits[i] == (said & true).sum()
            assert scores.soft_said[i] == pytest.approx(maps.read(sample_id).sum() / 255, rel=0.01)


def test_the_true_masks_are_those_of_the_files(done):
    maps = Maps(done.folder.maps("validation", 0, 1))
    for sample_id in maps.ids:
        name = sample_id.rpartition("/")[2].replace("jpg", "png")
        mask = np.asarray(Image.open(done.folder.root / "train_mask" / name)) > 127
        assert maps.truth(sample_id).mean() == pytest.approx(mask.mean(), abs=0.02)


def test_the_summary_is_over_the_pixels_of_all_folds(done):
    pairs = [
        (truth.ravel(), (probs > HALF).ravel())
        for fold in (0, 1)
        for _, probs, truth in Maps(done.folder.maps("validation", fold, 1)).pairs()
    ]
    truth, said = (np.concatenate(part) for part in zip(*pairs, strict=True))
    oof = read_summary(done.folder).oof
    assert oof["dice"] == pytest.approx(f1_score(truth, said))
    assert oof["iou"] == pytest.approx(jaccard_score(truth, said))


def test_the_validation_loss_is_the_mean_over_images(done):
    # Of binary cross-entropy, which is the default loss, scores have the value of each image.
    for fold in (0, 1):
        scores = MaskScores.load(done.folder.predictions("validation", fold, 1))
        rows = read_history(done.folder.metrics(fold, 1))
        best = max(rows, key=lambda row: row["val_iou"])
        assert best["val_loss"] == pytest.approx(scores.log_losses.mean(), rel=1e-5)


def test_the_holdout_is_predicted_by_the_mean_of_all_folds_models(done):
    maps, scores = (
        Maps(done.folder.ensemble_maps(1)),
        MaskScores.load(done.folder.ensemble_scores(1)),
    )
    models = [load_model(done.folder, fold, 1).eval() for fold in (0, 1)]
    prepared = done.source()
    for i, sample_id in enumerate(scores.ids):
        image = prepared.image(prepared.sample_ids.index(sample_id), None)
        pixels = torch.from_numpy(np.array(Image.fromarray(image).resize((32, 32)))).permute(
            2, 0, 1
        )
        with torch.inference_mode():
            mean = sum(probabilities(m(pixels[None]), m.heads)[0, 0] for m in models).numpy() / 2
        # Pillow resizes otherwise than OpenCV
        assert np.abs(maps.read(sample_id)[..., 0] / 255 - mean).mean() < 0.03
        assert scores.said[i] == (maps.read(sample_id) > HALF).sum()
    assert scores.fold == -1
    assert read_summary(done.folder).holdout["iou"] >= 0


def test_tables_have_a_row_for_every_image(done):
    with (done.folder.root / "predictions/oof.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (done.folder.root / "predictions/holdout.csv").open() as file:
        held_out = list(csv.DictReader(file))
    assert len(rows) + len(held_out) == 16
    assert {row["fold"] for row in rows} == {"0", "1"}
    assert {row["fold"] for row in held_out} == {"-1"}
    for row in rows:
        assert (done.folder.root / row["path"]).exists()
        assert int(row["pixels"]) == 32 * 32


def test_maps_that_were_deleted_are_made_again_and_nothing_is_trained(tmp_path):
    run = fitted_masks(tmp_path, config=HELD_OUT)
    before = files_of(tmp_path)
    paths = (run.folder.maps("validation", 1, 0), run.folder.ensemble_scores(1))
    for path in (*paths, run.folder.summary_path):
        path.unlink()
    Experiment.load(tmp_path, progress=StopAfter(0)).fit(jobs=1)
    assert_same(files_of(tmp_path), before)


def test_a_stage_that_is_trained_again_takes_the_place_of_all_that_came_of_it(tmp_path):
    run = fitted_masks(tmp_path / "run", config=HELD_OUT)
    folder, expected = run.folder, files_of(tmp_path / "run")
    old = (folder.maps("validation", 1, 1), folder.ensemble_maps(1), folder.ensemble_scores(1))
    for path in old:
        path.write_bytes(b"of the weights before")
    folder.bundle(1, 1).unlink()
    folder.summary_path.unlink()
    Experiment.load(folder.root).fit(jobs=1)
    found = files_of(tmp_path / "run")
    names = [path.relative_to(folder.root).as_posix() for path in old]
    assert [name for name in names if found[name] != expected[name]] == []


def test_what_rare_classes_weigh_is_taken_back_from_what_is_predicted(tmp_path):
    text = SEVERAL + "balance: weights\nloss: categorical_crossentropy\n"
    run = fitted_masks(tmp_path, config=text, classes=3)
    # Of two folds one is what the other is trained on.
    truths = [truth for _, _, truth in Maps(run.folder.maps("validation", 1, 0)).pairs()]
    counts = np.bincount(np.concatenate(truths).ravel(), minlength=4)
    weights = counts.sum() / (4 * counts)
    for stage in (0, 1):
        shift = load_bundle(run.folder.bundle(0, stage)).prior_shift
        assert shift == pytest.approx(-np.log(weights))


def test_maps_are_left_out_where_nobody_wants_them(tmp_path):
    run = fitted_masks(tmp_path, config=HELD_OUT + "keep_maps: false\n")
    assert list(tmp_path.rglob("*.maps")) == []
    assert len(MaskScores.load(run.folder.ensemble_scores(1))) > 1
    # They may be wished for later.
    (tmp_path / "config.yaml").write_text(HELD_OUT)
    run.folder.summary_path.unlink()
    Experiment.load(tmp_path, progress=StopAfter(0)).fit(jobs=1)
    assert len(list(tmp_path.rglob("*.maps"))) == 5


# Everything that has a memory, and two classes that exclude each other.
MEMORY = SEVERAL + (
    "optimizer: {SGD: {momentum: 0.9}}\nema: 0.9\naccumulate: 2\n"
    "augmentation: {Fliplr: 0.5, Affine: {rotate: [-45, 45]}}\n"
    "loss: categorical_crossentropy+dice_loss\ntestSplit: 0.2\n"
    "callbacks:\n"
    "  ReduceLROnPlateau: {patience: 1, min_delta: 100, factor: 0.5}\n"
    "  EarlyStopping: {patience: 30, monitor: val_dice}\n"
    "  CSVLogger: {filename: table.csv}\n"
    "  StepLogger: {}\n"
    "  TrainExamples: {}\n"
    "  ModelCheckpoint: {save_n_best: 2}\n"
)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    fitted_masks(folder, config=MEMORY, classes=3)
    return files_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 1, 2, 4])
def test_a_run_broken_off_after_an_epoch_ends_with_the_same_bytes(tmp_path, unbroken, epochs):
    write_masks(tmp_path, config=MEMORY, classes=3)
    with pytest.raises(StopError, match="fold"):
        Experiment.load(tmp_path, progress=StopAfter(epochs)).fit(jobs=1)
    Experiment.load(tmp_path).fit(jobs=1)
    assert_same(files_of(tmp_path), unbroken)


@pytest.mark.slow
def test_folds_at_once_and_other_numbers_of_threads_give_the_same_bytes(tmp_path, unbroken):
    write_masks(tmp_path / "jobs", config=MEMORY, classes=3)
    Experiment.load(tmp_path / "jobs").fit(jobs=2)
    assert_same(files_of(tmp_path / "jobs"), unbroken)
    write_masks(tmp_path / "threads", config=MEMORY + "num_workers: 5\n", classes=3)
    Experiment.load(tmp_path / "threads").fit(jobs=1)
    found = files_of(tmp_path / "threads")
    left_out = ("config.yaml", ".json")  # they hold the number
    for files in (found, expected := dict(unbroken)):
        for name in [name for name in files if name.endswith(left_out)]:
            del files[name]
    assert_same(found, expected)


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_a_second_experiment_takes_stages_and_makes_their_maps(tmp_path):
    fitted_masks(tmp_path / "one", config=HELD_OUT + "keep_maps: false\n")
    write_masks(tmp_path / "two", config=HELD_OUT)
    Experiment.load(tmp_path / "two", progress=StopAfter(0)).fit(jobs=1)
    found, given = result_digests(tmp_path / "two"), result_digests(tmp_path / "one")
    assert {name for name in found if not name.endswith(".maps")} == given.keys()
    assert all(found[name] == given[name] for name in given)
    assert sum(name.endswith(".maps") for name in found) == 5


@pytest.mark.slow
def test_all_masks_of_a_fold_are_predicted_where_a_stage_leaves_negatives_out(tmp_path):
    config = CONFIG.replace("epochs: 2", "epochs: 2, negatives: none, validation_negatives: none")
    run = fitted_masks(tmp_path, config=config, empty_every=3)
    scores = [MaskScores.load(run.folder.predictions("validation", fold, 1)) for fold in (0, 1)]
    assert sum(map(len, scores)) == 12
    assert sum((found.true == 0).sum() for found in scores) == 4
    maps = [Maps(run.folder.maps("validation", fold, 1)) for fold in (0, 1)]
    assert [set(found.ids) for found in maps] == [set(found.ids) for found in scores]
    assert read_summary(run.folder).validated == (12, 8)


@pytest.mark.slow
def test_images_are_cut_and_their_masks_put_together(tmp_path):
    run = fitted_masks(tmp_path, config=CONFIG.replace("[32, 32, 3]", "[64, 64, 3]") + "crops: 2\n")
    maps = Maps(run.folder.maps("validation", 0, 1))
    assert maps.read(maps.ids[0]).shape == (64, 64, 1)
    scores = MaskScores.load(run.folder.predictions("validation", 0, 1))
    assert scores.pixels.tolist() == [64 * 64] * len(scores)
    assert scores.true.sum() == sum((maps.truth(name) == 1).sum() for name in maps.ids)


@pytest.mark.slow
def test_rates_are_found_and_the_folder_stays_as_it_is(tmp_path):
    write_masks(tmp_path)
    found = Experiment.load(tmp_path).lr_find(stage=0)
    assert len(found.lrs) > 5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.yaml", "train", "train_mask"]


@pytest.mark.slow
def test_weights_of_another_run_are_where_a_stage_may_start(tmp_path):
    fitted_masks(tmp_path / "one")
    path = "../one/weights/best-0.1.safetensors"
    config = CONFIG.replace("epochs: 1, ", f"epochs: 1, initial_weights: {path}, lr: 1e-12, ")
    fitted_masks(tmp_path / "two", config=config)
    before = read_history(RunFolder.of(tmp_path / "one").metrics(0, 1))
    after = read_history(RunFolder.of(tmp_path / "two").metrics(0, 0))
    best = max(row["val_iou"] for row in before)
    assert after[0]["val_iou"] == pytest.approx(best, abs=0.02)


@pytest.mark.slow
def test_repeats_with_other_seeds_are_summed_up(tmp_path):
    config = CONFIG.replace("  - {epochs: 1, freeze_encoder: true}\n", "").replace(
        "epochs: 2, unfreeze_encoder: true", "epochs: 1"
    )
    run = fitted_masks(tmp_path, config=config + "num_seeds: 2\n")
    assert read_summary(run.folder).num_seeds == 2


def test_a_loss_that_is_no_number_keeps_the_epochs_before(tmp_path):
    config = CONFIG.replace("epochs: 2, ", "epochs: 2, lr: 1000, ")
    write_masks(tmp_path, config=config)
    with pytest.raises(NumericError, match="expected a finite loss, got nan") as error:
        Experiment.load(tmp_path).fit(folds=[0], jobs=1)
    assert error.value.slug == "numeric/loss"
    assert (tmp_path / "weights/best-0.0.safetensors").exists()
