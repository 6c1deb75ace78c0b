"""`fivefold explain`."""

import json
import logging
import shutil

import pytest
from runs import fitted

from fivefold.cli.app import run
from fivefold.cli.explain import explain_for_report
from fivefold.experiment.explanations import read_overlays


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return fitted(folder)


@pytest.fixture
def folder(experiment):
    return experiment.folder.root


def explain(*arguments):
    return run(["explain", *map(str, arguments)])


def test_a_folder_of_images_is_explained(folder, tmp_path, capfd):
    output = tmp_path / "looked"
    assert explain(folder, folder / "shapes", "-o", output, "--class", "circle") == 0
    count = len(list((folder / "shapes").rglob("*.png")))
    assert len(list(output.glob("*.png"))) == count
    assert len((output / "explanations.csv").read_text().splitlines()) == count + 1
    told = capfd.readouterr()
    assert f"{count} pictures, of layer layers" in told.err
    assert "circle" in told.out


def test_mistakes_and_samples_are_explained_as_json(folder, tmp_path, capfd):
    assert explain(folder, "--mistakes", 2, "-o", tmp_path / "m", "--json") == 0
    rows = json.loads(capfd.readouterr().out)
    assert len({row["id"] for row in rows}) == 2
    assert {row["true"] for row in rows} == {"yes", "no"}
    name = rows[0]["id"]
    assert explain(folder, "--sample", name, "-o", tmp_path / "s", "--json") == 0
    again = json.loads(capfd.readouterr().out)
    assert again == [row for row in rows if row["id"] == name]


def test_whether_probabilities_are_raw_or_scaled_is_told(folder, tmp_path, capfd):
    raw = "probabilities: raw, as models say them"
    image = next((folder / "shapes").rglob("*.png"))
    assert explain(folder, image, "-o", tmp_path / "raw") == 0
    assert raw in capfd.readouterr().err
    config = folder / "config.yaml"
    before = config.read_text()
    try:
        config.write_text(f"{before}calibration: temperature\n")
        assert explain(folder, image, "-o", tmp_path / "scaled") == 0
        told = capfd.readouterr().err
        assert "probabilities: scaled, as `fivefold predict` gives them" in told
        assert explain(folder, "--mistakes", 1, "-o", tmp_path / "m") == 0
        assert raw in capfd.readouterr().err
    finally:
        config.write_text(before)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "expected either INPUTs, --mistakes or --sample, got nothing"),
        (("x.png", "--mistakes", "3"), 2, "--mistakes or --sample, got several"),
        (("--mistakes", "3", "--images", "x"), 2, "expected no such option without a table"),
        (("missing.png",), 3, "missing.png: expected an image or a folder of images"),
        (("--sample", "nope"), 3, "expected the id of a sample of this experiment, got 'nope'"),
        (("--mistakes", "1", "--class", "circl"), 2, "did you mean 'circle'?"),
        (("--mistakes", "1", "--layer", "layrs"), 2, "such as 'layers'"),
        (("--mistakes", "1", "--method", "rollout"), 2, "'gradcam' and 'layercam' are there"),
        (("--mistakes", "1", "--head", "x"), 2, "head: expected none, since there is one output"),
        (("--mistakes", "1", "--folds", "7"), 2, "folds: expected numbers from 0 to 1, got [7]"),
    ],
)
def test_what_is_wrong_is_told(folder, tmp_path, capfd, arguments, code, told):
    output = tmp_path / "looked"
    assert explain(folder, *arguments, "-o", output) == code
    assert told in " ".join(capfd.readouterr().err.split())
    assert not output.exists()


def test_nothing_is_replaced(folder, tmp_path, capfd):
    (tmp_path / "mine.txt").write_text("x")
    assert explain(folder, "--mistakes", 1, "-o", tmp_path) == 2
    assert "expected a new folder, got one with something in it" in capfd.readouterr().err
    assert explain(folder, folder / "shapes", "-o", folder / "shapes" / "looked") == 2
    assert "expected a folder apart from the images" in capfd.readouterr().err


def test_an_end_of_a_fit_draws_mistakes_for_the_report(experiment, capfd):
    shutil.rmtree(experiment.folder.explanations_path.parent, ignore_errors=True)
    explain_for_report(experiment)
    count = len(read_overlays(experiment.folder).samples)
    assert f"where models looked in {count} mistakes, drawn in" in capfd.readouterr().err


def test_what_cannot_be_drawn_for_the_report_is_a_warning(experiment, caplog, monkeypatch):
    monkeypatch.setattr(experiment.folder.__class__, "folds_path", experiment.folder.root / "no")
    monkeypatch.setattr(logging.getLogger("fivefold"), "propagate", True)
    explain_for_report(experiment)
    assert "the report shows no overlays: " in caplog.text


def test_a_report_draws_mistakes_again_when_asked(experiment, folder, capfd):
    place = experiment.folder.explanations_path.parent
    shutil.rmtree(place, ignore_errors=True)
    assert run(["report", str(folder)]) == 0
    assert not place.exists()
    assert run(["report", str(folder), "--explain"]) == 0
    assert read_overlays(experiment.folder).samples
    assert "where models looked in" in capfd.readouterr().err
