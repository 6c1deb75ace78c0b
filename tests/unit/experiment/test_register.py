import json
import os
import sys

import pytest
from runs import CONFIG, fitted

from fivefold.core.cache_home import CacheHome
from fivefold.core.layout import RunFolder
from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment import register as module
from fivefold.experiment.register import Register

KEY = "ab" * 32
ONE_STAGE = CONFIG.replace("  - {epochs: 2, unfreeze_encoder: true}\n", "").replace(
    "metrics:", "callbacks: {TensorBoard: {log_dir: logs/board}}\nmetrics:"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("source"), per_class=6, config=ONE_STAGE)


@pytest.fixture
def source(trained, tmp_path):
    """Copy the trained experiment to a folder of its own."""
    root = tmp_path / "source"
    for path in trained.folder.root.rglob("*"):
        if path.is_file():
            copy = root / path.relative_to(trained.folder.root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return RunFolder.of(root)


@pytest.fixture
def home(tmp_path):
    return CacheHome(tmp_path / "cache", 10**9)


@pytest.fixture
def entry(home, source, trained):
    Register(home).add(KEY, source, 1, trained.stages[0])
    return home.folder("stages") / f"{KEY}.json"


def contents(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_was_registered_is_found(home, source, entry):
    before = contents(source.root)
    found = Register(home).find(KEY)
    assert (found.folder.root, found.fold, found.stage) == (source.root, 1, 0)
    assert found.bundle == load_bundle(source.bundle(1, 0))
    assert contents(source.root) == before


def test_all_files_of_a_stage_are_registered_also_what_callbacks_wrote(home, source, entry):
    events = [path.name for path in (source.root / "logs" / "board" / "1.0").iterdir()]
    encoder = source.encoder(load_bundle(source.bundle(1, 0)).encoder_sha256).name
    assert len(events) == 1
    assert sorted(Register(home).find(KEY).files) == [
        "examples/0/1/epoch-000000.png",
        "examples/0/1/validation.png",
        f"logs/board/1.0/{events[0]}",
        "metrics/metrics-1.0.csv",
        "predictions/validation-1.0.npz",
        "weights/best-1.0.json",
        "weights/best-1.0.safetensors",
        f"weights/{encoder}",
    ]


def test_the_register_holds_no_weights(home, entry):
    assert [path.name for path in home.root.rglob("*") if path.is_file()] == [entry.name]
    assert entry.stat().st_size < 2000


def test_what_nobody_registered_is_not_found(home, entry):
    assert Register(home).find("cd" * 32) is None
    assert entry.exists()


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("damage", ["missing", "changed", "cut"])
def test_a_missing_or_changed_file_is_a_miss_and_its_line_is_removed(
    home, source, entry, number, damage
):
    path = source.root / sorted(Register(home).find(KEY).files)[number]
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    else:
        path.write_bytes(path.read_bytes()[:-1])
    before = contents(source.root)
    assert Register(home).find(KEY) is None
    assert not entry.exists()
    assert contents(source.root) == before


def test_an_experiment_that_is_gone_is_a_miss(home, source, entry):
    source.root.rename(source.root.with_name("moved"))
    assert Register(home).find(KEY) is None
    assert not entry.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{}", '{"format": 1}', "\0", "\xff", "[" * 100_000]
)
def test_a_damaged_line_is_a_miss(home, entry, text):
    entry.write_text(text, "latin-1")
    assert Register(home).find(KEY) is None
    assert not entry.exists()


def test_an_edited_line_is_a_miss(home, entry):
    entry.write_text(entry.read_text().replace('"fold": 1', '"fold": 0'))
    assert Register(home).find(KEY) is None


@pytest.mark.parametrize("name", ["../config.yaml", "/etc/hosts", "logs/../../x"])
def test_a_line_that_leads_out_of_the_experiment_is_a_miss(home, source, entry, name):
    record = json.loads(entry.read_text())
    (source.root.parent / "config.yaml").write_text("")
    record = {key: record[key] for key in ("folder", "fold", "stage", "files")}
    record["files"][name] = "0" * 64
    module.write_sealed(entry, record, version=1)
    assert Register(home).find(KEY) is None


def test_a_line_without_all_results_is_a_miss(home, entry):
    record = json.loads(entry.read_text())
    record = {key: record[key] for key in ("folder", "fold", "stage", "files")}
    del record["files"]["metrics/metrics-1.0.csv"]
    module.write_sealed(entry, record, version=1)
    assert Register(home).find(KEY) is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_folder_may_have_a_name_that_is_no_text(home, source, trained):
    root = source.root.with_name(os.fsdecode(b"caf\xe9 100%20"))
    source.root.rename(root)
    Register(home).add(KEY, RunFolder.of(root), 1, trained.stages[0])
    assert Register(home).find(KEY).folder.root == root


def test_a_register_that_cannot_be_written_is_told_once_in_a_run_and_stops_nothing(
    tmp_path, source, trained, caplog
):
    (tmp_path / "file").write_text("")
    home = CacheHome(tmp_path / "file", 10**9)
    for register in (Register(home), Register(home)):
        for key in (KEY, "cd" * 32):
            register.add(key, source, 1, trained.stages[0])
            assert register.find(key) is None
        told = f"{home.folder('stages')}: finished stages cannot be noted there for later runs, "
        assert caplog.messages == [told + "which train them again: Not a directory"]
        caplog.clear()
