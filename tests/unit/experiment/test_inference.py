import numpy as np
import pytest
import torch
from bundles import MORE, PETS, spec_of
from PIL import Image
from runs import CONFIG

from fivefold.augment import resize
from fivefold.build import build_images
from fivefold.config import load, parse
from fivefold.core.errors import DataError, ResourceError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, average
from fivefold.core.progress import Silent
from fivefold.data import FilesSource
from fivefold.data.audit import audit
from fivefold.data.decode import read_image
from fivefold.data.samples import table_of
from fivefold.engine.checkpoint import Bundle, load_model, save_bundle, save_weights
from fivefold.engine.device import on_device
from fivefold.engine.fold_data import plain_batches
from fivefold.engine.predictor import Place, as_predictions, predict_views
from fivefold.engine.tta import identity, views_of
from fivefold.experiment import inference
from fivefold.experiment.datasets import open_inputs, wrap
from fivefold.experiment.inference import load_models, predict_source
from fivefold.models import InputSpec, WeightsOrigin, build_classifier, probabilities

FOLDS = [(0, 1), (1, 1), (2, 1)]


def save_model(folder, fold, stage, heads=PETS):
    """Save an untrained net whose answers differ from image to image."""
    model = build_classifier(spec_of(heads), generator_seed=fold)
    with torch.no_grad():
        model.head.linear.weight.mul_(20)
    bundle = Bundle(
        spec=spec_of(heads),
        input_spec=InputSpec((0.5, 0.5, 0.5), (0.2, 0.2, 0.2), "bilinear"),
        sha256=save_weights(folder.weights(fold, stage), model),
        fold=fold,
        stage=stage,
        epoch=0,
        metrics={},
        origin=WeightsOrigin(kind="none"),
        config={},
    )
    save_bundle(folder.bundle(fold, stage), bundle)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    (root / "config.yaml").write_text(CONFIG)
    made = RunFolder.of(root)
    for fold, stage in FOLDS:
        save_model(made, fold, stage)
    return made


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Eleven pictures of noise around a colour; one of them is broken."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(11):
        colour = rng.integers(0, 200, 3)
        noise = rng.integers(0, 56, (40 + 30 * number, 50, 3))
        Image.fromarray((colour + noise).astype(np.uint8)).save(root / f"{number:02}.jpg")
    (root / "04.jpg").write_bytes(b"no image")
    return root


def predict(folder, source, *settings, places=FOLDS, views=(identity,), progress=None):
    config = load(folder.root, settings)
    return predict_source(
        folder, source, places, config=config, views=views, progress=progress or Silent()
    )


def slow_twin(folder, root, views):
    """Predict as a beginner would: one model at a time, one image at a time."""
    names = [path.name for path in sorted(root.iterdir()) if path.stat().st_size > 100]
    parts = []
    for fold, stage in FOLDS:
        model, rows = load_model(folder, fold, stage), []
        for name in names:
            pixels = resize(read_image(root / name), height=32, width=32)
            image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
            with torch.no_grad():
                each = [probabilities(model(view(image)), model.heads) for view in views]
            rows.append(torch.stack(each).mean(dim=0).numpy())
        parts.append(
            Predictions(tuple(names), np.concatenate(rows), model.heads, None, fold, stage)
        )
    return average(parts)


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_one_pass_gives_the_bits_of_one_pass_for_each_model(folder, pictures, batch):
    source, views, parts = open_inputs(pictures), views_of(True), []
    table = table_of(source, audit(source, folds=0, progress=Silent()))
    images, rows = build_images((32, 32, 3), source, table), range(len(table))
    (settings,) = parse(f"batch: {batch}\nstages: [{{epochs: 1}}]").resolve()
    for fold, stage in FOLDS:
        model = on_device(load_model(folder, fold, stage))
        probs = predict_views(
            model, plain_batches(images, rows, settings, 0), views, lambda _: None
        )
        parts.append(as_predictions(model.heads, table, rows, probs, Place(fold, stage)))
    found = predict(folder, source, f"inference_batch={batch}", views=views)
    assert found.ids == table.ids
    np.testing.assert_array_equal(found.probs, average(parts).probs)


@pytest.mark.parametrize("tta", [False, "Horizontal", True])
@pytest.mark.parametrize("batch", ["auto", 1, 4])
def test_one_pass_gives_what_one_image_and_one_model_at_a_time_give(folder, pictures, tta, batch):
    views = views_of(tta)
    found = predict(folder, open_inputs(pictures), f"inference_batch={batch}", views=views)
    expected = slow_twin(folder, pictures, views)
    assert found.ids == expected.ids
    assert (found.fold, found.stage, found.targets) == (-1, 1, None)
    # A batch of another size may be computed in another order: some units in the last place.
    np.testing.assert_allclose(found.probs, expected.probs, rtol=0, atol=1e-6)
    assert np.ptp(found.probs[:, 0]) > 0.1


def test_neither_threads_nor_cores_change_a_bit(folder, pictures, monkeypatch):
    monkeypatch.setattr("fivefold.engine.predictor.usable_cores", lambda: 3)
    found = []
    for threads, workers in ((1, 1), (3, 1), (1, 2), (4, 3)):
        torch.set_num_threads(workers)
        settings = (f"num_workers={threads}", "inference_batch=3")
        found.append(predict(folder, open_inputs(pictures), *settings).probs.tobytes())
    assert len(set(found)) == 1


def test_each_file_is_read_and_decoded_once(folder, pictures, monkeypatch):
    source, read = open_inputs(pictures), []
    whole = source.image
    monkeypatch.setattr(source, "image", lambda i, size: (read.append(i), whole(i, size))[1])
    monkeypatch.setattr(source, "fetch", None, raising=False)
    assert len(predict(folder, source, views=views_of(True))) == 10
    assert sorted(read) == list(range(11))


def test_one_bar_counts_all_images(folder, pictures):
    class Watcher(Silent):
        bars = ()
        steps = 0

        def bar(self, description, total):
            self.bars += ((description, total),)
            return super().bar(description, total)

    watcher = Watcher()
    predict(folder, open_inputs(pictures), progress=watcher)
    assert watcher.bars == (("predict", 11),)


def test_a_python_data_set_may_raise_for_some_items(folder, caplog):
    class Items:
        def __len__(self):
            return 5

        def __getitem__(self, i):
            if i == 2:
                msg = "gone"
                raise OSError(msg)
            return np.full((32, 32, 3), 50 * i, np.uint8), None

        def get_id(self, i):
            return f"item {i}"

        def get_target(self, i):
            return None

    found = predict(folder, wrap(Items(), Silent(), labelled=False))
    assert found.ids == ("item 0", "item 1", "item 3", "item 4")
    assert "item 2: not predicted: dataset error: OSError: gone" in caplog.text


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("image\nprobe_1.png\nprobe_2.png\n")
    return path


def test_missing_images_are_said_with_the_path_that_was_looked_for(folder, table, caplog):
    with pytest.raises(DataError, match=r"none of 2 readable\n    looked for .*") as error:
        predict(folder, open_inputs(table))
    assert error.value.slug == "data/nothing-to-predict"
    looked_for = f"looked for {table.parent / 'probe_1.png'}"
    assert error.value.hint == f"{looked_for}; --images DIR says where a table's images are"
    assert f"probe_1.png: not predicted: missing: {looked_for}" in caplog.text
    assert "audit" not in str(error.value) + "".join(record.message for record in caplog.records)


def test_what_cannot_be_predicted_is_said_once(folder, table, caplog):
    Image.new("RGB", (4, 4)).save(table.parent / "probe_1.png")
    assert predict(folder, open_inputs(table)).ids == ("probe_1.png",)
    assert len(caplog.records) == 1


def test_ten_broken_images_are_named_and_the_others_counted(folder, tmp_path, caplog):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    for number in range(13):
        (tmp_path / f"b{number:02}.png").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden").touch()
    assert predict(folder, open_inputs(tmp_path)).ids == ("a.png",)
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert said[0] == "left out: 1 not an image by its name; namely 'notes.txt'"
    assert said[1:11] == [f"b{i:02}.png: not predicted: empty: 0 bytes" for i in range(10)]
    assert said[11:] == ["3 more images were not predicted"]


def test_an_empty_data_set_has_nothing_to_predict(folder):
    with pytest.raises(DataError, match="1 image to predict, got an empty data set") as error:
        predict(folder, FilesSource([]))
    assert error.value.slug == "data/nothing-to-predict"


def test_models_that_do_not_fit_together_are_counted(folder, monkeypatch):
    def load_first(own, fold, stage):
        if fold == 1:
            msg = "CUDA out of memory"
            raise torch.OutOfMemoryError(msg)
        return load_model(own, fold, stage)

    monkeypatch.setattr(inference, "load_model", load_first)
    place = "expected memory for 3 models at a time, got enough for 1: CUDA out of memory"
    with pytest.raises(ResourceError, match=place) as error:
        load_models(folder, FOLDS)
    assert error.value.slug == "resource/models"


def test_models_of_different_classes_are_not_averaged(tmp_path):
    folder = RunFolder.of(tmp_path)
    save_model(folder, 0, 0)
    save_model(folder, 1, 0, heads=MORE)
    with pytest.raises(DataError, match="expected the same classes from every model") as error:
        load_models(folder, [(0, 0), (1, 0)])
    assert error.value.slug == "data/heads"
