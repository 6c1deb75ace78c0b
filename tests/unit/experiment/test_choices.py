from contextlib import contextmanager
from dataclasses import replace

import pytest
import tiny  # noqa: F401  registers the net

from fivefold.config import parse
from fivefold.core import cores
from fivefold.core.choices import Choices
from fivefold.core.durable import read_json
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.core.sealed import write_sealed
from fivefold.core.types import Head
from fivefold.experiment import choices
from fivefold.experiment.choices import Training, settle_choices
from fivefold.experiment.manifest import open_manifest
from fivefold.models import ModelSpec

SPEC = ModelSpec("tiny", (Head("label", "softmax", ("a", "b")),), (32, 32, 3))
STAGES = "stages: [{epochs: 1, freeze_encoder: true}, {epochs: 1, unfreeze_encoder: true}]"


class Watched(Silent):
    """Counts the probes."""

    def __init__(self):
        self.bars = 0

    @contextmanager
    def bar(self, description, total):
        self.bars += 1
        yield lambda steps: None


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    monkeypatch.setattr(cores, "_allowed", lambda: 2)


def training(text, num_folds=5):
    config = parse(f"{text}\nbatch: 8\n{STAGES}")
    return Training(SPEC, config.resolve(), num_folds, config)


def settled(tmp_path, text, **options):
    """Settle twice and say what was found, and how often a probe has run each time."""
    found = []
    for _ in range(2):
        watched = Watched()
        choices = settle_choices(RunFolder.of(tmp_path), training(text, **options), watched)
        found.append((choices, watched.bars))
    return found


def records(cache_folder):
    return sorted(cache_folder.glob("probes/choices-*.json"))


def remember(path, **changes):
    record = read_json(path)
    record["choices"] |= changes
    write_sealed(path, {"about": record["about"], "choices": record["choices"]}, version=1)


def test_exact_measures_and_remembers_nothing(tmp_path, cache_folder):
    assert settled(tmp_path, "profile: exact") == [(Choices(1), 0)] * 2
    assert not cache_folder.exists()


def test_of_images_that_are_cut_the_cells_are_tried(tmp_path, cache_folder):
    whole = training("profile: auto")
    cut = replace(whole, spec=replace(SPEC, crops=2))
    settle_choices(RunFolder.of(tmp_path), cut, Silent())
    (found,) = records(cache_folder)
    assert read_json(found)["about"]["steps"]["shape"] == [16, 16, 3]
    assert whole.steps.shape == (32, 32, 3)


@pytest.mark.parametrize(("profile", "ways"), [("auto", 2), ("fast", 4)])
def test_a_probe_runs_once_and_is_remembered(tmp_path, cache_folder, profile, ways):
    (first, once), (second, never) = settled(tmp_path, f"profile: {profile}")
    assert (once, never) == (1, 0)
    assert second == first
    assert second.measured == first.measured
    assert len(first.measured) == ways
    assert first.profile == profile


def test_without_a_cache_every_start_measures(tmp_path):
    assert [bars for _, bars in settled(tmp_path, "profile: auto")] == [1, 1]


def test_what_is_remembered_is_used(tmp_path, cache_folder):
    settled(tmp_path, "profile: fast")
    remember(records(cache_folder)[0], precision="bfloat16", layout="contiguous", threads=7)
    expected = Choices(7, "fast", "bfloat16", "contiguous")
    assert settled(tmp_path, "profile: fast") == [(expected, 0)] * 2


def test_a_damaged_record_is_measured_again_and_replaced(tmp_path, cache_folder, caplog):
    settled(tmp_path, "profile: auto")
    path = records(cache_folder)[0]
    path.write_text(path.read_text().replace("channels_last", "channels_first"))
    assert [bars for _, bars in settled(tmp_path, "profile: auto")] == [1, 0]
    assert caplog.text.count("what a probe found is damaged, it is measured again") == 1


def test_a_cache_that_cannot_be_written_is_told(tmp_path, cache_folder, caplog):
    cache_folder.write_text("a file where a folder should be")
    assert [bars for _, bars in settled(tmp_path, "profile: auto")] == [1, 1]
    assert "what a probe found is not remembered for the next run" in caplog.text


@pytest.mark.parametrize(("codes", "probes"), [("aab", [1, 0, 1]), (["a", None, None], [1, 1, 1])])
def test_a_net_with_other_code_is_measured_again(
    tmp_path, cache_folder, monkeypatch, codes, probes
):
    found = []
    for code in codes:
        monkeypatch.setattr(choices, "own_code", lambda code=code: code and [code])
        watched = Watched()
        settle_choices(RunFolder.of(tmp_path), training("profile: auto"), watched)
        found.append(watched.bars)
    assert found == probes


def test_each_question_has_its_own_answer(tmp_path, cache_folder):
    for number, text in enumerate(["profile: auto", "profile: fast"], 1):
        settled(tmp_path, text)
        assert len(records(cache_folder)) == number
    settled(tmp_path, "profile: auto", num_folds=3)
    assert len(records(cache_folder)) == 3


def test_a_begun_run_goes_on_as_it_was_begun(tmp_path, cache_folder):
    folder, begun = RunFolder.of(tmp_path), Choices(2, "fast", "bfloat16", "contiguous")
    open_manifest(folder, parse("profile: fast"), begun)
    folder.state(0).mkdir(parents=True)
    (folder.state(0) / "0-000001.json").touch()
    assert settled(tmp_path, "profile: fast") == [(begun, 0)] * 2


def test_the_stage_that_trains_the_whole_network_is_tried():
    found = training("profile: fast")
    assert not found.steps.frozen
    assert found.steps.batch == 8
    assert replace(found, stages=found.stages[:1]).steps.frozen
