"""A run in bfloat16: what was chosen once is kept to by resume, validation and prediction."""

import numpy as np
import pytest
import torch
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.core.durable import read_json
from fivefold.core.predictions import Predictions
from fivefold.core.sealed import write_sealed
from fivefold.engine import device
from fivefold.experiment.experiment import Experiment

FAST = CONFIG + "profile: fast\naugmentation: {Fliplr: 0.5}\n"


@pytest.fixture
def start(tmp_path, cache_folder):
    """Write an experiment for which the probe is remembered to have found bfloat16."""

    def write(name):
        folder = tmp_path / name
        folder.mkdir()
        write_experiment(folder, per_class=6, config=FAST)
        Experiment.load(folder).check()
        for path in cache_folder.glob("probes/choices-*.json"):
            record = read_json(path)
            record["choices"] |= {"precision": "bfloat16", "layout": "contiguous", "threads": 1}
            write_sealed(path, {k: record[k] for k in ("about", "choices")}, version=1)
        return folder

    return write


def files_of(folder):
    left_out = ("manifest.json", "audit.json", ".lock")
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in left_out
    }


def test_a_run_in_bfloat16_is_resumed_to_the_same_bytes(start, cache_folder):
    whole, broken = start("whole"), start("broken")
    before = torch.get_num_threads()
    Experiment.load(whole).fit(jobs=1, reuse=False)
    with pytest.raises(StopError, match="loss"):
        Experiment.load(broken, progress=StopAfter(3)).fit(jobs=1, reuse=False)
    for path in cache_folder.rglob("choices-*.json"):
        path.unlink()  # the manifest alone decides
    Experiment.load(broken).fit(jobs=1, reuse=False)
    found, expected = files_of(broken), files_of(whole)
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    assert read_json(broken / "manifest.json")["choices"]["precision"] == "bfloat16"
    assert torch.get_num_threads() == before


def test_a_run_in_bfloat16_goes_on_in_float32_where_there_is_no_other_and_says_so(
    start, monkeypatch
):
    folder = start("run")
    with pytest.raises(StopError, match="loss"):
        Experiment.load(folder, progress=StopAfter(3)).fit(jobs=1, reuse=False)
    monkeypatch.setattr(device, "precisions", lambda: ("float32",))
    experiment = Experiment.load(folder)
    experiment.fit(jobs=1, reuse=False)
    manifest = read_json(folder / "manifest.json")
    assert manifest["choices"]["precision"] == "bfloat16"
    assert manifest["also_computed_in"] == ["float32, contiguous, 1 thread"]
    told = [text for text in manifest["warnings"] if "cannot compute in bfloat16" in text]
    assert len(told) == 1
    assert experiment.load_model().choices.precision == "float32"


def test_a_run_in_bfloat16_has_finite_numbers_and_predicts_as_it_validated(start):
    folder = start("run")
    experiment = Experiment.load(folder)
    experiment.fit(jobs=1, reuse=False)
    assert experiment.load_model().choices.precision == "bfloat16"
    for fold in (0, 1):
        validated = Predictions.load(folder / "predictions" / f"validation-{fold}.1.npz")
        predicted = experiment.predict(folder / "shapes", folds=[fold])
        places = [predicted.ids.index(sample_id) for sample_id in validated.ids]
        assert np.isfinite(validated.probs).all()
        # Batches differ, and with them the last of bfloat16's 8 bits.
        assert np.abs(predicted.probs[places] - validated.probs).max() < 0.01


def test_exact_runs_measure_nothing(tmp_path, cache_folder):
    write_experiment(tmp_path, per_class=6)
    experiment = Experiment.load(tmp_path)
    experiment.fit(folds=[0])
    assert not (cache_folder / "probes").exists()
    assert read_json(tmp_path / "manifest.json")["choices"]["measured"] == {}
    assert experiment.load_model().choices.precision == "float32"
