import pytest

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.experiment.experiment import Experiment

CONFIG = """\
architecture: ResNet18
folds_count: 2
stages: [{epochs: 1}, {epochs: 1}]
"""


@pytest.fixture
def stopped(tmp_path):
    """An experiment that was stopped in its second stage."""
    folder = RunFolder.of(tmp_path)
    folder.config_path.write_text(CONFIG)
    (tmp_path / "a.png").touch()
    folder.bundle(0, 0).parent.mkdir()
    for fold in (0, 1):
        folder.bundle(fold, 0).touch()
    return Experiment.load(tmp_path)


@pytest.mark.parametrize(
    "use", [lambda run: run.evaluate(), lambda run: run.predict(run.folder.root, folds=[1])]
)
def test_a_stage_that_is_not_trained_names_the_one_that_is(stopped, use):
    with pytest.raises(
        StateError, match=r"expected trained folds of stage 1, got none for \["
    ) as e:
        use(stopped)
    assert e.value.slug == "state/not-trained"
    again = f"`fivefold fit {stopped.folder.argument}` trains them"
    assert e.value.hint == f"stage 0 is trained: `--stage 0` uses it; {again}"


def test_a_stage_that_some_folds_lack_names_the_one_that_all_have(stopped, caplog, monkeypatch):
    stopped.folder.bundle(0, 1).touch()
    found = "fivefold.experiment.assessing.found_with_folds"
    monkeypatch.setattr(found, lambda *_: (None, {}))
    monkeypatch.setattr("fivefold.experiment.assessing.compute", lambda *_: {})
    assert stopped.evaluate()["folds"] == {0: {}}
    expected = "1 of 2 folds are trained: [0]; stage 0 is trained: `--stage 0` uses it"
    assert expected in caplog.messages
