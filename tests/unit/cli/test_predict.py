import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from mask_nets import BRIGHT, ensemble_of
from PIL import Image

from fivefold.cli import app
from fivefold.config import parse
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.core.types import Head
from fivefold.engine.tiles import overlap_of
from fivefold.experiment.datasets import open_inputs
from fivefold.experiment.mask_rules import USUAL_RULE, given_rule
from fivefold.experiment.predicted_masks import PredictedMasks


class FakeExperiment:
    """Answers as `Experiment` does, without a model."""

    asked: ClassVar[list] = []
    config = parse("lr: 1")

    @classmethod
    def load(cls, path, overrides=(), *, allow_imports, progress):
        return cls()

    def predict(self, inputs, *, folds, stage, tta, raw):
        self.asked.append(inputs)
        head = Head("", "softmax", ("cat", "dog"))
        probs = np.asarray([[0.25, 0.75]] * 2, np.float32)
        return Predictions(("=1+1.png", "\udcff.png"), probs, (head,))


TABLE = (
    b"id,label,confidence,cat,dog\n"
    b"=1+1.png,dog,0.750000,0.250000,0.750000\n"
    b"\xff.png,dog,0.750000,0.250000,0.750000\n"
)


@pytest.fixture
def _fake(monkeypatch):
    module = types.ModuleType("fivefold.experiment.opening")
    module.open_experiment = FakeExperiment.load
    monkeypatch.setattr(FakeExperiment, "asked", [])
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("_fake")
def test_ids_keep_their_bytes_in_the_file(capsys, tmp_path):
    output = tmp_path / "out.csv"
    assert app.run(["predict", "x", "a", "b", "-o", str(output)]) == 0
    assert output.read_bytes() == TABLE
    assert capsys.readouterr() == ("", f"{output}: 2 predictions\n")


@pytest.mark.usefixtures("_fake")
def test_dash_is_standard_output(capfdbinary):
    assert app.run(["predict", "x", "a", "-o", "-"]) == 0
    assert capfdbinary.readouterr() == (TABLE, b"")


@pytest.mark.usefixtures("_fake")
def test_images_of_a_table_may_be_elsewhere(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.png").touch()
    (tmp_path / "list.csv").write_text("image\nb.png\n")
    images = ["--images", str(tmp_path / "images"), "-o", str(tmp_path / "out.csv"), "-f"]
    assert app.run(["predict", "x", str(tmp_path / "list.csv"), *images]) == 0
    (source,) = FakeExperiment.asked
    assert source.path(0) == str(tmp_path / "images" / "b.png")
    capsys.readouterr()
    assert app.run(["predict", "x", str(tmp_path), *images]) == 3
    assert "expected a table beside --images, got no table" in capsys.readouterr().err


@pytest.mark.parametrize("coverage", ["0", "1", "1.5", "-0.1", "nan"])
def test_impossible_coverage_is_refused_before_anything_is_loaded(coverage, capsys):
    assert app.run(["predict", "x", "a", "--sets", coverage]) == 2
    assert "expected a number between 0 and 1, such as 0.9" in capsys.readouterr().err


class FakeOfMasks(FakeExperiment):
    """Answers as an experiment on masks does, by a net that sees single pixels."""

    config = parse(
        "architecture: Unet\nbackbone: ResNet18\nlr: 1\ndataset: {images: photos, masks: truth}"
    )

    @classmethod
    def load(cls, path, overrides=(), *, allow_imports, progress):
        return cls()

    def predict_masks(self, source, *, folds, stage, tta, raw, tiles, threshold, smallest_area):
        self.asked.append((folds, stage, tta, raw, tiles, threshold, smallest_area))
        ensemble = ensemble_of(tiles=overlap_of(tiles))
        rule = given_rule(USUAL_RULE, BRIGHT, threshold, smallest_area)
        source = open_inputs(source) if isinstance(source, Path) else source
        return PredictedMasks(ensemble, source, rule, Silent())


@pytest.fixture
def _masks(monkeypatch, tmp_path):
    module = types.ModuleType("fivefold.experiment.opening")
    module.open_experiment = FakeOfMasks.load
    monkeypatch.setattr(FakeExperiment, "asked", [])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    Path("truth").mkdir()
    for name, value in (("a.png", 200), ("b.png", 10)):
        Image.fromarray(np.full((20, 30, 3), value, np.uint8)).save(f"scans/{name}")


@pytest.mark.usefixtures("_masks")
def test_masks_are_written_into_a_folder(capsys):
    assert app.run(["predict", "x", "scans", "-o", "out"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "masks: what is more probable than 0.5\n" in told.err
    assert told.err.endswith("out: 2 masks, 1 of them empty\n")
    assert FakeOfMasks.asked == [(None, -1, False, False, False, None, None)]
    files = sorted(p.as_posix() for p in Path("out").rglob("*.*"))
    assert files == ["out/masks.csv", "out/masks/a.png", "out/masks/b.png"]


@pytest.mark.usefixtures("_masks")
@pytest.mark.parametrize(("name", "told"), [("a", "1 mask"), ("b", "1 mask, empty")])
def test_one_mask_is_told_as_one_with_the_size_of_its_tiles(capsys, name, told):
    assert app.run(["predict", "x", f"scans/{name}.png", "-o", "out", "--tiles"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "tiles: 32 x 32 pixels each" in lines
    assert lines[-1] == f"out: {told}"


@pytest.mark.usefixtures("_masks")
def test_options_of_masks_reach_the_experiment():
    options = "--tiles --overlap 0.5 --threshold 0.9 --smallest-area 30 --maps npy --overlays"
    rest = "--folds 0,2 --stage 1 --tta --raw"
    assert app.run(["predict", "x", "scans", "-o", "out", *options.split(), *rest.split()]) == 0
    assert FakeOfMasks.asked == [([0, 2], 1, True, True, 0.5, 0.9, 30)]
    assert Path("out/maps/a.npy").exists()
    assert Path("out/overlays/b.png").exists()
    assert app.run(["predict", "x", "scans", "-o", "more", "--tiles"]) == 0
    assert FakeOfMasks.asked[1][4] is True


@pytest.mark.usefixtures("_masks")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "--output: expected a folder for masks, got none"),
        ("-o scans", "scans: expected a new folder, got one with something in it"),
        ("-o scans/out", "expected a folder apart from the images"),
        ("-o truth/out", "expected a folder apart from the images, got one inside 'truth'"),
        ("-o out --force", "--force: expected no such option for an experiment that makes masks"),
        ("-o out --sets 0.9", "--sets: expected no such option for an experiment that makes masks"),
        ("-o out --maps jpg", "--maps: expected npy or png, got 'jpg'"),
        ("-o out --overlap 0.3", "--overlap: expected no overlap without --tiles"),
        ("-o out --tiles --overlap 0.7", "tiles: expected an overlap from 0 to 0.5"),
        ("-o out --threshold 2", "threshold: expected from 0 to 1, got 2.0"),
        ("-o out --max-pixels 0", "max_pixels: expected from 1 to 178,956,970, got 0"),
    ],
)
def test_what_means_nothing_for_masks_is_refused(capsys, options, words):
    """`cli/no-output` is the first."""
    assert app.run(["predict", "x", "scans", *options.split()]) == 2
    assert words in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.usefixtures("_masks")
def test_an_image_beyond_the_limit_is_told_and_read_when_that_is_raised(capsys):
    assert app.run(["predict", "x", "scans", "-o", "out", "--max-pixels", "599"]) == 3
    assert "30 x 20 pixels, at most 599 are decoded" in capsys.readouterr().err
    assert app.run(["predict", "x", "scans", "-o", "again", "--max-pixels", "600"]) == 0


@pytest.mark.usefixtures("_fake")
@pytest.mark.parametrize(
    "option", ["--tiles", "--threshold 0.5", "--smallest-area 3", "--maps npy", "--overlays"]
)
def test_options_of_masks_are_refused_where_images_are_labelled(capsys, option):
    assert app.run(["predict", "x", "a", *option.split()]) == 2
    told = capsys.readouterr().err
    assert f"{option.split()[0]}: expected an experiment that makes masks, got one that" in told
