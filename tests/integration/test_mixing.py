"""Mixed batches: with a trained and with a frozen backbone, broken off and resumed."""

import logging

import pytest
import torch
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.core.durable import read_json
from fivefold.experiment.experiment import Experiment

MIXED = CONFIG + "augmentation: {Fliplr: 0.5, MixUp: {alpha: 1.0, prob: 0.5}, CutMix: {}}\n"
PLAIN = CONFIG + "augmentation: {Fliplr: 0.5}\n"


def files_of(folder):
    left_out = ("manifest.json", "audit.json", ".lock")
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in left_out
    }


def start(folder, config=MIXED, lines=None):
    folder.mkdir()
    torch.set_num_threads(1)
    write_experiment(folder, per_class=6, config=config)
    progress = {} if lines is None else {"progress": StopAfter(lines)}
    return Experiment.load(folder, **progress)


@pytest.mark.slow
def test_mixed_batches_are_resumed_to_the_same_bytes(tmp_path):
    start(tmp_path / "whole").fit()
    with pytest.raises(StopError, match="loss"):
        start(tmp_path / "broken", lines=3).fit()
    Experiment.load(tmp_path / "broken").fit()
    found, expected = files_of(tmp_path / "broken"), files_of(tmp_path / "whole")
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


def test_a_frozen_backbone_sees_what_is_mixed_and_the_run_says_so(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        start(tmp_path / "mixed").fit(folds=[0])
    said = "stage 0: the images of each batch are mixed, so the frozen backbone computes features"
    assert [line for line in caplog.messages if line.startswith(said)]
    manifest = read_json(tmp_path / "mixed" / "manifest.json")
    assert any(line.startswith(said) for line in manifest["warnings"])
    start(tmp_path / "plain", PLAIN).fit(folds=[0])
    first, other = (
        (tmp_path / name / "weights" / "best-0.0.safetensors").read_bytes()
        for name in ("mixed", "plain")
    )
    assert first != other
