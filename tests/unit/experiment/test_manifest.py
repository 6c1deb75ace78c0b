import json
from dataclasses import replace

import pytest
import torch

from fivefold.apps.report.facts import environment
from fivefold.config import parse
from fivefold.core.choices import EXACT, Choices
from fivefold.core.durable import read_json
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.engine.pace import Spent
from fivefold.experiment.finished import compare_config
from fivefold.experiment.manifest import (
    choices_to_predict,
    close_manifest,
    open_manifest,
    recorded_choices,
    version_warnings,
)

FAST = Choices(3, "fast", "bfloat16", "contiguous", {"one way": 12.5})


def begin(folder):
    folder.state(0).mkdir(parents=True)
    (folder.state(0) / "0-000001.json").touch()


def test_before_anything_is_trained_the_config_may_change(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("lr: 0.1"), EXACT)
    assert open_manifest(folder, parse("lr: 0.2"), EXACT)["config"] == {"lr": 0.2}


def test_a_default_that_is_written_out_is_no_change_nor_is_another_path(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("dataset: {folder: here}"), EXACT)
    compare_config(folder, parse("dataset: {folder: there}\nrandom_state: 33\nlr: 1e-3"))


@pytest.mark.parametrize("text", ["{}", '{"choices": {"threads": 0}}', "[1]", "{"])
def test_a_damaged_manifest_of_a_begun_run_is_told(tmp_path, text):
    folder = RunFolder.of(tmp_path)
    begin(folder)
    folder.manifest_path.write_text(text)
    with pytest.raises(StateError, match=r"manifest\.json: expected") as error:
        open_manifest(folder, parse("lr: 0.1"), EXACT)
    assert error.value.slug == "state/damaged"


def test_a_begun_run_without_its_manifest_is_not_continued(tmp_path):
    folder = RunFolder.of(tmp_path)
    begin(folder)
    with pytest.raises(StateError, match=r"manifest\.json: expected"):
        open_manifest(folder, parse("lr: 0.1"), EXACT)


def test_a_run_that_goes_on_in_another_way_says_both(tmp_path):
    folder, slow = RunFolder.of(tmp_path), replace(FAST, precision="float32")
    open_manifest(folder, parse("lr: 0.1"), FAST)
    begin(folder)
    assert "also_computed_in" not in open_manifest(folder, parse("lr: 0.1"), FAST)
    for _ in range(2):
        manifest = open_manifest(folder, parse("lr: 0.1"), slow)
        assert manifest == read_json(folder.manifest_path)
        assert manifest["also_computed_in"] == ["float32, contiguous, 3 threads"]
    close_manifest(folder, manifest, [], 1.0)
    assert recorded_choices(folder) == FAST
    shown = environment(read_json(folder.manifest_path))
    assert shown["choices"]["precision"] == "bfloat16"
    assert shown["run"]["also_computed_in"] == "float32, contiguous, 3 threads"


def test_a_run_records_what_it_was_made_with(tmp_path):
    notes = ("labels are in the column 'breed'",)
    manifest = open_manifest(RunFolder.of(tmp_path), parse("lr: 0.1\nseed: 7"), EXACT, notes)
    assert manifest["seed"] == 7
    assert manifest["found_in_data"] == ["labels are in the column 'breed'"]
    assert manifest["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert manifest["choices"] == {
        "threads": 1,
        "profile": "exact",
        "precision": "float32",
        "layout": "channels_last",
        "measured": {},
    }
    assert manifest["config"] == {"lr": 0.1, "seed": 7}


def test_every_session_says_what_it_has_spent(tmp_path):
    folder, config = RunFolder.of(tmp_path), parse("lr: 0.1")
    manifest = open_manifest(folder, config, EXACT)
    close_manifest(folder, manifest, [], 10.0, {(0, 0): Spent(2, 4.0), (1, 0): Spent(1, 2.5)})
    begin(folder)
    close_manifest(folder, open_manifest(folder, config, EXACT), [], 3.0)
    assert read_json(folder.manifest_path)["sessions"] == [
        {
            "seconds": 10.0,
            "stages": {
                "0.0": {"epochs": 2, "seconds": 4.0},
                "1.0": {"epochs": 1, "seconds": 2.5},
            },
        },
        {"seconds": 3.0, "stages": {}},
    ]


def test_choices_are_kept_to_the_end(tmp_path):
    folder, config = RunFolder.of(tmp_path), parse("lr: 0.1")
    open_manifest(folder, config, FAST)
    begin(folder)
    manifest = open_manifest(folder, config, EXACT)
    close_manifest(folder, manifest, [], 1.0)
    assert recorded_choices(folder) == FAST
    assert recorded_choices(folder).measured == {"one way": 12.5}


def test_a_manifest_from_before_there_were_choices_is_read(tmp_path):
    folder = RunFolder.of(tmp_path)
    manifest = open_manifest(folder, parse("lr: 0.1"), EXACT)
    folder.manifest_path.write_text(json.dumps({**manifest, "choices": {"threads": 2}}))
    assert recorded_choices(folder) == replace(EXACT, threads=2)


@pytest.mark.parametrize("change", [{"precision": "float16"}, {"layout": 1}, {"threads": 0}])
def test_choices_that_cannot_be_are_told(tmp_path, change):
    folder = RunFolder.of(tmp_path)
    manifest = open_manifest(folder, parse("lr: 0.1"), EXACT)
    manifest["choices"] |= change
    folder.manifest_path.write_text(json.dumps(manifest))
    with pytest.raises(StateError, match="expected what a run was made with") as error:
        choices_to_predict(folder)
    assert error.value.slug == "state/damaged"


def test_models_predict_as_they_were_validated_and_without_a_manifest_in_float32(tmp_path):
    folder = RunFolder.of(tmp_path)
    assert choices_to_predict(folder) == EXACT
    open_manifest(folder, parse("lr: 0.1"), FAST)
    assert choices_to_predict(folder) == FAST


def test_a_begun_run_keeps_its_profile(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("profile: fast"), FAST)
    with pytest.raises(StateError, match="profile: 'fast' -> 'exact'"):
        compare_config(folder, parse("profile: exact"))


def test_every_changed_key_is_named(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("lr: 0.1\nstages: [{epochs: 1}]"), EXACT)
    with pytest.raises(StateError, match=r"(?s)lr: 0\.1 -> 0\.2.*epochs: 1 -> 2") as error:
        compare_config(folder, parse("lr: 0.2\nstages: [{epochs: 2}]"))
    assert error.value.slug == "state/config-changed"


def test_other_versions_are_said_when_a_run_is_resumed(tmp_path):
    manifest = open_manifest(RunFolder.of(tmp_path), parse("lr: 0.1"), EXACT)
    assert version_warnings(manifest) == []
    manifest["versions"]["torch"] = "2.0"
    assert version_warnings(manifest) == [
        f"resumed with torch {torch.__version__.partition('+')[0]}, started with 2.0: "
        "the last digits may differ"
    ]


def test_warnings_are_kept_once_and_seconds_add_up(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("lr: 0.1"), EXACT)
    for _ in range(2):
        close_manifest(folder, read_json(folder.manifest_path), ["look"], 1.5)
    assert read_json(folder.manifest_path)["warnings"] == ["look"]
    assert read_json(folder.manifest_path)["seconds"] == 3.0


def test_the_augmented_views_of_frozen_stages_are_recorded(tmp_path):
    text = "augmentation: {Fliplr: 0.5}\nstages:\n"
    text += "  - {epochs: 9, freeze_encoder: true}\n  - {epochs: 2, frozen_views: 3}\n"
    text += "  - {epochs: 5, frozen_views: 0}\n  - {epochs: 1, unfreeze_encoder: true}\n"
    manifest = open_manifest(RunFolder.of(tmp_path), parse(text), EXACT)
    assert manifest["frozen_views"] == {"0": 4, "1": 2, "2": 0}
