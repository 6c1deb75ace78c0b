import gc

import pytest

from fivefold.core.errors import ConfigError
from fivefold.core.progress import Silent
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.opening import open_experiment

GOOD = "architecture: ResNet18\nstages: [{epochs: 1}]\nflipPred: 1\n"


def write(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    return tmp_path


def test_an_experiment_is_opened_as_it_opens_itself(tmp_path):
    path, progress = write(tmp_path, GOOD), Silent()
    here = open_experiment(path, ["batch=3"], progress=progress)
    there = Experiment.load(path, ["batch=3"], progress=progress)
    assert vars(here) == vars(there)
    assert (here.config.batch, len(here._warnings)) == (3, 1)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("text", [GOOD, "batch: 0\n"])
def test_garbage_is_collected_afterwards_as_before(tmp_path, text, enabled):
    path = write(tmp_path, text)
    (gc.enable if enabled else gc.disable)()
    try:
        if text == GOOD:
            open_experiment(path)
        else:
            with pytest.raises(ConfigError, match="batch"):
                open_experiment(path)
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
