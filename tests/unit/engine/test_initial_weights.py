from dataclasses import replace

import pytest
import safetensors.torch
import torch
from bundles import MORE, OTHERS, save, spec_of

from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.engine.checkpoint import save_bundle, save_trained, save_weights
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.models import Hidden, ModelSpec, build_classifier, with_new_head


@pytest.mark.parametrize("name", ["best-0.1.safetensors", "best-0.1.weights"])
def test_training_may_start_from_a_finished_stage_by_muskets_name_too(tmp_path, name):
    folder = RunFolder.of(tmp_path)
    other, _ = save(folder, seed=1)
    model = build_classifier(spec_of())
    load_initial_weights([model], tmp_path / "weights" / name)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[key])


def test_a_head_for_other_classes_keeps_its_own_start_and_this_is_said(tmp_path, caplog):
    folder = RunFolder.of(tmp_path)
    other, _ = save(folder, seed=1, heads=MORE)
    model = build_classifier(spec_of())
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    load_initial_weights([model], folder.weights(0, 1))
    said = "its head is for other classes or has other layers; only the backbone is taken"
    assert said in caplog.text
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, own[name] if "head" in name else other.state_dict()[name])


def test_initial_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match="initial_weights: expected a file") as error:
        load_initial_weights([build_classifier(spec_of())], tmp_path / "x.weights")
    assert error.value.slug == "weights/not-found"


def test_initial_weights_that_are_no_safetensors_are_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"pickle")
    with pytest.raises(DataError, match=r"x\.safetensors: expected weights") as error:
        load_initial_weights([build_classifier(spec_of())], tmp_path / "x.safetensors")
    assert error.value.slug == "weights/damaged"


@pytest.mark.parametrize("heads", [MORE, OTHERS])
def test_a_head_for_other_classes_is_not_taken_even_if_it_is_as_wide(tmp_path, caplog, heads):
    folder = RunFolder.of(tmp_path)
    save(folder, seed=1, heads=heads)
    model = build_classifier(spec_of())
    own = model.head.linear.weight.clone()
    load_initial_weights([model], folder.weights(0, 1))
    assert "its head is for other classes" in caplog.text
    assert torch.equal(model.head.linear.weight, own)


@pytest.mark.parametrize("changes", [{"hidden": Hidden((8.0,))}, {"hidden": Hidden((16.0,))}])
def test_a_head_with_other_layers_keeps_its_own_start(tmp_path, caplog, changes):
    save(RunFolder.of(tmp_path), seed=1)
    model = build_classifier(replace(spec_of(), **changes))
    own = model.head.linear.weight.clone()
    load_initial_weights([model], RunFolder.of(tmp_path).weights(0, 1))
    assert "has other layers" in caplog.text
    assert torch.equal(model.head.linear.weight, own)


def test_layers_of_a_head_that_has_none_here_are_not_taken_in_part(tmp_path, caplog):
    layered = build_classifier(replace(spec_of(), hidden=Hidden((16.0,))), generator_seed=1)
    safetensors.torch.save_file(layered.state_dict(), tmp_path / "w.safetensors")
    model = build_classifier(spec_of())
    own = model.head.linear.weight.clone()
    load_initial_weights([model], tmp_path / "w.safetensors")
    assert "has other layers" in caplog.text
    assert torch.equal(model.head.linear.weight, own)


def test_another_backbone_is_named_by_what_differs(tmp_path):
    safetensors.torch.save_file({"backbone.net.x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(DataError, match=r"expected weights of this backbone, got others") as error:
        load_initial_weights([build_classifier(spec_of())], tmp_path / "x.safetensors")
    assert error.value.slug == "weights/mismatch"


def test_initial_weights_must_be_finite(tmp_path):
    tensors = dict(build_classifier(spec_of()).state_dict())
    tensors["head.linear.bias"] = torch.full((2,), float("nan"))
    safetensors.torch.save_file(tensors, tmp_path / "x.safetensors")
    with pytest.raises(DataError, match=r"got NaN or infinity in head\.linear\.bias") as error:
        load_initial_weights([build_classifier(spec_of())], tmp_path / "x.safetensors")
    assert error.value.slug == "weights/not-finite"


def test_a_frozen_stages_head_brings_its_backbone(tmp_path):
    folder = RunFolder.of(tmp_path)
    before, bundle = save(folder)
    sha256, encoder = save_trained(folder, 0, 1, before, frozen=True)
    save_bundle(folder.bundle(0, 1), replace(bundle, sha256=sha256, encoder_sha256=encoder))
    first = build_classifier(spec_of(), generator_seed=7)
    models = [first, with_new_head(first, spec_of(), generator_seed=8)]
    load_initial_weights(models, folder.weights(0, 1))
    for model in models:
        for name, tensor in before.state_dict().items():
            assert torch.equal(model.state_dict()[name], tensor)


def test_a_head_without_its_backbone_is_told(tmp_path):
    folder = RunFolder.of(tmp_path)
    model, _ = save(folder)
    save_trained(folder, 0, 1, model, frozen=True)
    folder.bundle(0, 1).unlink()
    with pytest.raises(DataError, match="got those of a head alone") as error:
        load_initial_weights([build_classifier(spec_of())], folder.weights(0, 1))
    assert error.value.slug == "weights/mismatch"
    assert "encoder-" in error.value.hint


def test_of_masks_of_other_classes_all_but_the_last_layer_is_taken(tmp_path, caplog):
    def made(names, seed):
        spec = ModelSpec(
            "Unet",
            (Head("", "softmax", names),),
            shape=(32, 32, 3),
            backbone="test_resnet",
            decoder=(("decoder_channels", (16, 8, 8, 8, 4)), ("encoder_depth", 5)),
        )
        return build_classifier(spec, generator_seed=seed)

    for names in (("ground", "cell", "rim"), ("ground", "road")):
        other, model = made(names, 1), made(("ground", "cell"), 2)
        path = tmp_path / f"{len(names)}.safetensors"
        save_weights(path, other)
        own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        load_initial_weights([model], path)
        is_whole = len(names) == 2  # nothing tells whose classes they are
        for name, tensor in model.state_dict().items():
            taken = is_whole or not name.startswith("head.last.")
            assert torch.equal(tensor, other.state_dict()[name] if taken else own[name])
        said = "its masks are of other classes; all but the last layer is taken"
        assert (said in caplog.text) != is_whole
        caplog.clear()
