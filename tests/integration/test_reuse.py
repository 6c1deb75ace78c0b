"""Experiments that share stages with finished ones, and what they must not share."""

import json

import pytest
from runs import CONFIG, write_experiment

from fivefold.core.durable import read_json
from fivefold.core.progress import Silent
from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment import reuse, stage_key
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.summary import read_summary

FROZEN, WHOLE = CONFIG, CONFIG.replace("{epochs: 1, freeze_encoder: true}", "{epochs: 1}")
LAST_STAGE = "{epochs: 2, unfreeze_encoder: true}"


class Told(Silent):
    """Keeps what was said."""

    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)

    @property
    def taken(self):
        return [line.partition(":")[0] for line in self.lines if ": taken from " in line]

    @property
    def trained(self):
        return {line.partition(", epoch")[0] for line in self.lines if "  loss " in line}


class StopError(Exception):
    """Somebody pulled the plug."""


class StopAfter(Told):
    """Lets some epochs end, then breaks off."""

    def __init__(self, epochs):
        super().__init__()
        self.left = epochs

    def line(self, text):
        super().line(text)
        self.left -= "  loss " in text
        if self.left < 0:
            raise StopError(text)


def fit(folder, config=FROZEN, told=None, **options):
    """Train in this process; gives what was said."""
    told = told or Told()
    if not folder.exists():
        write_experiment(folder, per_class=6, config=config)
    Experiment.load(folder, progress=told).fit(jobs=1, **options)
    return told


def results_of(folder):
    """All that a run has written but what tells of time or of where a stage was trained."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name in ("manifest.json", "data/audit.json", ".lock"):
            continue
        if path.match("weights/*.json"):
            record = json.loads(path.read_text())
            assert record.pop("seal")
            record.pop("reused_from")
            found[name] = record
        elif name == "summary.yaml":
            text = path.read_text()
            start, end = text.find("reused:"), text.find("split_deviation:")
            found[name] = text if start < 0 else text[:start] + text[end:]
        else:
            found[name] = path.read_bytes()
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize("config", [FROZEN, WHOLE], ids=["frozen", "whole"])
def test_experiments_that_differ_in_the_last_stage_share_the_one_before(tmp_path, config):
    other = config.replace(LAST_STAGE, "{epochs: 2, unfreeze_encoder: true, lr: 0.02}")
    first = fit(tmp_path / "a", config)
    assert first.taken == []
    second = fit(tmp_path / "b", other)
    assert second.taken == ["fold 0, stage 0", "fold 1, stage 0"]
    assert second.trained == {"fold 0, stage 1", "fold 1, stage 1"}
    alone = fit(tmp_path / "c", other, reuse=False)
    assert alone.taken == []
    assert_same(results_of(tmp_path / "b"), results_of(tmp_path / "c"))


@pytest.mark.usefixtures("cache_folder")
def test_the_summary_and_the_bundles_say_where_a_stage_was_trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(tmp_path / "a")
    told = fit(tmp_path / "b")
    assert told.trained == set()
    assert (
        "fold 1, stage 0: taken from a, trained there with the same config, data, seed and "
        "versions; `--no-reuse` trains it again" in told.lines
    )
    folder = Experiment.load(tmp_path / "b").folder
    where = str((tmp_path / "a").resolve())
    assert read_summary(folder).reused == dict.fromkeys(["0.0", "0.1", "1.0", "1.1"], where)
    assert load_bundle(folder.bundle(1, 1)).reused_from == where
    assert read_summary(Experiment.load(tmp_path / "a").folder).reused == {}


@pytest.mark.usefixtures("cache_folder")
def test_an_experiment_wholly_taken_over_equals_a_trained_one(tmp_path):
    fit(tmp_path / "a", FROZEN + "testSplit: 0.2\n")
    fit(tmp_path / "b", FROZEN + "testSplit: 0.2\n")
    assert_same(results_of(tmp_path / "b"), results_of(tmp_path / "a"))


@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize(
    "change",
    [
        ("architecture: tiny", "architecture: tiny\nseed: 1"),
        ("shape: [32, 32, 3]", "shape: [40, 40, 3]"),
        ("metrics: [accuracy]", "metrics: [accuracy, macro_f1]"),
    ],
    ids=lambda change: change[1].replace("\n", " "),
)
def test_what_differs_is_trained(tmp_path, change):
    assert change[0] in FROZEN
    fit(tmp_path / "a", folds=[0])
    assert fit(tmp_path / "b", FROZEN.replace(*change), folds=[0]).taken == []


@pytest.mark.usefixtures("cache_folder")
def test_other_data_are_trained_on(tmp_path):
    fit(tmp_path / "a", folds=[0])
    write_experiment(tmp_path / "b", per_class=6, config=FROZEN)
    images = sorted((tmp_path / "b" / "shapes").rglob("*.png"))
    images[0].rename(images[0].with_name("another-name.png"))
    told = Told()
    Experiment.load(tmp_path / "b", progress=told).fit(folds=[0], jobs=1)
    assert told.taken == []


@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize("keys", ["cache: false\n", "imports: [own]\n"])
def test_without_a_cache_or_with_own_code_nothing_is_shared(tmp_path, keys):
    for name in ("a", "b"):
        write_experiment(tmp_path / name, per_class=6, config=FROZEN + keys)
        (tmp_path / name / "own.py").write_text("")
        told = Told()
        run = Experiment.load(tmp_path / name, progress=told, allow_imports=True)
        run.fit(folds=[0], jobs=1)
        assert told.taken == []


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_a_damaged_source_is_trained_again(tmp_path):
    fit(tmp_path / "a")
    weights = tmp_path / "a" / "weights" / "best-0.0.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    told = fit(tmp_path / "b")
    assert "fold 0, stage 0" in told.trained
    # the stage after it starts from the same weights, and those of the source are unchanged
    assert told.taken == ["fold 1, stage 0", "fold 0, stage 1", "fold 1, stage 1"]
    alone = fit(tmp_path / "c", reuse=False)
    assert alone.taken == []
    assert_same(results_of(tmp_path / "b"), results_of(tmp_path / "c"))


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize("config", [FROZEN, WHOLE], ids=["frozen", "whole"])
@pytest.mark.parametrize("same", [True, False])
def test_a_stage_that_was_broken_off_is_given_to_others_if_nothing_has_changed(
    tmp_path, monkeypatch, config, same
):
    config = config.replace("epochs: 1", "epochs: 3")
    with monkeypatch.context() as patch:
        if not same:  # its first epochs are another version's
            patch.setattr(stage_key, "code_digest", lambda folder: "another")
        with pytest.raises(StopError, match="fold 0"):
            fit(tmp_path / "a", config, StopAfter(1), folds=[0])
    told = fit(tmp_path / "a", config, folds=[0])
    assert "fold 0, stage 0" in told.trained
    taken = fit(tmp_path / "b", config, folds=[0]).taken
    assert taken == ["fold 0, stage 0", "fold 0, stage 1"][not same :]
    fit(tmp_path / "c", config, folds=[0], reuse=False)
    assert_same(results_of(tmp_path / "b"), results_of(tmp_path / "c"))


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize("edited", [True, False])
def test_a_stage_during_which_own_code_has_changed_is_not_given_to_others(
    tmp_path, monkeypatch, edited
):
    asked = []

    def changing():
        asked.append(1)
        return [f"net.py {len(asked) * edited}"]

    with monkeypatch.context() as patch:
        patch.setattr(reuse, "own_code", changing)
        fit(tmp_path / "a", folds=[0])
    assert len(fit(tmp_path / "b", folds=[0]).taken) == (0 if edited else 2)


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_a_stage_that_was_broken_off_may_be_taken_from_another(tmp_path):
    config = FROZEN.replace("epochs: 1", "epochs: 3")
    with pytest.raises(StopError, match="fold 0"):
        fit(tmp_path / "b", config, StopAfter(1), folds=[0])
    fit(tmp_path / "a", config)
    told = fit(tmp_path / "b", config)
    assert told.trained == set()
    assert not (tmp_path / "b" / "state").exists()
    assert_same(results_of(tmp_path / "b"), results_of(tmp_path / "a"))


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_first_weights_from_a_file_are_shared_by_what_they_are(tmp_path):
    source = fit(tmp_path / "source", folds=[0])
    assert source.taken == []
    config = FROZEN.replace(LAST_STAGE, "{epochs: 2, initial_weights: first.safetensors}")
    for name in ("a", "b"):
        write_experiment(tmp_path / name, per_class=6, config=config)
        for ending in ("safetensors", "json"):
            content = (tmp_path / "source" / "weights" / f"best-0.1.{ending}").read_bytes()
            (tmp_path / name / f"first.{ending}").write_bytes(content)
    assert fit(tmp_path / "a", config, folds=[0]).taken == ["fold 0, stage 0"]
    assert fit(tmp_path / "b", config, folds=[0]).taken == ["fold 0, stage 0", "fold 0, stage 1"]


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_folds_in_processes_of_their_own_share_too(tmp_path):
    write_experiment(tmp_path / "a", per_class=6, config=WHOLE)
    Experiment.load(tmp_path / "a").fit(jobs=2)
    told = fit(tmp_path / "b", WHOLE)
    assert told.trained == set()
    write_experiment(tmp_path / "c", per_class=6, config=WHOLE)
    told = Told()
    Experiment.load(tmp_path / "c", progress=told).fit(jobs=2)
    assert sorted(told.taken) == [f"fold {f}, stage {s}" for f in (0, 1) for s in (0, 1)]
    for name in ("b", "c"):
        assert_same(results_of(tmp_path / name), results_of(tmp_path / "a"))
        assert not read_json(tmp_path / name / "manifest.json")["warnings"]
