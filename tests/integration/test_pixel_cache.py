"""A run reads the same pixels with the cache and without it."""

import shutil

import pytest
from runs import CONFIG, write_experiment

from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

# Smaller than the drawings, so that pixels are resized too.
SMALL = CONFIG.replace("[32, 32, 3]", "[24, 28, 3]")


def results(folder):
    """Train without taking anything over; give the bytes of weights and predictions."""
    Experiment.load(folder).fit(jobs=1, reuse=False)
    paths = [*folder.glob("weights/*.safetensors"), *folder.glob("predictions/*.npz")]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def test_training_gives_the_same_bytes_with_a_cold_and_a_warm_cache_and_none(
    tmp_path, cache_folder, monkeypatch
):
    """Tolerance: 0 bits."""
    found = []
    for number, cache in enumerate(["true", "true", "false"]):
        folder = tmp_path / f"run-{number}"
        write_experiment(folder, per_class=6, config=f"{SMALL}cache: {cache}\n")
        shutil.rmtree(cache_folder / "features", ignore_errors=True)
        if number == 1:
            monkeypatch.setattr("fivefold.data.files.decode_sized", None)
            monkeypatch.setattr("fivefold.data.files.read_image", None)
        found.append(results(folder))
        monkeypatch.undo()
        monkeypatch.setenv("FIVEFOLD_CACHE", str(cache_folder))
    assert len(found[0]) > 4
    assert found[0] == found[1] == found[2]
    assert len(list(cache_folder.rglob("pixels/*/*.index"))) == 1


def test_a_check_fills_the_cache_and_leaves_the_folder_alone(tmp_path, cache_folder):
    folder = write_experiment(tmp_path / "run", per_class=6, config=SMALL)
    before = sorted(folder.rglob("*"))
    Experiment.load(folder).check()
    assert sorted(folder.rglob("*")) == before
    assert list(cache_folder.rglob("pixels/*/*.index"))


def test_a_cache_that_cannot_be_used_stops_nothing(tmp_path, cache_folder, caplog):
    cache_folder.write_text("a file, not a folder")
    folder = write_experiment(tmp_path / "run", per_class=6, config=SMALL)
    assert results(folder)
    assert caplog.text.count("not all decoded images are kept on the disk") == 1
    assert f"FIVEFOLD_CACHE: expected a folder or 'off', got '{cache_folder}'" in caplog.text
