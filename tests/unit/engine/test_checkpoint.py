import json
from dataclasses import replace

import pytest
import torch
from bundles import save, spec_of
from safetensors.torch import load_file

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.sealed import write_sealed
from fivefold.engine.checkpoint import load_bundle, load_model, save_bundle, save_trained
from fivefold.models import build_classifier, with_new_head


def test_a_bundle_comes_back(tmp_path):
    folder = RunFolder.of(tmp_path)
    _, before = save(folder)
    assert repr(load_bundle(folder.bundle(0, 1))) == repr(before)


def test_a_model_comes_back_with_its_preprocessing_and_licence(tmp_path):
    folder = RunFolder.of(tmp_path)
    before, _ = save(folder)
    after = load_model(folder, 0, 1)
    for name, tensor in before.state_dict().items():
        assert torch.equal(after.state_dict()[name], tensor)
    assert after.input_spec.mean == (0.1, 0.2, 0.3)
    assert after.origin.licence == "apache-2.0"
    assert not after.training


def test_a_stage_that_is_not_finished_has_no_model(tmp_path):
    with pytest.raises(StateError, match="expected weights of fold 0, stage 0, got none") as error:
        load_model(RunFolder.of(tmp_path), 0, 0)
    assert error.value.slug == "state/not-trained"


WAY_OUT = (
    "delete weights/best-0.1.safetensors, weights/best-0.1.json and predictions/validation-0.1.npz"
)
EDITS = [
    {"metrics": []},
    {"metrics": {"val_loss": "x"}},
    {"spec": None},
    {"spec": {}},
    {"spec.architecture": 5},
    {"spec.shape": [32, 32]},
    {"spec.shape": [32, 32, 0]},
    {"spec.heads": [5]},
    {"spec.heads": [{"name": "", "activation": "other", "class_names": ["a"]}]},
    {"sha256": 5},
    {"epoch": -1},
    {"input_spec.mean": "x"},
    {"input_spec.mean": [0.1]},
    {"origin": "x"},
    {"origin.kind": "elsewhere"},
]


def edit(path, change):
    record = json.loads(path.read_text())
    for key, value in change.items():
        *outer, last = key.split(".")
        (record[outer[0]] if outer else record)[last] = value
    return record


@pytest.mark.parametrize("change", [*EDITS, {"fold": 3}, {"unknown": 1}], ids=str)
def test_an_edited_bundle_is_told_with_the_files_to_delete(tmp_path, change):
    folder = RunFolder.of(tmp_path)
    save(folder)
    path = folder.bundle(0, 1)
    path.write_text(json.dumps(edit(path, change)))
    with pytest.raises(StateError, match="expected a record with the hash") as error:
        load_bundle(path)
    assert error.value.slug == "state/damaged"
    assert WAY_OUT in error.value.hint


@pytest.mark.parametrize("change", EDITS, ids=str)
def test_an_edited_bundle_with_a_new_hash_is_held_against_the_types(tmp_path, change):
    folder = RunFolder.of(tmp_path)
    save(folder)
    path = folder.bundle(0, 1)
    record = edit(path, change)
    del record["seal"], record["format"]
    write_sealed(path, record, version=1)
    with pytest.raises(StateError, match=r"best-0\.1\.json: .*(expected|required)") as error:
        load_bundle(path)
    assert error.value.slug == "state/damaged"
    assert WAY_OUT in error.value.hint


def test_a_bundle_of_another_version_is_told(tmp_path):
    folder = RunFolder.of(tmp_path)
    write_sealed(folder.bundle(0, 1), {}, version=99)
    with pytest.raises(StateError, match="expected format 1") as error:
        load_bundle(folder.bundle(0, 1))
    assert error.value.slug == "state/format"


def test_files_of_another_fold_are_told(tmp_path):
    folder = RunFolder.of(tmp_path)
    save(folder)
    folder.bundle(0, 1).rename(folder.bundle(2, 1))
    folder.weights(0, 1).rename(folder.weights(2, 1))
    with pytest.raises(StateError, match="describes fold 2, stage 1, got fold 0") as error:
        load_model(folder, 2, 1)
    assert error.value.slug == "state/damaged"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_damaged_weights_are_told_with_the_files_to_delete(tmp_path, damage):
    folder = RunFolder.of(tmp_path)
    save(folder)
    damage(folder.weights(0, 1))
    with pytest.raises(StateError, match=r"best-0\.1\.safetensors: expected") as error:
        load_model(folder, 0, 1)
    assert WAY_OUT in error.value.hint


def save_frozen(folder, folds=(0, 1)):
    """Two folds' heads on one backbone, as a frozen stage leaves them."""
    first = build_classifier(spec_of(), generator_seed=3)
    models = {0: first, 1: with_new_head(first, spec_of(), generator_seed=4)}
    _, bundle = save(folder)
    for fold in folds:
        sha256, encoder = save_trained(folder, fold, 1, models[fold], frozen=True)
        facts = {"fold": fold, "sha256": sha256, "encoder_sha256": encoder}
        save_bundle(folder.bundle(fold, 1), replace(bundle, **facts))
    return models


def test_folds_share_one_file_of_a_frozen_backbone(tmp_path):
    folder = RunFolder.of(tmp_path)
    models = save_frozen(folder)
    assert len(list((tmp_path / "weights").glob("encoder-*.safetensors"))) == 1
    for fold, before in models.items():
        assert set(load_file(folder.weights(fold, 1))) == {"head.linear.weight", "head.linear.bias"}
        after = load_model(folder, fold, 1).state_dict()
        assert after.keys() == before.state_dict().keys()
        assert all(torch.equal(after[name], t) for name, t in before.state_dict().items())


def test_a_backbone_that_was_written_to_gets_a_file_of_its_own(tmp_path):
    folder = RunFolder.of(tmp_path)
    model = save_frozen(folder)[0]
    with torch.no_grad():
        next(model.backbone.parameters()).add_(1)
    save_trained(folder, 0, 1, model, frozen=True)
    assert len(list((tmp_path / "weights").glob("encoder-*.safetensors"))) == 2


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_damaged_backbone_is_told_and_written_anew_by_the_next_fold(tmp_path, damage):
    folder = RunFolder.of(tmp_path)
    models = save_frozen(folder)
    (encoder,) = (tmp_path / "weights").glob("encoder-*.safetensors")
    damage(encoder)
    with pytest.raises(StateError, match=r"encoder-\w+\.safetensors: expected") as error:
        load_model(folder, 0, 1)
    assert WAY_OUT in error.value.hint
    save_trained(folder, 1, 1, models[1], frozen=True)
    assert not load_model(folder, 0, 1).training
