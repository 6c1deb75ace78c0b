"""Whole small experiments: what a run leaves, how it goes on, how it refuses."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML
from runs import CONFIG, fitted, write_experiment
from safetensors.torch import save_file
from sklearn.metrics import log_loss

from fivefold import PredictionItem
from fivefold.core import durable
from fivefold.core.errors import (
    ConfigError,
    DataError,
    LockedError,
    NumericError,
    ResourceError,
    StateError,
)
from fivefold.core.lock import locked
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.data.splits import Splits
from fivefold.engine.history import read_history
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.finished import find_finished


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One finished experiment that no test changes."""
    return fitted(tmp_path_factory.mktemp("done"), per_class=10)


def files_of(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in ("manifest.json", "audit.json", ".lock")
    }


def test_a_run_leaves_what_musket_users_look_for(done):
    root = done.folder.root
    for place in ("0.0", "0.1", "1.0", "1.1"):
        assert (root / f"weights/best-{place}.safetensors").is_file()
        assert (root / f"metrics/metrics-{place}.csv").is_file()
        assert (root / f"predictions/validation-{place}.npz").is_file()
        assert (root / f"examples/{place[2]}/{place[0]}/validation.png").is_file()
    assert not (root / "state").exists()


def test_the_summary_has_a_spread_for_each_stage_and_all_out_of_fold_predictions(done):
    summary = YAML(typ="safe").load(done.folder.summary_path)
    assert (summary["completed"], summary["folds"]) == (True, [0, 1])
    assert len(summary["stages"]) == 2
    last = summary["stages"][1]["val_accuracy"]
    assert last["min"] <= last["mean"] <= last["max"]
    assert set(summary["oof"]) == {"accuracy"}


def test_the_out_of_fold_accuracy_is_that_of_the_table(done):
    with done.folder.oof_path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["id"] for row in rows}) == 30
    right = np.mean([row["label"] == row["truth"] for row in rows])
    assert right == pytest.approx(done.evaluate()["oof"]["accuracy"])


def test_the_best_epochs_row_is_what_the_bundle_says(done):
    bundle = json.loads(done.folder.bundle(0, 1).read_text())
    with done.folder.metrics(0, 1).open() as file:
        row = list(csv.DictReader(file))[bundle["epoch"]]
    assert {k: float(v) for k, v in bundle["metrics"].items()} == {
        k: float(v) for k, v in row.items() if k != "epoch"
    }


def test_saved_weights_give_the_saved_predictions(done):
    saved = Predictions.load(done.folder.predictions("validation", 1, 1))
    again = done.predict(done.config.directory / "shapes", folds=[1])
    chosen = [again.ids.index(sample_id) for sample_id in saved.ids]
    np.testing.assert_allclose(again.probs[chosen], saved.probs, atol=1e-6)


def test_an_ensemble_is_the_mean_of_its_folds(done):
    data = done.config.directory / "shapes"
    both = done.predict(data).probs
    each = [done.predict(data, folds=[fold]).probs for fold in (0, 1)]
    np.testing.assert_allclose(both, np.mean(each, axis=0), atol=1e-6)


def test_flips_are_averaged(done):
    data = done.config.directory / "shapes"
    assert not np.array_equal(done.predict(data, tta=True).probs, done.predict(data).probs)


def test_a_finished_run_does_nothing(done):
    before = files_of(done.folder.root)
    summary = Experiment.load(done.folder.root).fit()
    assert not summary.fresh
    assert files_of(done.folder.root) == before


def test_the_loaded_model_is_in_eval_mode_and_predicts(done):
    model = done.load_model(fold=0)
    assert not model.training
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).shape == (1, 3)


def test_a_finished_run_whose_weights_were_deleted_trains_them_again(tmp_path):
    run = fitted(tmp_path, per_class=4)
    before = files_of(tmp_path)
    run.folder.weights(1, 1).unlink()
    assert Experiment.load(tmp_path).fit().fresh
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    ("stage", "slug"), [(2, "config/no-such-stage"), (-3, "config/no-such-stage")]
)
def test_a_stage_that_does_not_exist_is_named(done, stage, slug):
    with pytest.raises(ConfigError, match="stage: expected a number from 0 to 1") as error:
        done.load_model(0, stage)
    assert error.value.slug == slug


def test_damaged_weights_are_refused(tmp_path):
    run = fitted(tmp_path, per_class=4)
    path = run.folder.weights(0, 1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StateError, match="expected SHA-256") as error:
        run.load_model(0)
    assert error.value.slug == "state/damaged"


def test_a_run_that_stopped_between_folds_goes_on(tmp_path):
    unbroken = fitted(tmp_path / "a", per_class=4)
    other = Experiment.load(write_experiment(tmp_path / "b", per_class=4))
    assert not other.fit(folds=[1]).completed
    assert not other.folder.summary_path.exists()
    assert other.fit().completed
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert unbroken.evaluate() == other.evaluate()


def test_the_same_command_gives_the_same_bytes_whatever_the_number_of_threads(tmp_path):
    fitted(tmp_path / "a", per_class=4, config=CONFIG + "num_workers: 1\n")
    fitted(tmp_path / "b", per_class=4, config=CONFIG + "num_workers: 4\n")
    first, second = files_of(tmp_path / "a"), files_of(tmp_path / "b")
    for name in first.keys() - {"config.yaml"}:
        if not name.startswith("weights/best-") or name.endswith(".safetensors"):
            assert first[name] == second[name], name


def test_another_seed_gives_other_weights(tmp_path):
    fitted(tmp_path / "a", per_class=4)
    fitted(tmp_path / "b", per_class=4, config=CONFIG + "seed: 1\n")
    name = "weights/best-0.1.safetensors"
    assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a/data/folds.json").read_bytes() == (
        tmp_path / "b/data/folds.json"
    ).read_bytes()


def test_an_edited_config_is_not_resumed(tmp_path):
    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    run.fit(folds=[0])
    (tmp_path / "config.yaml").write_text(CONFIG.replace("lr: 0.01", "lr: 0.02"))
    with pytest.raises(StateError, match=r"lr: 0\.01 -> 0\.02") as error:
        Experiment.load(tmp_path).fit()
    assert error.value.slug == "state/config-changed"


def test_keys_that_change_no_result_may_be_edited(tmp_path):
    Experiment.load(write_experiment(tmp_path, per_class=4)).fit(folds=[0])
    (tmp_path / "config.yaml").write_text(CONFIG + "inference_batch: 7\nnum_workers: 1\n")
    assert Experiment.load(tmp_path).fit().completed


def test_changed_data_are_not_resumed(tmp_path):
    Experiment.load(write_experiment(tmp_path, per_class=4)).fit(folds=[0])
    (tmp_path / "shapes/circle/000.png").rename(tmp_path / "shapes/square/999.png")
    with pytest.raises(StateError, match=r"removed: circle/000\.png") as error:
        Experiment.load(tmp_path).fit()
    assert error.value.slug == "state/data-changed"


def test_a_second_process_is_refused(tmp_path):
    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    with locked(run.folder.lock_path), pytest.raises(LockedError, match="no other process"):
        run.fit()


def test_a_loss_that_overflows_names_the_place_and_the_learning_rate(tmp_path):
    config = CONFIG + "loss: 3.4e38*categorical_crossentropy\n"
    run = Experiment.load(write_experiment(tmp_path, per_class=4, config=config))
    place = r"fold 0, stage 0, epoch 1 of 1, learning rate 0\.01: expected a finite loss, got inf"
    with pytest.raises(NumericError, match=place) as error:
        run.fit()
    assert error.value.slug == "numeric/loss"


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path, monkeypatch):
    unbroken = fitted(tmp_path / "a", per_class=4)
    run = Experiment.load(write_experiment(tmp_path / "b", per_class=4))
    written = []

    def full_after_a_while(path, data):
        written.append(path)
        if len(written) == 25:
            raise durable.resource_error(path, OSError(28, "No space left on device"))
        return write(path, data)

    write = durable.write_bytes
    monkeypatch.setattr(durable, "write_bytes", full_after_a_while)
    with pytest.raises(ResourceError, match="expected room on the disk") as error:
        run.fit()
    assert error.value.exit_code == 6
    monkeypatch.undo()
    assert Experiment.load(tmp_path / "b").fit().completed
    assert files_of(unbroken.folder.root) == files_of(tmp_path / "b")


def test_broken_images_are_quarantined_and_the_run_goes_on(tmp_path):
    write_experiment(tmp_path, per_class=6)
    (tmp_path / "shapes/circle/empty.png").touch()
    (tmp_path / "shapes/circle/text.jpg").write_text("no image")
    whole = (tmp_path / "shapes/circle/000.png").read_bytes()
    (tmp_path / "shapes/circle/cut.png").write_bytes(whole[: len(whole) // 2])
    assert Experiment.load(tmp_path).fit().completed
    lines = (tmp_path / "data/quarantine.jsonl").read_text().splitlines()
    reasons = {json.loads(line)["id"]: json.loads(line)["reason"] for line in lines}
    assert reasons.keys() == {"circle/empty.png", "circle/text.jpg", "circle/cut.png"}
    audit = json.loads((tmp_path / "data/audit.json").read_text())
    assert audit["listed"] == audit["used"] + audit["quarantined"] + audit["excluded"] == 21


def test_unreadable_inputs_are_named_when_predicting(done, tmp_path, caplog):
    Image.new("RGB", (32, 32)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    predictions = done.predict(tmp_path)
    assert predictions.ids == ("good.png",)
    assert "bad.png: not predicted: empty" in caplog.text


def test_a_folder_without_images_cannot_be_predicted(done, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"expected at least 1 .*image") as error:
        done.predict(tmp_path)
    assert error.value.slug in ("data/no-images", "data/nothing-to-predict")


def test_rows_that_would_not_line_up_are_refused(done, tmp_path):
    class Broken:
        def __len__(self):
            return 2

        def __getitem__(self, i):
            if i == 0:
                raise OSError(5)
            return PredictionItem("b", np.zeros((32, 32, 3), np.uint8))

    with pytest.raises(DataError, match="expected predictions for all 2 samples") as error:
        done.predict_all(Broken(), tta=False)
    assert error.value.slug == "data/unreadable"


def test_a_metric_that_is_undefined_in_every_epoch_stops_the_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "fivefold.engine.loop.compute", lambda found, names: dict.fromkeys(names, float("nan"))
    )
    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    with pytest.raises(NumericError, match="'val_accuracy' in some epoch, got NaN in all") as error:
        run.fit()
    assert error.value.slug == "numeric/metric"


def test_check_tells_data_model_time_and_memory_and_writes_nothing(tmp_path):
    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    before = files_of(tmp_path)
    report = dict(run.check().lines)
    assert report["data"].startswith("12 listed = 12 used + 0 quarantined + 0 excluded; 3 classes")
    assert "tiny" in report["model"]
    assert report["stage 1"].startswith("2 epochs, whole network, Adam, lr 0.01, batch 16")
    assert "for all folds" in report["time"]
    assert report["memory"].endswith("GiB")
    assert files_of(tmp_path) == before


def test_a_python_dataset_trains_and_predicts_in_its_own_order(tmp_path):
    write_experiment(tmp_path, per_class=8)
    paths = sorted((tmp_path / "shapes").rglob("*.png"))

    class Shapes:
        class_names = ("circle", "square", "triangle")

        def __len__(self):
            return len(paths)

        def __getitem__(self, i):
            y = np.zeros(3)
            y[self.class_names.index(paths[i].parent.name)] = 1
            return PredictionItem(f"{paths[i].parent.name}-{i}", np.array(Image.open(paths[i])), y)

    from fivefold import classification

    cfg = classification.parse(tmp_path / "config.yaml")
    cfg.fit(Shapes())
    probs = cfg.predict_all_to_array(Shapes(), [0, 1], 1, ttflips=True)
    assert probs.shape == (24, 3)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    single = cfg.predict_all_to_array(Shapes(), 0)
    assert not np.array_equal(single, probs)
    assert cfg.load_model(0, 1).heads[0].class_names == Shapes.class_names
    assert cfg.directory() == tmp_path


def test_a_stage_may_start_from_another_experiments_weights(tmp_path):
    fitted(tmp_path / "a", per_class=4)
    config = CONFIG.replace(
        "{epochs: 1, freeze_encoder: true}",
        "{epochs: 1, freeze_encoder: true, lr: 1e-12, "
        "initial_weights: ../a/weights/best-0.1.weights}",
    )
    run = fitted(tmp_path / "b", per_class=4, config=config)
    start = run.load_model(0, 0).state_dict()
    other = Experiment.load(tmp_path / "a").load_model(0, 1).state_dict()
    for name in other:
        torch.testing.assert_close(start[name], other[name], atol=1e-5, rtol=0)


def test_a_batch_of_one_is_refused_where_batchnorm_must_learn(tmp_path):
    config = CONFIG.replace("architecture: tiny", "architecture: test_resnet")
    run = Experiment.load(
        write_experiment(tmp_path, per_class=4, config=config.replace("batch: 16", "batch: 1"))
    )
    with pytest.raises(DataError, match="expected several samples for BatchNorm, got 1") as error:
        run.fit(folds=[0])
    assert error.value.slug == "data/batch-of-one"


def test_lost_folds_are_not_drawn_anew_beside_trained_weights(tmp_path):
    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    run.fit(folds=[0])
    run.folder.folds_path.unlink()
    with pytest.raises(StateError, match="expected the folds that were trained on") as error:
        run.fit()
    assert error.value.slug == "state/no-folds"


def test_all_folds_start_from_the_same_pretrained_weights(tmp_path):
    from fivefold.models import ModelSpec, build_classifier

    config = CONFIG.replace("weights: none", "weights: start.safetensors")
    write_experiment(tmp_path, per_class=4, config=config)
    for seed in (0, 1):
        head = (Head("", "softmax", ("a", "b")),)
        spec = ModelSpec(architecture="tiny", heads=head, shape=(32, 32, 3))
        net = build_classifier(spec, generator_seed=seed).backbone.net
        save_file(net.state_dict(), tmp_path / "start.safetensors")
        if seed == 0:
            Experiment.load(tmp_path).fit(folds=[0])
    with pytest.raises(StateError, match="expected those that other folds started from") as error:
        Experiment.load(tmp_path).fit()
    assert error.value.slug == "state/weights-changed"


def test_a_mistake_before_the_first_epoch_does_not_lock_the_folder(tmp_path):
    write_experiment(
        tmp_path, per_class=4, config=CONFIG.replace("{folder: shapes}", "{folder: x}")
    )
    with pytest.raises(DataError, match="expected"):
        Experiment.load(tmp_path).fit()
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert Experiment.load(tmp_path).fit().completed


def test_a_finished_run_refuses_other_data(done):
    class Other:
        def __len__(self):
            return 20

        def __getitem__(self, i):
            return PredictionItem(f"x{i}", np.full((32, 32, 3), i, np.uint8), i % 2)

    with pytest.raises(StateError, match="expected the data that the folds were made of"):
        done.fit(Other())


def test_what_was_fitted_with_overrides_is_evaluated_with_them(tmp_path):
    write_experiment(tmp_path, per_class=6)
    Experiment.load(tmp_path, ["folds_count=3", "stages=[{epochs: 1}]"]).fit()
    plain = Experiment.load(tmp_path)
    assert list(plain.evaluate()["folds"]) == [0, 1, 2]
    assert len(plain.predict(tmp_path / "shapes", stage=0)) == 18


def test_prediction_needs_no_labels_and_may_see_an_image_twice(done):
    class Unlabelled:
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return PredictionItem(f"x{i}", np.zeros((32, 32, 3), np.uint8), -1)

    assert done.predict_all(Unlabelled(), tta=False).shape == (3, 3)


def test_outputs_that_become_nan_name_the_place_and_keep_the_epochs_before(tmp_path, monkeypatch):
    from fivefold.engine import loop

    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    learn = loop.learn

    def poisoned(task, step):
        learn(task, step)
        if task.stage.index == 1:
            with torch.no_grad():
                task.model.head.linear.bias.fill_(float("nan"))

    monkeypatch.setattr(loop, "learn", poisoned)
    place = r"fold 0, stage 1, epoch 1 of 2, (validation, )?learning rate 0\.01: expected a finite"
    with pytest.raises(NumericError, match=place):
        run.fit()
    monkeypatch.undo()
    assert Experiment.load(tmp_path).fit().completed


def test_a_finished_run_says_when_its_data_have_changed(tmp_path, caplog):
    run = fitted(tmp_path, per_class=4)
    assert find_finished(tmp_path)
    assert caplog.text == ""
    (tmp_path / "shapes/circle/000.png").unlink()
    assert find_finished(tmp_path)
    assert "1 images were added, removed or written anew" in caplog.text
    (tmp_path / "shapes").rename(tmp_path / "elsewhere")
    assert find_finished(run.folder.root)
    assert "the data of this finished run cannot be read any more" in caplog.text


def test_the_training_loss_is_the_mean_over_samples_not_over_batches(tmp_path):
    config = CONFIG.replace("batch: 16", "batch: 7").replace("lr: 0.01", "lr: 1e-12")
    run = Experiment.load(write_experiment(tmp_path, config=config))
    run.fit(folds=[0])
    trained_on = set(Splits.load(run.folder.folds_path).train_ids(0))
    assert len(trained_on) % 7 > 1
    found = run.predict(tmp_path / "shapes", folds=[0], stage=0)
    rows = [row for row, sample_id in enumerate(found.ids) if sample_id in trained_on]
    truth = [found.ids[row].partition("/")[0] for row in rows]
    expected = log_loss(truth, found.probs[rows], labels=found.class_names)
    (row,) = read_history(run.folder.metrics(0, 0))
    assert row["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_one_answer_for_every_image_is_nothing_to_learn_from(tmp_path, answer):
    class Same:
        def __len__(self):
            return 12

        def __getitem__(self, i):
            pixels = np.full((32, 32, 3), i, np.uint8)
            return PredictionItem(f"x{i}", pixels, np.array([answer]))

    run = Experiment.load(write_experiment(tmp_path, per_class=4))
    with pytest.raises(DataError, match="expected images that differ in their labels") as error:
        run.fit(Same())
    assert error.value.slug == "data/one-class"
