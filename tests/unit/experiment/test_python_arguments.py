"""What Python gives of the wrong kind is one error, before anything is opened or trained."""

import pytest

import fivefold
from fivefold import classification
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent

CONFIG = """\
architecture: test_resnet
weights: none
folds_count: 2
stages: [{epochs: 1}]
dataset: {folder: nowhere}
"""


@pytest.fixture
def cfg(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    return classification.parse(tmp_path, progress=Silent())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classification.parse(None), "path: expected a path, got None"),
        (lambda: classification.parse(["a"]), r"path: expected a path, got \['a'\]"),
        (lambda: fivefold.Experiment.load(5), "path: expected a path, got 5"),
        (lambda: fivefold.compare(None), "folder: expected a path, got None"),
    ],
)
def test_what_is_no_path_is_told(call, message):
    with pytest.raises(ConfigError, match=f"^{message}$") as error:
        call()
    assert error.value.slug == "config/bad-value"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_from_stage": "a"}, "start_from_stage: expected a whole number, got 'a'"),
        ({"start_from_stage": None}, "start_from_stage: expected a whole number, got None"),
        ({"foldsToExecute": 5}, "folds: expected several numbers, got 5"),
        ({"jobs": "many"}, "jobs: expected a whole number, got 'many'"),
        ({"jobs": 1.5}, "jobs: expected a whole number, got 1.5"),
    ],
)
def test_arguments_of_fit_are_told(cfg, arguments, message):
    with pytest.raises(ConfigError, match=f"^{message}$") as error:
        cfg.fit(**arguments)
    assert error.value.slug == "config/bad-value"


def test_a_stage_to_evaluate_is_a_number(cfg):
    with pytest.raises(ConfigError, match=r"^stage: expected a whole number, got 'a'$") as error:
        cfg.experiment.evaluate(stage="a")
    assert error.value.slug == "config/bad-value"


@pytest.mark.parametrize("dataset", ["photos", ["a.png", "b.png"], {"a": 1}, 5])
def test_what_is_no_data_set_is_one_error(cfg, dataset, caplog):
    with pytest.raises(DataError, match=r"^data set: expected ") as error:
        cfg.fit(dataset)
    assert error.value.slug == "data/not-a-dataset"
    assert caplog.messages == []
