import pytest
import torch

from fivefold.config import parse
from fivefold.core.durable import read_json
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.experiment.finished import compare_config
from fivefold.experiment.manifest import close_manifest, open_manifest, version_warnings


def begin(folder):
    folder.state(0).mkdir(parents=True)
    (folder.state(0) / "0-000001.json").touch()


def test_before_anything_is_trained_the_config_may_change(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("lr: 0.1"))
    assert open_manifest(folder, parse("lr: 0.2"))["config"] == {"lr": 0.2}


def test_a_default_that_is_written_out_is_no_change_nor_is_another_path(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("dataset: {folder: here}"))
    compare_config(folder, parse("dataset: {folder: there}\nrandom_state: 33\nlr: 1e-3"))


@pytest.mark.parametrize("text", ["{}", '{"choices": {"threads": 0}}', "[1]", "{"])
def test_a_damaged_manifest_of_a_begun_run_is_told(tmp_path, text):
    folder = RunFolder.of(tmp_path)
    begin(folder)
    folder.manifest_path.write_text(text)
    with pytest.raises(StateError, match=r"manifest\.json: expected") as error:
        open_manifest(folder, parse("lr: 0.1"))
    assert error.value.slug == "state/damaged"


def test_a_begun_run_without_its_manifest_is_not_continued(tmp_path):
    folder = RunFolder.of(tmp_path)
    begin(folder)
    with pytest.raises(StateError, match=r"manifest\.json: expected"):
        open_manifest(folder, parse("lr: 0.1"))


def test_a_run_records_what_it_was_made_with(tmp_path):
    manifest = open_manifest(RunFolder.of(tmp_path), parse("lr: 0.1\nseed: 7"))
    assert manifest["seed"] == 7
    assert manifest["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert manifest["choices"]["threads"] == torch.get_num_threads()
    assert manifest["config"] == {"lr": 0.1, "seed": 7}


def test_a_resumed_run_takes_the_number_of_threads_that_it_was_started_with(tmp_path):
    folder, config = RunFolder.of(tmp_path), parse("lr: 0.1")
    torch.set_num_threads(2)
    open_manifest(folder, config)
    begin(folder)
    torch.set_num_threads(1)
    open_manifest(folder, config)
    assert torch.get_num_threads() == 2


def test_every_changed_key_is_named(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("lr: 0.1\nstages: [{epochs: 1}]"))
    with pytest.raises(StateError, match=r"(?s)lr: 0\.1 -> 0\.2.*epochs: 1 -> 2") as error:
        compare_config(folder, parse("lr: 0.2\nstages: [{epochs: 2}]"))
    assert error.value.slug == "state/config-changed"


def test_other_versions_are_said_when_a_run_is_resumed(tmp_path):
    manifest = open_manifest(RunFolder.of(tmp_path), parse("lr: 0.1"))
    assert version_warnings(manifest) == []
    manifest["versions"]["torch"] = "2.0"
    assert version_warnings(manifest) == [
        f"resumed with torch {torch.__version__.partition('+')[0]}, started with 2.0: "
        "the last digits may differ"
    ]


def test_warnings_are_kept_once_and_seconds_add_up(tmp_path):
    folder = RunFolder.of(tmp_path)
    open_manifest(folder, parse("lr: 0.1"))
    for _ in range(2):
        close_manifest(folder, read_json(folder.manifest_path), ["look"], 1.5)
    assert read_json(folder.manifest_path)["warnings"] == ["look"]
    assert read_json(folder.manifest_path)["seconds"] == 3.0
