"""Files with opacities are images of four channels where the network sees four."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG

from fivefold.core.errors import DataError
from fivefold.data import FolderSource
from fivefold.experiment.experiment import Experiment

FOUR = CONFIG.replace("shape: [32, 32, 3]", "shape: [32, 32, 4]").replace("epochs: 2", "epochs: 4")


@pytest.fixture
def faded(tmp_path):
    """Noise of two kinds that differ in nothing but their opacity."""
    rng = np.random.default_rng(0)
    for kind, alpha in (("dense", 255), ("faint", 20)):
        (tmp_path / "shapes" / kind).mkdir(parents=True)
        for k in range(12):
            pixels = rng.integers(0, 256, (32, 32, 4), dtype=np.uint8)
            pixels[..., 3] = alpha
            Image.fromarray(pixels).save(tmp_path / "shapes" / kind / f"{k}.png")
    (tmp_path / "config.yaml").write_text(FOUR)
    return tmp_path


def test_a_source_gives_opacities_or_lays_them_on_white(faded):
    source = FolderSource(faded / "shapes")
    assert source.image(0).shape == (32, 32, 3)
    source.show_alpha(True)
    four = source.image(0)
    assert four.shape == (32, 32, 4)
    assert np.array_equal(source.fetch(0).decode(None).image, four)
    with Image.open(faded / "shapes/dense/0.png") as image:
        assert np.array_equal(four, np.asarray(image))


@pytest.mark.slow
def test_opacities_of_files_are_learned_and_predicted(faded):
    torch.set_num_threads(1)
    experiment = Experiment.load(faded)
    experiment.fit(jobs=1)
    found = experiment.predict(faded / "shapes" / "faint", folds=[0])
    assert (found.probs.argmax(1) == 1).mean() > 0.9
    with (faded / "predictions" / "oof.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 24


def test_an_image_without_opacity_is_named_with_what_is_missing(faded):
    Image.new("RGB", (8, 8)).save(faded / "shapes/faint/plain.png")
    message = r"expected an image with 4 channels, got 3\n.*a fourth channel where they have alpha"
    with pytest.raises(DataError, match=message) as error:
        Experiment.load(faded).fit(jobs=1)
    assert error.value.slug == "data/channels"
