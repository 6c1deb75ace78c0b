"""The user's own functions over the data: preprocessing, pretrain_transform, dataset_augmenter."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG, write_experiment
from shapes import draw_folders

from fivefold import classification
from fivefold.cli import app
from fivefold.config import load
from fivefold.core.errors import DataError, FivefoldError, UnsafeInputError
from fivefold.data import ImageProblem
from fivefold.data.datasets import FolderClassificationDataSet
from fivefold.data.splits import Splits
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.finished import find_finished

FIXTURE = Path(__file__).parents[1] / "fixtures/musket/data_functions.yaml"

CODE = """\
from musket_core.datasets import PredictionItem, SubDataSet
from musket_core.preprocessing import dataset_preprocessor, dataset_transformer


@dataset_preprocessor
def darker(x, by=0.5):
    return (x * by).astype("uint8")


@dataset_preprocessor
def renamed(item: PredictionItem):
    return PredictionItem("own/" + item.id, item.x, item.y)


@dataset_transformer
def without_the_last(ds):
    return SubDataSet(ds, range(len(ds) - 1))


def bare(x):
    return None


def broken(ds):
    return ds.nothing


class Twice:
    def __init__(self, times):
        self.times = times

    def __call__(self, folds):
        for _ in range(self.times):
            folds.addToTrain(SubDataSet(folds.ds, range(3)))
        return folds


class Swap:
    def __call__(self, folds):
        folds.folds = folds.folds[::-1]
        return folds


class Forget:
    def __call__(self, folds):
        folds.folds = [(train[1:], val) for train, val in folds.folds]
        return folds
"""


def written(folder, keys, per_class=6):
    write_experiment(folder, config=CONFIG + "imports: [functions]\n" + keys, per_class=per_class)
    (folder / "functions.py").write_text(CODE)
    return folder


def opened(folder, keys, **options):
    return Experiment.load(written(folder, keys, **options), allow_imports=True)


def splits_of(run):
    return prepare(run.source(), run.config, run.folder, run.progress).splits


def test_a_musket_file_with_all_of_them_can_be_run():
    config = load(FIXTURE)
    assert config.not_yet() == []
    assert config.preprocessing == (("darkened", 0.5),)
    assert config.datasets_path == "data"


def test_images_go_through_preprocessing_by_name_or_chain(tmp_path):
    chain = "declarations: {chain: {parameters: [f], body: [darker: {by: f}, renamed]}}\n"
    for name, keys in {
        "plain": "",
        "named": "preprocessing: darker\n",
        "options": "preprocessing: [renamed, darker: {by: 0.25}]\n",
        "chain": chain + "preprocessing: {chain: 0.25}\n",
    }.items():
        (tmp_path / name).mkdir()
        written(tmp_path / name, keys)
    found = {
        path.name: Experiment.load(path, allow_imports=True).source() for path in tmp_path.iterdir()
    }
    plain = found["plain"].image(4)
    np.testing.assert_array_equal(found["named"].image(4), (plain * 0.5).astype("uint8"))
    np.testing.assert_array_equal(found["chain"].image(4), (plain * 0.25).astype("uint8"))
    np.testing.assert_array_equal(found["options"].image(4), found["chain"].image(4))
    assert found["chain"].sample_ids[4] == "own/" + found["plain"].sample_ids[4]
    assert found["named"].sample_ids == found["plain"].sample_ids
    assert found["chain"].labels == found["plain"].labels
    np.testing.assert_array_equal(found["chain"].target(4), found["plain"].target(4))


@pytest.mark.parametrize("keys", ["preprocessing: darker\n", "dataset_augmenter: {name: Swap}\n"])
def test_a_finished_run_is_not_read_again(tmp_path, keys, caplog):
    torch.set_num_threads(1)
    opened(tmp_path, keys).fit()
    caplog.clear()
    assert find_finished(tmp_path).completed
    assert caplog.records == []


def test_a_preview_shows_what_preprocessing_makes_of_images(tmp_path):
    pictures = []
    for name, keys in {"plain": "", "dark": "preprocessing: darker\n"}.items():
        (tmp_path / name).mkdir()
        written(tmp_path / name, keys)
        pictures.append(tmp_path / f"{name}.png")
        command = ["preview", str(tmp_path / name), "--allow-imports", "-o", str(pictures[-1])]
        assert app.run(command) == 0
    plain, dark = (np.asarray(Image.open(path).convert("L"), dtype=float) for path in pictures)
    assert plain.shape == dark.shape
    assert dark.mean() < plain.mean()


@pytest.mark.parametrize(
    ("keys", "slug", "text"),
    [
        (
            "preprocessing: darkr\n",
            "config/no-function",
            "preprocessing: expected a function of a module",
        ),
        (
            "preprocessing: bare\n",
            "data/not-a-dataset",
            "preprocessing: bare: expected a data set, got None",
        ),
        (
            "preprocessing: broken\n",
            "data/python-code",
            "preprocessing: broken: expected a data set, got AttributeError",
        ),
        (
            "declarations: {a: [b], b: [a]}\npreprocessing: a\n",
            "config/bad-value",
            "declarations: expected chains that end, got a -> b -> a",
        ),
        (
            "declarations: {a: {parameters: [k], body: [darker: k]}}\npreprocessing: a\n",
            "config/bad-declaration",
            r"declarations.a: expected to be called with \['k'\]",
        ),
        (
            "declarations: {a: {inputs: [k], body: [darker]}}\npreprocessing: a\n",
            "config/bad-declaration",
            "declarations.a: expected a list of functions, or `parameters` with such a list",
        ),
        (
            "dataset_augmenter: {name: Forget}\n",
            "data/given-folds",
            "dataset_augmenter: Forget: fold 0: expected to train on all samples that it does not",
        ),
        (
            "dataset_augmenter: {name: Twice}\n",
            "data/python-code",
            "dataset_augmenter: Twice: expected folds, got TypeError",
        ),
        (
            "dataset_augmenter: {name: bare, x: 1}\n",
            "data/python-code",
            "dataset_augmenter: bare: expected folds, got TypeError: 'NoneType'",
        ),
    ],
)
def test_what_cannot_work_is_told_by_its_name(tmp_path, keys, slug, text):
    run = opened(tmp_path, keys)
    with pytest.raises(FivefoldError, match=text) as error:
        run.source()
    assert slug in (error.value.slug, *(p.slug for p in getattr(error.value, "problems", ())))


def test_they_need_consent(tmp_path):
    with pytest.raises(UnsafeInputError, match="imports names code to run: functions"):
        Experiment.load(written(tmp_path, "pretrain_transform: without_the_last\n"))


def test_a_python_data_set_is_not_preprocessed_and_a_warning_says_so(tmp_path, caplog):
    run = opened(tmp_path, "preprocessing: darker\n")
    own = FolderClassificationDataSet(None, tmp_path / "shapes")
    np.testing.assert_array_equal(run.source(own).image(0), own[0].x)
    assert "preprocessing: has no effect on a data set that comes from Python" in caplog.text


def test_folds_are_made_of_what_pretrain_transform_gives(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "held").mkdir()
    plain = opened(tmp_path / "plain", "testSplit: 0.2\n")
    run = opened(tmp_path / "held", "testSplit: 0.2\npretrain_transform: without_the_last\n")
    before, now = splits_of(plain), splits_of(run)
    assert now.holdout_ids == before.holdout_ids
    left_out = set(before.fold_of) - set(now.fold_of)
    rest = sorted(set(before.fold_of) - set(before.holdout_ids))
    assert left_out == {rest[-1]}


def test_a_dataset_augmenter_adds_samples_to_train_on(tmp_path):
    torch.set_num_threads(1)
    run = opened(tmp_path, "dataset_augmenter: {name: Twice, times: 1}\n")
    (tmp_path / "more").mkdir()
    draw_folders(tmp_path / "more/shapes", 1, seed=5)
    more = FolderClassificationDataSet(None, tmp_path / "more/shapes")

    class Grow:
        def __init__(self, count):
            self.count = count

        def __call__(self, folds):
            folds.addToTrain(more)
            return folds

    before = splits_of(opened_plain(tmp_path / "plain"))
    classification.dataset_augmenters["Twice"] = lambda times: Grow(times)
    try:
        now = splits_of(run)
        run.fit(folds=[0])
    finally:
        del classification.dataset_augmenters["Twice"]
    assert now.val_ids(0) == before.val_ids(0)
    assert set(now.train_ids(0)) - set(before.train_ids(0)) == {
        f"added/{name}/000.png" for name in ("circle", "square", "triangle")
    }
    assert set(Splits.load(run.folder.folds_path).train_ids(1)) == set(now.train_ids(1))


def opened_plain(folder):
    folder.mkdir()
    return opened(folder, "")


def test_copies_that_an_augmenter_adds_would_be_leaks(tmp_path, caplog):
    run = opened(tmp_path, "dataset_augmenter: {name: twice, times: 2}\n")
    assert set(splits_of(run).fold_of.values()) == {0, 1}
    assert "6 further training samples are exact copies of others: left out" in caplog.text


def test_a_dataset_augmenter_may_change_the_folds(tmp_path):
    run = opened(tmp_path, "dataset_augmenter: {name: Swap}\ntestSplit: 0.2\n")
    before = splits_of(opened_with_holdout(tmp_path / "plain"))
    now = splits_of(run)
    assert now.val_ids(0) == before.val_ids(1)
    assert now.val_ids(1) == before.val_ids(0)
    assert now.holdout_ids == before.holdout_ids


def opened_with_holdout(folder):
    folder.mkdir()
    return opened(folder, "testSplit: 0.2\n")


def test_paths_of_data_start_at_datasets_path(tmp_path):
    run = Experiment.load(write_experiment(tmp_path, config=CONFIG + "datasets_path: input\n"))
    with pytest.raises(DataError, match="input/shapes"):
        run.source()
    (tmp_path / "input").mkdir()
    (tmp_path / "shapes").rename(tmp_path / "input/shapes")
    assert len(run.source()) == 24


def test_a_function_of_items_has_to_give_items(tmp_path):
    written(tmp_path, "preprocessing: lost\n")
    with (tmp_path / "functions.py").open("a") as file:
        file.write("\n\n@dataset_preprocessor\ndef lost(item):\n    return item.x\n")
    run = Experiment.load(tmp_path, allow_imports=True)
    with pytest.raises(ImageProblem, match="lost: expected a PredictionItem, got ndarray"):
        run.source().sample(0)
    with pytest.raises(DataError, match="18 refused by the data set's code"):
        splits_of(run)
