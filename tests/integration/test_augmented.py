"""Configs with Musket's augmenters train, and go on after a stop to the same bytes."""

from pathlib import Path

import pytest
import torch
from runs import StopAfter, StopError
from shapes import draw_folders

from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parents[1] / "fixtures" / "musket"
SETTINGS = ["architecture=tiny", "weights=none", "folds_count=2", "dataset={folder: shapes}"]


def experiment(folder, name, **options):
    torch.set_num_threads(1)
    folder.mkdir()
    draw_folders(folder / "shapes", 6)
    (folder / "config.yaml").write_text((FIXTURES / f"{name}.yaml").read_text())
    return Experiment.load(folder, SETTINGS, **options)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for kind in ("weights", "metrics", "predictions")
        for path in (folder / kind).rglob("*.*")
        if path.suffix != ".json"
    }


@pytest.mark.parametrize("name", ["geometry", "sizes", "nested", "transforms", "policies"])
def test_musket_files_with_augmenters_train(tmp_path, name):
    trained = experiment(tmp_path / "run", name)
    trained.fit()
    found = trained.predict(tmp_path / "run" / "shapes")
    assert len(found.ids) == 18


def test_a_stop_changes_no_byte(tmp_path):
    whole = experiment(tmp_path / "whole", "policies")
    whole.fit()
    with pytest.raises(StopError, match="loss"):
        experiment(tmp_path / "broken", "policies", progress=StopAfter(1)).fit()
    Experiment.load(tmp_path / "broken", SETTINGS).fit()
    assert files_of(tmp_path / "whole") == files_of(tmp_path / "broken") != {}
