"""Where a trained experiment's models look."""

import logging

import numpy as np
import pytest
import torch
from runs import CONFIG, fitted
from shapes import draw_folders

from fivefold import PredictionItem
from fivefold.apps.explain import explain_mistakes
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.predictions import Predictions
from fivefold.data.splits import Splits
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.explaining import Question
from fivefold.experiment.explanations import read_overlays, read_picture


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    fitted(folder)
    return Experiment.load(folder)


def of_all(trained):
    return {one.sample_id: one for one in trained.explain(trained.folder.root / "shapes")}


def test_every_image_has_a_map_of_its_own_size_for_what_is_answered(trained):
    found = of_all(trained)
    predictions = trained.predict(trained.folder.root / "shapes")
    assert set(found) == set(predictions.ids)
    for name, probs in zip(predictions.ids, predictions.probs, strict=True):
        (one,) = found[name].maps
        assert one.class_name == predictions.class_names[probs.argmax()]
        assert one.probability == pytest.approx(probs.max(), abs=1e-5)
        assert one.heat.shape == found[name].image.shape[:2]
        assert 0 <= one.heat.min() <= one.heat.max() <= 1
        assert one.is_true is None
        assert (found[name].folds, found[name].layer) == ((0, 1), "layers")


def test_an_array_is_an_image(trained):
    pixels = np.random.default_rng(0).integers(0, 255, (50, 90, 3), np.uint8)
    (one,) = trained.explain(pixels, Question(classes=("circle",)))
    assert one.heat.shape == (50, 90)
    (grey,) = trained.explain(pixels[..., 0], Question(method="layercam"), folds=[1])
    assert (grey.heat.shape, grey.folds) == ((50, 90), (1,))
    with pytest.raises(ConfigError, match=r"expected an image \[H, W\] or \[H, W, C\], got shape"):
        trained.explain(pixels[None])


def test_training_samples_are_looked_at_by_the_model_that_has_not_seen_them(trained):
    fold_of = Splits.load(trained.folder.folds_path).fold_of
    ids = sorted(fold_of)[::3]
    found = {one.sample_id: one for one in trained.explain_samples(ids)}
    assert set(found) == set(ids)
    oof = [Predictions.load(trained.folder.predictions("validation", f, 1)) for f in (0, 1)]
    known = {name: part.probs[i] for part in oof for i, name in enumerate(part.ids)}
    for name, one in found.items():
        assert one.folds == (fold_of[name],)
        assert one.maps[0].probability == pytest.approx(known[name].max(), abs=1e-5)
        right = name.startswith(one.maps[0].class_name)
        # what is true is shown too, where it was not answered
        assert [each.is_true for each in one.maps] == ([True] if right else [False, True])


def test_other_folds_than_the_one_that_has_not_seen_a_sample_are_told(trained, caplog):
    fold_of = Splits.load(trained.folder.folds_path).fold_of
    name = next(name for name, fold in fold_of.items() if fold == 0)
    with caplog.at_level(logging.WARNING):
        (one,) = trained.explain_samples([name], folds=[1])
    assert one.folds == (1,)
    assert f"look at 1 of the samples were trained on them, such as {name!r}" in caplog.text


def test_unknown_samples_are_told_with_the_closest(trained):
    name = sorted(Splits.load(trained.folder.folds_path).fold_of)[0]
    with pytest.raises(DataError, match=f"got {name[:-1]!r}\n    did you mean {name!r}") as caught:
        trained.explain_samples([name[:-1]])
    assert caught.value.slug == "data/unknown-id"


def test_several_classes_and_likely_ones_are_shown(trained):
    image = trained.folder.root / "shapes"
    names = trained.load_model().heads[0].class_names
    for one in trained.explain(image, Question(classes=names)):
        assert {each.class_name for each in one.maps} == set(names)
        probs = [each.probability for each in one.maps]
        assert probs == sorted(probs, reverse=True)
    for one in trained.explain(image, Question(at_least=0.4)):
        assert all(each.probability >= 0.4 for each in one.maps)
    assert all(not one.maps for one in trained.explain(image, Question(at_least=1.0)))


@pytest.mark.parametrize(
    ("question", "told", "slug"),
    [
        (Question(classes=("circl",)), r"class: .* got 'circl'\n    did you mean 'circle'", "c"),
        (
            Question(head="shape"),
            "head: expected none, since there is one output, got 'shape'",
            "h",
        ),
        (
            Question(method="cam"),
            "method: expected one of 'gradcam', 'layercam', 'rollout', got",
            "",
        ),
        (Question(layer="layer"), r"got 'layer'\n    such as 'layers'", "l"),
        (Question(method="rollout"), "got 'rollout', which needs attention", "r"),
        (Question(method="rollout", layer="layers"), "layer: expected none beside 'rollout'", "s"),
        (Question(classes=("circle",), at_least=0.1), "either names or a probability, got b", "s"),
        (Question(at_least=2.0), "at_least: expected from 0 to 1, got 2.0", ""),
    ],
)
def test_what_cannot_be_answered_is_told(trained, question, told, slug):
    slugs = {
        "c": "config/no-such-class",
        "h": "config/no-such-head",
        "l": "config/no-layer",
        "r": "config/no-rollout",
        "s": "cli/stray-option",
        "": "config/bad-value",
    }
    with pytest.raises(ConfigError, match=told) as caught:
        list(trained.explain(np.zeros((40, 40, 3), np.uint8), question))
    assert caught.value.slug == slugs[slug]


def test_mistakes_become_small_overlays(trained):
    count = explain_mistakes(trained)
    found = read_overlays(trained.folder)
    assert 0 < count <= 12
    assert len(found.samples) == count
    assert (found.method, found.layer, found.stage) == ("gradcam", "layers", 1)
    oof = [Predictions.load(trained.folder.predictions("validation", f, 1)) for f in (0, 1)]
    for name, one in found.samples.items():
        (part,) = (p for p in oof if name in p.ids)
        probs = part.probs[part.ids.index(name)]
        assert one.class_name == part.class_names[probs.argmax()]
        assert not name.startswith(one.class_name)
        assert one.probability == pytest.approx(probs.max(), abs=1e-5)
        assert one.fold == part.fold
        picture = read_picture(trained.folder, one)
        assert picture[:2] == b"\xff\xd8"
        assert len(picture) <= 30_000
    sure = [one.probability for one in found.samples.values()]
    assert sure == sorted(sure, reverse=True)
    again = [read_picture(trained.folder, one) for one in found.samples.values()]
    explain_mistakes(trained)
    assert [read_picture(trained.folder, one) for one in found.samples.values()] == again


CELLS = CONFIG.replace("[32, 32, 3]", "[64, 64, 1]\ncrops: 2").replace("batch: 16", "batch: 8")


def test_cells_of_grey_images_through_transforms_are_looked_at(tmp_path):
    torch.set_num_threads(1)
    draw_folders(tmp_path / "shapes", 6)
    (tmp_path / "config.yaml").write_text(CELLS + "transforms: {Fliplr: 1.0}\n")
    experiment = Experiment.load(tmp_path)
    experiment.fit()
    for one in experiment.explain_samples(3):
        assert one.heat.shape == one.image.shape[:2]
        assert one.heat.max() > 0


class Squares:
    """Light squares and dark squares, some of them called the other way round."""

    class_names = ("dark", "light")

    def __len__(self):
        return 24

    def __getitem__(self, i):
        pixels = np.full((20, 32, 4), 40 + 170 * (i % 2), np.uint8)
        pixels[0] = 10 * i  # no two are the same
        return PredictionItem(f"square-{i}", pixels, int(i % 2 == 0) if i % 6 == 0 else i % 2)


def test_data_sets_of_python_with_four_channels_are_explained(tmp_path):
    torch.set_num_threads(1)
    config = CONFIG.replace("dataset: {folder: shapes}", "").replace("32, 3]", "32, 4]")
    (tmp_path / "config.yaml").write_text(config)
    experiment = Experiment.load(tmp_path)
    experiment.fit(Squares())
    assert explain_mistakes(experiment) > 0
    (one,) = experiment.explain_samples(["square-6"])
    assert one.heat.shape == (20, 32)
    with pytest.raises(DataError, match="did you mean 'square-6'"):
        experiment.explain_samples(["square-06"])
    afresh = Experiment.load(tmp_path)
    (again,) = afresh.explain_samples(["square-6"], dataset=Squares())
    assert np.array_equal(one.heat, again.heat)
    assert len(list(afresh.explain(Squares()))) == 24
