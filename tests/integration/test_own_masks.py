"""Networks of one's own that make masks: trained, broken off, loaded and predicted with."""

import re
import textwrap

import numpy as np
import pytest
import torch
from mask_runs import CONFIG, assert_same, files_of, write_masks
from own_modules import catalogs_as_before
from runs import StopAfter, StopError

from fivefold import classification, segmentation
from fivefold.core.errors import ConfigError, UnsafeInputError
from fivefold.core.maps import HALF, Maps
from fivefold.core.progress import Silent
from fivefold.core.segmenters import own_segmenters
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.experiment.experiment import Experiment

torch.set_num_threads(1)

NET = """\
import torch
from torch import nn
from fivefold import mask_architecture

@mask_architecture()
class Mine(nn.Module):
    def __init__(self, in_channels, classes, *, width: int = 4):
        super().__init__()
        self.down = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.up = nn.ConvTranspose2d(width, width, 2, stride=2)
        self.last = nn.Conv2d(width + in_channels, classes, 3, padding=1)

    def forward(self, images):
        found = self.up(self.norm(self.down(images)).relu())
        return {answer}
"""
ANSWER = "self.last(torch.cat((found, images), dim=1))"
OWN = CONFIG[CONFIG.index("shape:") : CONFIG.index("stages:")] + textwrap.dedent("""\
    architecture: mine
    weights: none
    decoder: {width: 6}
    imports: [own]
    thresholds: dice
    stages:
      - {epochs: 2}
      - {epochs: 2, layers_to_train: 1}
    dataset: {images: train, masks: train_mask}
""")


@pytest.fixture(autouse=True)
def _as_before():
    with catalogs_as_before():
        yield


def written(folder, answer=ANSWER, config=OWN):
    folder.mkdir(exist_ok=True)
    write_masks(folder, count=12, config=config)
    (folder / "own.py").write_text(NET.replace("{answer}", answer))
    return folder


def opened(folder, progress=None):
    return Experiment.load(folder, allow_imports=True, progress=progress or Silent())


@pytest.mark.slow
def test_a_network_of_ones_own_trains_resumes_and_predicts_masks(tmp_path):
    run = opened(written(tmp_path / "whole"))
    run.fit(jobs=1)
    with pytest.raises(StopError, match="loss"):
        opened(written(tmp_path / "broken"), StopAfter(3)).fit(jobs=1)
    again = opened(tmp_path / "broken")
    again.fit(jobs=1)
    assert_same(files_of(again.folder.root), files_of(run.folder.root))

    bundle = load_bundle(run.folder.bundle(0, 1))
    assert (bundle.spec.architecture, dict(bundle.spec.decoder)) == ("mine", {"width": 6})
    model, before = load_model(run.folder, 0, 1), load_model(run.folder, 0, 0)
    assert model.backbone.net.down.out_channels == 6
    assert torch.equal(model.backbone.net.down.weight, before.backbone.net.down.weight)
    assert not torch.equal(model.backbone.net.last.weight, before.backbone.net.last.weight)

    maps = Maps(run.folder.maps("validation", 0, 1))
    pixels = [(maps.read(i) > HALF, maps.truth(i) == 1) for i in maps.ids]
    right = np.mean([said == true for said, true in pixels])
    ground = 1 - np.mean([true for _, true in pixels])
    assert right > ground, "it has learned more than to say that nothing is anywhere"

    masks = run.predict_masks(run.folder.root / "train")
    assert {one.mask.shape for one in masks} == {(40, 40, 1)}
    with pytest.raises(UnsafeInputError, match="names code to run: own") as error:
        Experiment.load(run.folder.root, progress=Silent())
    assert "--allow-imports" in error.value.hint


@pytest.mark.slow
def test_a_saved_network_whose_code_is_not_loaded_is_unknown_as_a_classifiers_is(tmp_path):
    run = opened(written(tmp_path))
    run.fit(folds=[0], jobs=1)
    with catalogs_as_before():
        own_segmenters._by_name, own_segmenters._by_key = {}, {}
        with pytest.raises(ConfigError, match="expected the name of a known backbone, got 'mine'"):
            load_model(run.folder, 0, 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("self.last(torch.cat((found, images), dim=1))[:, :, ::2]",
         "expected logits of shape (2, 1, 32, 32), got Tensor of shape (2, 1, 16, 32)"),
        ("self.last(torch.cat((found, images), dim=1)) > 0",
         "expected logits of a floating-point type, got Tensor of shape (2, 1, 32, 32)"),
        ("self.last(torch.cat((found, images[:, :, 1:]), dim=1))",
         "expected this code to run, got RuntimeError"),
    ],
)  # fmt: skip
def test_a_check_tells_the_line_of_what_gives_no_logits(tmp_path, answer, message):
    run = opened(written(tmp_path, answer))
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        run.check()
    (problem,) = error.value.problems
    assert problem.where.startswith(str(tmp_path / "own.py:"))


def test_a_classifier_for_masks_names_the_way_to_what_makes_them(tmp_path):
    config = OWN.replace("architecture: mine", "architecture: Unet\nbackbone: net")
    folder = written(tmp_path, config=config)
    code = "import fivefold\nfivefold.architecture(name='net')(lambda in_channels: None)\n"
    (folder / "own.py").write_text(code)
    with pytest.raises(ConfigError, match="backbone: expected a net of timm, got 'net'") as error:
        opened(folder)
    problem = next(p for p in error.value.problems if p.slug == "config/backbone-maps")
    assert "see `fivefold.mask_architecture`" in problem.hint


def test_the_dictionary_of_musket_goes_before_its_parse(tmp_path):
    folder = written(tmp_path, config=OWN.replace("imports: [own]\n", ""))
    code: dict[str, object] = {}
    exec((folder / "own.py").read_text().replace("@mask_architecture()", ""), code)
    with pytest.raises(ConfigError, match="expected the name of a known backbone, got 'mine'"):
        segmentation.parse(folder, progress=Silent())
    segmentation.custom_models["Mine"] = code["Mine"]
    assert segmentation.parse(folder, progress=Silent()).experiment.config.makes_masks
    assert "Mine" not in classification.custom_models
