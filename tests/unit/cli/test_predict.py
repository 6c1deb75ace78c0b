import sys
import types
from typing import ClassVar

import numpy as np
import pytest

from fivefold.cli import app
from fivefold.config import parse
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head


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
