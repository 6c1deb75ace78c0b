import json

import pytest
import tiny  # noqa: F401  registers the net
import torch

from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.engine.checkpoint import (
    Bundle,
    load_bundle,
    load_initial_weights,
    load_model,
    save_bundle,
    save_weights,
)
from fivefold.models import InputSpec, ModelSpec, WeightsOrigin, build_classifier

PETS = (Head("", "softmax", ("cat", "dog")),)
MORE = (Head("", "softmax", ("cat", "dog", "cow")),)


def spec_of(heads=PETS):
    return ModelSpec(architecture="tiny", heads=heads, shape=(32, 32, 3))


def save(folder, seed=0, heads=PETS):
    model = build_classifier(spec_of(heads), generator_seed=seed)
    bundle = Bundle(
        spec=spec_of(heads),
        input_spec=InputSpec((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bilinear"),
        sha256=save_weights(folder.weights(0, 1), model),
        fold=0,
        stage=1,
        epoch=3,
        metrics={"val_auc": float("nan"), "val_loss": 1 / 3},
        origin=WeightsOrigin(kind="package", licence="apache-2.0"),
        config={"lr": 0.1},
    )
    save_bundle(folder.bundle(0, 1), bundle)
    return model, bundle


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


@pytest.mark.parametrize(
    ("change", "slug"), [({"format": 99}, "state/format"), ({"spec": {}}, "state/damaged")]
)
def test_a_bundle_that_cannot_be_read_is_told(tmp_path, change, slug):
    folder = RunFolder.of(tmp_path)
    save(folder)
    path = folder.bundle(0, 1)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StateError, match="expected a bundle") as error:
        load_bundle(path)
    assert error.value.slug == slug


@pytest.mark.parametrize("name", ["best-0.1.safetensors", "best-0.1.weights"])
def test_training_may_start_from_a_finished_stage_by_muskets_name_too(tmp_path, name):
    folder = RunFolder.of(tmp_path)
    other, _ = save(folder, seed=1)
    model = build_classifier(spec_of())
    load_initial_weights(model, tmp_path / "weights" / name)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[key])


def test_a_head_for_other_classes_keeps_its_own_start_and_this_is_said(tmp_path, caplog):
    folder = RunFolder.of(tmp_path)
    other, _ = save(folder, seed=1, heads=MORE)
    model = build_classifier(spec_of())
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    load_initial_weights(model, folder.weights(0, 1))
    assert "its head is for other classes; only the backbone is taken" in caplog.text
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, own[name] if "head" in name else other.state_dict()[name])


def test_initial_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match="initial_weights: expected a file") as error:
        load_initial_weights(build_classifier(spec_of()), tmp_path / "x.weights")
    assert error.value.slug == "weights/not-found"


def test_initial_weights_that_are_no_safetensors_are_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"pickle")
    with pytest.raises(DataError, match=r"x\.safetensors: expected weights") as error:
        load_initial_weights(build_classifier(spec_of()), tmp_path / "x.safetensors")
    assert error.value.slug == "weights/damaged"
