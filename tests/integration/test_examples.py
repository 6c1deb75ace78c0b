"""Every example runs as its README says, from a copy, and does what it is there to show."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import ruamel.yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
DRAWN = (".csv", ".jpg", ".png")
FIVEFOLD = ("-c", "from fivefold.cli.app import main; main()")


def run(folder, *arguments):
    """Run Python in a folder as a user would, on one core, and return what it says."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "FIVEFOLD_CACHE": "off"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path):
    def make(name):
        drawn = ("train", "train_mask", "images_to_segment", "test", "cloth")
        kept = shutil.ignore_patterns("__pycache__", *drawn, "data", "weights")
        return Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=kept))

    return make


def summary(folder):
    return ruamel.yaml.YAML(typ="safe").load(folder / "summary.yaml")


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_every_example_has_a_short_readme_and_is_named_by_the_readme_and_the_docs():
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in NAMES:
        lines = (EXAMPLES / name / "README.md").read_text("utf-8").splitlines()
        assert len(lines) <= 20
        assert f"examples/{name}" in readme
    assert NAMES == ["custom_parts", "plant_seedlings", "protein_atlas", "segmentation"]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_pictures_are_drawn_each_time(copy, tmp_path, name):
    drawn = []
    for _ in range(2):
        folder = copy(name)
        run(folder, "draw.py")
        files = sorted(path for path in folder.rglob("*") if path.suffix in DRAWN)
        assert len(files) > 50
        drawn.append([(path.relative_to(folder), path.read_bytes()) for path in files])
        shutil.rmtree(folder)
    assert drawn[0] == drawn[1]


@pytest.mark.slow
def test_seedlings_are_learned_by_muskets_program_and_labelled_by_all_folds(copy):
    folder = copy("plant_seedlings")
    run(folder, "draw.py")
    run(folder, "train.py")
    found = summary(folder)
    assert found["oof"]["accuracy"] > 0.6  # by chance 0.08
    first, *labelled = rows(folder / "submission.csv")
    assert first == ["file", "species"]
    assert [name for name, _ in labelled] == sorted(p.name for p in (folder / "test").iterdir())
    assert len({species for _, species in labelled}) > 5
    run(folder, *FIVEFOLD, "report", ".")
    page = (folder / "report.html").read_text("utf-8")
    assert "Small-flowered Cranesbill" in page
    before = (folder / "weights" / "best-0.1.safetensors").stat().st_mtime_ns
    said = run(folder, *FIVEFOLD, "fit", ".", "--allow-imports")
    assert "epoch 1 of" not in said, "the config names the very data that the program gives"
    assert (folder / "weights" / "best-0.1.safetensors").stat().st_mtime_ns == before


@pytest.mark.slow
def test_places_of_proteins_are_learned_from_four_channels(copy):
    folder = copy("protein_atlas")
    run(folder, "draw.py")
    said = run(folder, "train.py")
    found = summary(folder)
    assert found["oof"]["binary_accuracy"] > 0.85
    assert found["oof"]["macro_f1"] > 0.6
    assert "fold 2: right answers: Nucleoplasm " in said
    assert "the best threshold for macro_f1 is 0." in said
    header, first, *_ = rows(folder / "predictions" / "oof.csv")
    assert {"Nucleoli", "Cytosol"} <= {name.rpartition("_")[2] for name in header}, header
    assert first[0].startswith("train/")
    run(folder, *FIVEFOLD, "report", ".")
    assert "How well each label is found" in (folder / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_custom_parts_are_checked_and_trained_from_the_command_line(copy):
    folder = copy("custom_parts")
    run(folder, "draw.py")
    run(folder, *FIVEFOLD, "check", ".", "--allow-imports")
    run(folder, *FIVEFOLD, "fit", ".", "--allow-imports")
    found = summary(folder)
    assert found["oof"]["accuracy"] > 0.85
    assert 0 <= found["oof"]["torn_found"] <= 1
    assert (folder / "report.html").exists()


@pytest.mark.slow
def test_ships_are_found_by_muskets_three_programs(copy):
    folder = copy("segmentation")
    run(folder, "draw.py")
    run(folder, "train.py")
    assert summary(folder)["oof"]["iou"] > 0.8
    run(folder, "predict.py")
    first, *found = rows(folder / "baseline_submission.csv")
    assert first == ["image", "rle_mask"]
    assert [name for name, _ in found] == [f"{number:03}" for number in range(8)]
    empty = [number for number, (_, text) in enumerate(found) if not text]
    assert empty == [0, 4], "pictures of the sea alone"
    said = run(folder, "evaluate.py")
    assert float(said.split("f2 ")[1].split()[0]) > 0.8
    run(folder, *FIVEFOLD, "report", ".")
    assert (folder / "report.html").exists()
