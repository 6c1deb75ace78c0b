"""Musket's Python names on a small real run."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG, write_experiment
from shapes import NAMES

from fivefold import PredictionItem, classification
from fivefold.core.errors import ConfigError, DataError, StateError
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.data.datasets import (
    CategoryClassificationDataSet,
    ConstrainedDirectory,
    FolderDataSet,
    WeightedBlend,
)
from fivefold.data.decode import read_image
from fivefold.experiment.musket import predicting
from fivefold.experiment.musket.places import _tell_stage


def parse(path):
    return classification.parse(path, progress=Silent())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("run")
    config = CONFIG.replace("folds_count: 2", "folds_count: 2\ntestSplit: 0.25")
    write_experiment(root, per_class=8, config=config)
    parse(root).fit()
    return root


@pytest.fixture
def cfg(root):
    return parse(root)


@pytest.fixture(scope="module")
def shapes(root):
    return FolderDataSet(None, root / "shapes")


def array_of(cfg, shapes, fold, stage, **options):
    return cfg.predict_all_to_array(shapes, fold, stage, **options)


def pixels_of(root, name):
    return read_image(root / "shapes" / name)


def test_the_numbers_are_told_again_to_whoever_watches(root):
    told = []
    watcher = Silent()
    watcher.line = told.append
    classification.parse(root, progress=watcher).fit()
    assert told[0] == "already finished: nothing to do"
    assert told[2].startswith("val_accuracy")
    assert f"report: `fivefold report {root}` writes it, with pictures" in told


def test_a_data_set_is_spoken_of_once(tmp_path, caplog):
    """The classes' names differ in case alone, and so do their files' ids: two warnings."""
    config = CONFIG[: CONFIG.index("stages:")] + "stages: [{epochs: 1}]\n"
    write_experiment(tmp_path, per_class=4, config=config + "dataset: {folder: shapes}\n")
    (tmp_path / "shapes" / "circle").rename(tmp_path / "shapes" / "Square")
    cfg = parse(tmp_path)
    cfg.fit()
    caplog.clear()
    for _ in range(2):
        cfg.find_thresholds(cfg.get_dataset(), 0)
        cfg.find_thresholds("validation0", 0)
    told = [r.message for r in caplog.records if "Square" in r.message]
    assert len(told) == len(set(told)) == 2


def test_batches_keep_names_order_and_pixels(cfg, root, shapes):
    batches = list(cfg.predict_on_dataset(shapes, 1, -1, batch_size=10))
    assert [len(batch) for batch in batches] == [10, 10, 4]
    names = [name for batch in batches for name in batch.data]
    assert names == [shapes.get_id(i) for i in range(24)]
    results = np.stack([result for batch in batches for result in batch.results])
    np.testing.assert_allclose(results, array_of(cfg, shapes, 1, 1), atol=1e-6)
    first = batches[1]
    assert first.images_aug.shape == (10, 32, 32, 3)
    for name, image in zip(first.data, first.images, strict=True):
        np.testing.assert_array_equal(image, pixels_of(root, name))
    with pytest.raises(AttributeError, match="a classifier predicts no maps; use `results`"):
        _ = first.predicted_maps_aug


def test_a_loop_over_batches_may_be_left_early(cfg, shapes):
    threads = torch.get_num_threads()
    for batch in cfg.predict_on_dataset(shapes, 0, -1, batch_size=2):
        assert len(batch) == 2
        break
    assert torch.get_num_threads() == threads


def test_images_are_not_read_long_before_they_are_asked_for(cfg):
    read = []

    class Many:
        def __len__(self):
            return 500

        def __getitem__(self, i):
            read.append(i)
            return PredictionItem(i, np.full((32, 32, 3), i % 256, np.uint8))

        def get_id(self, i):
            return str(i)

        def get_target(self, i):
            return None

    found = cfg.predict_on_dataset(Many(), 0, -1, batch_size=4)
    assert next(found).data == ["0", "1", "2", "3"]
    assert len(read) < 100
    found.close()


def test_a_folder_is_predicted_by_the_names_of_its_files(cfg, root, shapes):
    whole = array_of(cfg, shapes, 0, -1)
    found = list(cfg.predict_on_directory(root / "shapes" / "square", 0, -1))
    assert [name for batch in found for name in batch.data] == [f"00{k}.png" for k in range(8)]
    np.testing.assert_allclose(found[0].results, whole[8:16], atol=1e-6)
    some = ConstrainedDirectory(root / "shapes" / "square", ["005", "001.png"])
    (batch,) = cfg.predict_on_directory(some, 0, -1)
    assert batch.data == ["005", "001.png"]
    np.testing.assert_allclose(batch.results, whole[[13, 9]], atol=1e-6)


def test_both_call_shapes_of_predict_in_directory_work(cfg, root, shapes):
    folder, found = str(root / "shapes" / "circle"), {}

    def take(name, result, data):
        found.setdefault(data["run"], {})[name] = result

    cfg.predict_in_directory(folder, 0, 0, take, {"run": "with stage"})
    cfg.predict_in_directory(folder, 0, take, {"run": "without"})
    cfg.predict_in_directory(folder, [0, 1], take, data={"run": "two"}, ttflips=True)
    cfg.predict_in_directory(folder, 0, take, {"run": "three"}, 3)
    cfg.predict_in_directory(folder, 0, cb=take, data={"run": "named"}, limit=2)
    cfg.predict_in_directory(folder, 0, 1, take, {"run": "last"}, 1, 4, "Horizontal")
    assert {name: len(some) for name, some in found.items()} == {
        "with stage": 8, "without": 8, "two": 8, "three": 3, "named": 2, "last": 1,
    }  # fmt: skip
    whole = array_of(cfg, shapes, 0, 0)
    np.testing.assert_allclose(found["with stage"]["002.png"], whole[2], atol=1e-6)
    np.testing.assert_array_equal(found["without"]["002.png"], found["with stage"]["002.png"])
    with pytest.raises(DataError, match="cb: expected a function of a name") as error:
        cfg.predict_in_directory(folder, 0, 0)
    assert error.value.slug == "data/callback"


@pytest.mark.parametrize(
    ("behind", "named"),
    [
        ((4, 2), {}),
        ((4, 2, "Horizontal"), {}),
        ((4, 2, True), {}),
        ((4,), {"batch_size": 2, "ttflips": True}),
        ((), {"limit": 4, "batch_size": 2}),
    ],
)
def test_without_a_stage_everything_behind_the_data_keeps_its_meaning(cfg, root, behind, named):
    folder, found, expected = str(root / "shapes" / "circle"), {}, {}

    def take(name, result, data):
        data[name] = result

    cfg.predict_in_directory(folder, 1, take, found, *behind, **named)
    cfg.predict_in_directory(folder, 1, 0, take, expected, *behind, **named)
    assert list(found) == list(expected) == ["000.png", "001.png", "002.png", "003.png"]
    for name, result in expected.items():
        np.testing.assert_array_equal(found[name], result)


def test_models_of_folds_and_stages_are_averaged(cfg, shapes):
    single = {(f, s): array_of(cfg, shapes, f, s) for f in (0, 1) for s in (0, 1)}
    both = np.mean([single[0, 1], single[1, 1]], axis=0)
    np.testing.assert_allclose(array_of(cfg, shapes, [0, 1], -1), both, atol=1e-6)
    all_four = np.mean(list(single.values()), axis=0)
    np.testing.assert_allclose(array_of(cfg, shapes, None, None), all_four, atol=1e-6)
    np.testing.assert_allclose(array_of(cfg, shapes, [0, 1], [0, 1]), all_four, atol=1e-6)
    assert np.ptp([values[0, 0] for values in single.values()]) > 0


@pytest.mark.parametrize(
    ("ttflips", "axes"),
    [
        ("Horizontal", [(), (2,)]),
        ("Horizontal_and_vertical", [(), (2,), (1,), (1, 2)]),
        (True, [(), (2,), (1,), (1, 2)]),
    ],
)
def test_flips_are_averaged(cfg, root, shapes, ttflips, axes):
    pixels = np.stack([pixels_of(root, shapes.get_id(i)) for i in range(24)])
    model = cfg.load_model(0)
    views = [model.predict(np.flip(pixels, axis)) for axis in axes]
    found = array_of(cfg, shapes, 0, -1, ttflips=ttflips)
    np.testing.assert_allclose(found, np.mean(views, axis=0), atol=1e-6)


def test_loaded_models_predict_arrays_together(cfg, root, shapes):
    pixels = np.stack([pixels_of(root, shapes.get_id(i)) for i in range(24)])
    both = cfg.load_model([0, 1], -1)
    assert both.heads[0].class_names == NAMES
    np.testing.assert_allclose(both.predict(pixels), array_of(cfg, shapes, [0, 1], -1), atol=1e-6)
    (batch,) = cfg.predict_on_directory_with_model(both, root / "shapes" / "circle")
    np.testing.assert_allclose(batch.results, both.predict(pixels[:8]), atol=1e-6)
    np.testing.assert_allclose(
        cfg.predict_on_batch(both, False, batch), both.predict(pixels[:8]), atol=1e-6
    )
    assert len(cfg.createNetForInference(None, None).models) == 4
    with pytest.raises(DataError, match=r"expected an array \[N, H, W, C\], got shape") as error:
        both.predict(pixels[0])
    assert error.value.slug == "data/image-array"


def test_the_first_stage_is_taken_as_in_musket_and_that_is_said_once(cfg, shapes, caplog):
    _tell_stage.cache_clear()
    found = cfg.predict_all_to_array(shapes)
    np.testing.assert_array_equal(found, array_of(cfg, shapes, 0, 0))
    cfg.predict_all_to_array(shapes)
    said = [record.message for record in caplog.records if "as in Musket" in record.message]
    assert len(said) == 1
    assert said[0].endswith("stage 0 of 2 predicts, as in Musket where no stage is named; "
                            "stage=-1 is the last")  # fmt: skip


def test_all_stages_make_a_data_set_as_in_musket_and_that_is_said_once(cfg, shapes, caplog):
    _tell_stage.cache_clear()
    found = cfg.predict_all_to_dataset(shapes, 0)
    assert not [r for r in caplog.records if "stage 0 of 2" in r.message]
    asked = cfg.predict_all_to_dataset(shapes, 0, None)
    np.testing.assert_array_equal(found.predictions.probs, asked.predictions.probs)
    cfg.predict_all_to_dataset(shapes)
    said = [record.message for record in caplog.records if "as in Musket" in record.message]
    assert len(said) == 1
    assert said[0].endswith("2 stages predict together, as in Musket where no stage is named; "
                            "stage=-1 is the last")  # fmt: skip


def accuracy_of(items):
    return np.mean([item.prediction.argmax() == item.y.argmax() for item in items])


def test_stored_predictions_are_those_that_the_summary_measures(cfg, caplog):
    """The oracles are the summary's own numbers, which are of the last stage."""
    _tell_stage.cache_clear()
    summary = cfg.experiment.summarise()
    for name, expected in (("validation", summary.oof), ("holdout", summary.holdout)):
        found = cfg.predictions(name)
        assert accuracy_of(found) == pytest.approx(expected["accuracy"])
        last = cfg.predictions(name, stage=-1).predictions.probs
        np.testing.assert_array_equal(found.predictions.probs, last)
        assert not np.array_equal(last, cfg.predictions(name, stage=None).predictions.probs)
    assert not [r for r in caplog.records if "as in Musket" in r.message]


def test_at_most_so_many_items_are_predicted(cfg, shapes):
    whole, names = cfg.predict_all_to_array_with_ids(shapes, 0, 0, limit=5)
    assert (whole.shape, names) == ((5, 3), [shapes.get_id(i) for i in range(5)])


def test_models_may_stay_in_memory_until_the_next_fit(cfg, shapes, monkeypatch):
    list(cfg.predict_on_dataset(shapes, 0, 0, cacheModel=True))
    monkeypatch.setattr(predicting, "load_ensemble", None)
    list(cfg.predict_on_dataset(shapes, 0, 0))
    with pytest.raises(TypeError, match="not callable"):
        list(cfg.predict_on_dataset(shapes, 1, 0))


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_are_a_data_set(cfg, root, shapes, tmp_path):
    found = cfg.predict_all_to_dataset(shapes, 0, -1, dsPath=tmp_path / "new" / "p.npz", verbose=0)
    assert (len(found), found.class_names) == (24, NAMES)
    item = found[9]
    assert (item.id, item.y.tolist()) == ("square/001.png", [0, 1, 0])
    np.testing.assert_array_equal(item.x, pixels_of(root, item.id))
    whole = array_of(cfg, shapes, 0, -1)
    np.testing.assert_array_equal(np.stack([item.prediction for item in found]), whole)
    saved = Predictions.load(tmp_path / "new" / "p.npz")
    np.testing.assert_array_equal(saved.probs, whole)
    found.dump(tmp_path / "submission.csv")
    expected = [NAMES[k] for k in whole.argmax(axis=1)]
    assert [row["class"] for row in rows_of(tmp_path / "submission.csv")] == expected


def test_a_submission_follows_the_table_that_was_read(cfg, root, tmp_path):
    table = tmp_path / "sample.csv"
    rows = [f"{name}/00{k}.png,{name}" for name in NAMES for k in range(2)]
    table.write_text("\n".join(["file,species", *rows]))
    test = CategoryClassificationDataSet(root / "shapes", table, "file", "species")
    cfg.predict_all_to_dataset(test, None, -1).dump(tmp_path / "out.csv")
    best = array_of(cfg, test, None, -1).argmax(axis=1)
    assert rows_of(tmp_path / "out.csv") == [
        {"file": test.get_id(i), "species": NAMES[k]} for i, k in enumerate(best)
    ]


def test_predictions_of_experiments_are_blended(cfg, root, shapes):
    one, two = (cfg.predict_all_to_dataset(shapes, fold, -1) for fold in (0, 1))
    blended = one.blend(two, 0.25)
    expected = 0.25 * one.predictions.probs + 0.75 * two.predictions.probs
    np.testing.assert_allclose(np.stack([item.prediction for item in blended]), expected, atol=1e-6)
    itself = one.blend(str(root / "config.yaml"))
    np.testing.assert_allclose(itself[3].prediction, one[3].prediction, atol=1e-6)
    assert len(WeightedBlend([one, two, itself], [1, 2, 3])) == 24
    by_name = cfg.predictions("holdout").blend(root / "config.yaml")
    np.testing.assert_allclose(by_name[0].prediction, cfg.predictions("holdout")[0].prediction)


def test_what_training_has_predicted_is_not_predicted_again(cfg, root, monkeypatch):
    monkeypatch.setattr(predicting, "load_ensemble", None)
    folder = cfg.experiment.folder
    stored = {
        (f, s): Predictions.load(folder.predictions("validation", f, s))
        for f in (0, 1) for s in (0, 1)
    }  # fmt: skip
    whole = cfg.predictions("validation", stage=-1)
    oof = rows_of(folder.oof_path)
    assert [item.id for item in whole] == [row["id"] for row in oof]
    for item, row in zip(whole, oof, strict=True):
        assert f"{item.prediction[0]:.6f}" == row[NAMES[0]]
    first = cfg.predictions("validation1", stage=0)
    assert {item.id for item in first} == set(stored[1, 0].ids)
    both = cfg.predictions("validation1", stage=None)
    mean = (stored[1, 0].probs + stored[1, 1].probs) / 2
    order = {name: i for i, name in enumerate(stored[1, 0].ids)}
    for item in both:
        np.testing.assert_allclose(item.prediction, mean[order[item.id]], atol=1e-6)
        np.testing.assert_array_equal(item.x, pixels_of(root, item.id))
    held = cfg.predictions("holdout", stage=-1)
    assert len(held) == 6
    assert {item.id for item in held}.isdisjoint(item.id for item in whole)


def test_other_models_may_predict_a_named_part(cfg):
    other = cfg.predictions("validation1", fold=0, stage=-1)
    expected = cfg.predict_all_to_dataset("validation1", 0, -1)
    np.testing.assert_array_equal(other.predictions.probs, expected.predictions.probs)
    train = cfg.predictions("train1", stage=-1)
    assert [item.id for item in train] == [item.id for item in cfg.train(foldNum=1)]


def test_predictions_are_kept_until_the_data_change(root, tmp_path, monkeypatch):
    cfg, folder = parse(root), tmp_path / "some"
    folder.mkdir()
    for k in range(3):
        Image.fromarray(np.full((32, 32, 3), 80 * k, np.uint8)).save(folder / f"{k}.png")
    made = cfg.predictions(ConstrainedDirectory(folder, ["0", "1", "2"]), 0, -1)
    with monkeypatch.context() as patch:
        patch.setattr(predicting, "load_ensemble", None)
        again = cfg.predictions(ConstrainedDirectory(folder, ["0", "1", "2"]), 0, -1)
        np.testing.assert_array_equal(again.predictions.probs, made.predictions.probs)
        for other in ({"fold": 1, "stage": -1}, {"fold": 0, "stage": 0}):
            with pytest.raises(TypeError, match="not callable"):
                cfg.predictions(ConstrainedDirectory(folder, ["0", "1", "2"]), **other)
    Image.fromarray(np.full((32, 32, 3), 7, np.uint8)).save(folder / "1.png")
    changed = cfg.predictions(ConstrainedDirectory(folder, ["0", "1", "2"]), 0, -1)
    same = changed.predictions.probs == made.predictions.probs
    assert same.all(axis=1).tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["validaton", "holdout1", "test"])
def test_a_name_that_means_nothing_is_refused(cfg, name):
    with pytest.raises(DataError, match="expected 'train', 'validation3' or 'holdout'") as error:
        cfg.predictions(name)
    assert error.value.slug == "data/dataset-name"


def test_evaluation_goes_once_over_the_validation_samples(cfg, shapes):
    batches = list(cfg.evaluateAll(None, 1, batchSize=4))
    assert [len(batch) for batch in batches] == [4, 4, 1]
    stored = Predictions.load(cfg.experiment.folder.predictions("validation", 1, 1))
    place = {name: i for i, name in enumerate(stored.ids)}
    for batch in batches:
        names, truth = batch.data
        assert batch.ground_truth is truth
        for name, result, known in zip(names, batch.results, truth, strict=True):
            np.testing.assert_allclose(result, stored.probs[place[name]], atol=1e-5)
            np.testing.assert_array_equal(known, stored.truth[place[name]])
    assert sorted(name for batch in batches for name in batch.data[0]) == sorted(stored.ids)
    for ds in (None, shapes):
        predictions, labels = cfg.evaluate_all_to_arrays(ds, 1)
        assert predictions.shape == labels.shape == (9, 3)
        right = (predictions.argmax(axis=1) == labels.argmax(axis=1)).mean()
        recorded = cfg.experiment.evaluate()["folds"][1]["accuracy"]
        assert right == pytest.approx(recorded)


def test_data_that_were_not_trained_on_cannot_be_evaluated(cfg):
    class Other:
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return PredictionItem(i, np.zeros((32, 32, 3), np.uint8), i)

    with pytest.raises(DataError, match="expected the samples that were trained on") as error:
        list(cfg.evaluateAll(Other(), 0))
    assert error.value.slug == "data/other-dataset"


def hits(truth, answer):
    return float((truth == answer).mean())


def slow_threshold(items, func):
    means = [
        np.mean([func(i.y > 0.5, i.prediction > step / 100) for i in items]) for step in range(100)
    ]
    return means.index(max(means)) / 100


def test_thresholds_are_the_first_best_of_a_hundred(cfg, shapes):
    items = list(cfg.predict_all_to_dataset(shapes, 0, -1))
    expected = slow_threshold(items, hits)
    for find in (cfg.find_treshold, cfg.find_threshold, cfg.find_optimal_treshold):
        assert find(shapes, 0, hits, -1) == expected
    folds = [slow_threshold(cfg.predictions(f"validation{k}", stage=1), hits) for k in (0, 1)]
    assert cfg.find_optimal_treshold_by_validation(hits, 1) == np.mean(folds)
    held = slow_threshold(cfg.predictions("holdout"), hits)
    items = list(cfg.predict_all_to_dataset("holdout", None, -1))
    assert held == slow_threshold(items, hits)
    assert cfg.find_optimal_threshold_by_holdout(hits) == held
    items = list(cfg.predict_all_to_dataset("holdout", None, None))
    assert cfg.find_optimal_threshold_by_holdout(hits, None) == slow_threshold(items, hits)
    by_name = cfg.find_threshold("holdout", None, "binary_accuracy", -1)
    probs, truth = (np.stack(v) for v in zip(
        *((i.prediction, i.y) for i in cfg.predict_all_to_dataset("holdout", None, -1)),
        strict=True,
    ))  # fmt: skip
    scores = [((probs > k / 100) == (truth > 0.5)).mean() for k in range(100)]
    assert by_name == int(np.argmax(scores)) / 100


@pytest.mark.parametrize("score", [np.nan, None, "high", [1, 2]])
def test_a_score_that_is_no_number_finds_no_threshold(cfg, score):
    with pytest.raises(DataError, match="func: expected a finite number for each sample") as error:
        cfg.find_threshold("holdout", None, lambda _truth, _answer: score, -1)
    assert error.value.slug == "data/callback"


def test_thresholds_are_those_of_the_last_stage_where_none_is_named(cfg, caplog):
    _tell_stage.cache_clear()
    for name in ("find_threshold", "find_thresholds"):
        given = () if name == "find_thresholds" else ("binary_accuracy",)
        find = getattr(cfg, name)
        assert find("validation0", 0, *given) == find("validation0", 0, *given, stage=1)
    by_validation = cfg.find_optimal_threshold_by_validation
    assert by_validation(hits) == by_validation(hits, 1) == by_validation(hits, -1)
    assert not [r for r in caplog.records if "as in Musket" in r.message]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("find_threshold", (), "find_threshold: expected ds, fold, func, got no ds and no fold "),
        ("find_treshold", ("holdout",), "expected ds, fold, func, got no fold and no func\n"),
        ("find_threshold", ("holdout", 0), "got no func\n    func: such as 'f1', or a function"),
        ("find_thresholds", ("holdout",), "find_thresholds: expected ds, fold, got no fold\n"),
        ("find_optimal_threshold_by_validation", (), "by_validation: expected func, got no func"),
        ("find_optimal_threshold_by_holdout", (), "by_holdout: expected func, got no func"),
    ],
)
def test_arguments_that_cannot_be_left_out_are_named(cfg, name, given, message):
    with pytest.raises(ConfigError, match=message) as error:
        getattr(cfg, name)(*given)
    assert error.value.slug == "config/musket-argument"


def test_what_cannot_score_answers_is_refused(cfg):
    message = "func: expected a metric's name or a function of truth and answers, got 0.5"
    with pytest.raises(DataError, match=message) as error:
        cfg.find_threshold("holdout", 0, 0.5)
    assert error.value.slug == "data/callback"
    with pytest.raises(DataError, match="func: expected a function of truth and answers, got 'f1'"):
        cfg.find_thresholds("holdout", 0, "f1")


@pytest.mark.parametrize("fold", [0.5, "x", [0, "1"]])
def test_a_fold_that_is_no_number_is_refused(cfg, fold):
    with pytest.raises(ConfigError, match="fold, stage: expected a whole number, several") as error:
        cfg.load_model(fold, 0)
    assert error.value.slug == "config/musket-argument"


def test_each_class_has_a_threshold_of_its_own(cfg, shapes):
    found = cfg.find_thresholds(shapes, 0, stage=-1)
    items = list(cfg.predict_all_to_dataset(shapes, 0, -1))
    assert list(found) == list(NAMES)
    for k, name in enumerate(NAMES):
        truth = np.array([item.y[k] > 0.5 for item in items])
        probs = np.array([item.prediction[k] for item in items])

        def f1(step, truth=truth, probs=probs):
            answer = probs > step / 100
            return 2 * (truth & answer).sum() / max(1, truth.sum() + answer.sum())

        scores = [f1(step) for step in range(100)]
        assert found[name] == scores.index(max(scores)) / 100


def test_labels_that_the_model_does_not_know_are_refused(cfg, tmp_path):
    for name in ("circle", "star"):
        (tmp_path / "x" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "x" / name / "0.png")
    with pytest.raises(DataError, match=r"expected classes that the model knows, got \['star'\]"):
        cfg.find_threshold(FolderDataSet(None, tmp_path / "x"), 0, hits, -1)


def test_folds_are_parts_of_the_data(cfg, shapes, tmp_path):
    folds = cfg.kfold()
    assert len(folds.folds) == 2
    parts = [cfg.holdout(), cfg.validation(foldNum=0), cfg.validation(foldNum=1)]
    names = [item.id for part in parts for item in part]
    assert sorted(names) == [shapes.get_id(i) for i in range(24)]
    assert {i.id for i in cfg.train(foldNum=0)} == {i.id for i in cfg.validation(foldNum=1)}
    assert len(cfg.train_without_holdout()) == 18
    assert cfg.validation(shapes, 1).name == "validation1"
    for fold in (0, 1):
        assert folds.indexes(fold, False).tolist() == cfg.validation(foldNum=fold).indexes
        assert folds.indexes(fold, True).tolist() == cfg.train(foldNum=fold).indexes
    assert cfg.kfold(shapes, range(4)).indexes(0, True).max() < 4
    assert folds.sampledIndexes(0, True, "none").tolist() == folds.indexes(0, True).tolist()
    folds.save(tmp_path / "folds.json")
    assert json.loads((tmp_path / "folds.json").read_text())[1][1] == folds.folds[1][1].tolist()
    assert cfg.get_dataset("validation1").indexes == cfg.validation(foldNum=1).indexes
    assert len(cfg.get_dataset()) == 24
    with pytest.raises(AttributeError, match="augmentor of Musket's k-fold is not in fivefold"):
        _ = folds.augmentor


def test_stages_tell_their_best_number(cfg):
    found = cfg.info()
    assert [(one.fold, one.stage) for one in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    losses = cfg.info("val_loss")
    history = rows_of(cfg.experiment.folder.metrics(0, 1))
    assert losses[1].best == min(float(row["val_loss"]) for row in history)
    assert found[1].best == max(float(row["val_accuracy"]) for row in history)
    assert found[1].lr == pytest.approx(0.01)
    with pytest.raises(
        ConfigError, match=r"metric: expected a column of .*, got 'val_auc'"
    ) as error:
        cfg.info("val_auc")
    assert error.value.slug == "config/unknown-monitor"


def test_a_network_is_built_as_training_would(cfg):
    net = cfg.createNet()
    assert net.heads[0].class_names == NAMES
    assert dict(cfg.validate().lines)["data"].startswith("24 listed")


def test_what_musket_had_beside_says_what_to_use(cfg, caplog):
    for name in ("compile", "createAndCompile", "createOptimizer", "predict_to_directory"):
        with pytest.raises(AttributeError, match=f"{name} of Musket's is not in fivefold: "):
            getattr(cfg, name)
    with pytest.raises(AttributeError, match="has no attribute 'predict_on_everything'"):
        _ = cfg.predict_on_everything
    cfg.setAllowResume(True)
    assert not caplog.records
    cfg.setAllowResume(False)
    assert "without effect: a run always goes on" in caplog.text


@pytest.mark.parametrize("wrong", [{"parallel": True}, {"drawingFunction": print}])
def test_arguments_that_are_not_supported_are_named(cfg, wrong):
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"{name}: expected the default") as error:
        cfg.fit(**wrong)
    assert error.value.slug == "config/musket-argument"


def test_training_may_start_from_a_stage_whose_predecessors_are_done(tmp_path):
    write_experiment(tmp_path, per_class=4)
    cfg = parse(tmp_path)
    with pytest.raises(StateError, match="expected stages before 1 to be finished, got") as error:
        cfg.fit(foldsToExecute=[0], start_from_stage=1)
    assert error.value.slug == "state/not-trained"
    with pytest.raises(ConfigError, match="start_from_stage: expected from 0 to 1, got 2"):
        cfg.fit(start_from_stage=2)
    cfg.fit(None, 1.0, [0])
    assert cfg.fit(foldsToExecute=[0], start_from_stage=1).folds == (0,)
    with pytest.raises(DataError, match="expected samples that no model sees, got none") as error:
        cfg.predictions("holdout", 0)
    assert error.value.slug == "data/no-holdout"


class Things:
    """Two questions of each image, one of them with negative samples."""

    def __len__(self):
        return 16

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        pixels = rng.integers(0, 60, (32, 32, 3)) + 60 * (i % 2)
        size = np.eye(2)[i % 2]
        return PredictionItem(f"thing-{i}", pixels.astype(np.uint8), [size, np.array([i % 4 == 0])])


def test_several_outputs_are_averaged_each_by_itself(tmp_path):
    config = CONFIG.replace("metrics: [accuracy]", "activation: [softmax, sigmoid]")
    config = config.replace("primary_metric: val_accuracy", "primary_metric: val_loss")
    write_experiment(tmp_path, per_class=1, config=config)
    cfg, things = parse(tmp_path), Things()
    cfg.fit(things)
    whole = cfg.predict_all_to_array(things, [0, 1], -1)
    assert whole.shape == (16, 2)
    each = [cfg.predict_all_to_array(things, fold, -1) for fold in (0, 1)]
    for output, size in ((0, 2), (1, 1)):
        mean = np.mean([np.stack(one[:, output]) for one in each], axis=0)
        assert mean.shape == (16, size)
        np.testing.assert_allclose(np.stack(whole[:, output]), mean, atol=1e-6)
    pixels = np.stack([things[i].x for i in range(16)])
    by_output = cfg.load_model([0, 1]).predict(pixels)
    np.testing.assert_allclose(by_output[0], np.stack(whole[:, 0]), atol=1e-6)
    (batch,) = cfg.evaluateAll(things, 0)
    size, flag = batch.ground_truth[0]
    number = int(batch.data[0][0].removeprefix("thing-"))
    assert (size.tolist(), flag.tolist()) == (np.eye(2)[number % 2].tolist(), [number % 4 == 0])
    assert [part.shape for part in batch.results[0]] == [(2,), (1,)]
    blended = cfg.predictions("validation0").blend(cfg.predictions("validation0"))
    assert [part.shape for part in blended[0].prediction] == [(2,), (1,)]
    cfg.predictions("validation").dump(tmp_path / "out.csv")
    (first, *_) = rows_of(tmp_path / "out.csv")
    assert list(first) == [
        "id", "output_0_label", "output_0_0", "output_0_1", "output_1_label", "output_1_0"
    ]  # fmt: skip


class Ships:
    """One class that most images lack, as in Musket's examples."""

    class_names = ("ship",)

    def __len__(self):
        return 20

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        pixels = rng.integers(0, 60, (32, 32, 3)) + 120 * self.isPositive(i)
        return PredictionItem(f"{i}", pixels.astype(np.uint8), [float(self.isPositive(i))])

    def isPositive(self, i):  # noqa: N802  Musket's name
        return i % 5 == 0


def test_negative_samples_may_be_left_out_of_an_evaluation(tmp_path):
    config = CONFIG.replace("metrics: [accuracy]", "activation: sigmoid\nmetrics: [accuracy]")
    config = config[: config.index("stages:")] + "stages: [{epochs: 1}]\n"
    write_experiment(tmp_path, per_class=1, config=config)
    cfg, ships = parse(tmp_path), Ships()
    cfg.fit(ships)
    assert [
        cfg.evaluate_all_to_arrays(ships, 0, negatives=n)[1].sum() for n in ("real", "all")
    ] == [2, 2]
    counts = [len(cfg.evaluate_all_to_arrays(ships, 0, negatives=n)[0]) for n in ("none", 1, 2, 99)]
    assert counts == [2, 4, 6, 10]
    one = cfg.kfold(ships).sampledIndexes(0, False, 1)
    (batch,) = cfg.evaluateAll(ships, 0, negatives=1)
    assert [int(name) for name in batch.data[0]] == one.tolist()
    for wrong in (0.5, -1, True, "some"):
        with pytest.raises(DataError, match="negatives: expected 'none', 'real', 'all'") as error:
            cfg.evaluate_all_to_arrays(ships, 0, negatives=wrong)
        assert error.value.slug == "data/negatives"
