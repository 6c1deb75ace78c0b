"""An experiment whose pixels stay on the device has the bytes of one whose pixels are sent."""

import pytest
import torch
from digests import result_digests
from runs import CONFIG, write_experiment

from fivefold.engine.resident import Resident
from fivefold.experiment import work_making
from fivefold.experiment.experiment import Experiment


def digests_of_run(folder):
    torch.set_num_threads(1)
    config = CONFIG + "augmentation: {Fliplr: 0.5}\ntestSplit: 0.2\n"
    Experiment.load(write_experiment(folder, config=config)).fit(jobs=1)
    return result_digests(folder)


@pytest.mark.slow
def test_bytes_are_the_same_with_frozen_and_trained_stages(tmp_path, monkeypatch):
    made = []

    def with_room(*given):
        made.append(Resident(*given, room=lambda: 1 << 40))
        return made[-1]

    slow = digests_of_run(tmp_path / "slow")
    monkeypatch.setattr(work_making, "Resident", with_room)
    assert digests_of_run(tmp_path / "fast") == slow
    assert made[0]._pixels is not None  # somebody has asked for them
    assert len(slow) > 8
