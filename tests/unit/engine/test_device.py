import contextlib
import copy
from dataclasses import replace

import pytest
import tiny  # noqa: F401  registers the net
import torch

from fivefold.core.choices import EXACT, Choices
from fivefold.core.types import Head
from fivefold.engine import device
from fivefold.engine.device import (
    accelerator,
    computing_with,
    device_name,
    on_device,
    precisions,
)
from fivefold.models import ModelSpec, build_classifier

SPEC = ModelSpec("tiny", (Head("label", "softmax", ("a", "b", "c")),), (32, 32, 3))
BFLOAT = Choices(1, "fast", "bfloat16")
PLAIN = Choices(1, "auto", layout="contiguous")


@pytest.fixture
def model():
    return on_device(build_classifier(SPEC))


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (6, 32, 32, 3), dtype=torch.uint8, generator=generator)
    return pixels.permute(0, 3, 1, 2).to(accelerator().device)


def computed(model, images, choices):
    """Give features, logits and gradients, and the types that layers inside have given."""
    tried = on_device(copy.deepcopy(model), choices)
    inside, order = [], []
    layer = tried.backbone.net.layers[0]
    layer.register_forward_hook(lambda module, args, result: inside.append(result.dtype))
    layer.register_forward_pre_hook(
        lambda module, args: order.append(args[0].is_contiguous(memory_format=torch.channels_last))
    )
    features = tried.features(images)
    logits = tried.classify(features)
    logits.square().mean().backward()
    return features, logits, layer.weight.grad, inside, order


def test_bfloat16_stays_inside_the_backbone(model, images):
    features, logits, gradient, inside, _ = computed(model, images, BFLOAT)
    assert inside == [torch.bfloat16]
    assert {features.dtype, logits.dtype, gradient.dtype} == {torch.float32}
    # bfloat16 keeps 8 bits of a number: 1 part in 256 for each of three layers.
    plain = computed(model, images, EXACT)
    assert torch.allclose(features, plain[0], rtol=0.02, atol=0.02)
    assert not torch.equal(features, plain[0])


def test_the_head_computes_in_float32(model, images):
    tried = on_device(copy.deepcopy(model), BFLOAT)
    features = tried.features(images)
    assert torch.equal(tried(images), model.classify(features))


def test_a_layout_is_that_of_weights_and_images(model, images):
    assert computed(model, images, EXACT)[4] == [True]
    assert computed(model, images, PLAIN)[4] == [False]
    weight = on_device(model, PLAIN).backbone.net.layers[0].weight
    assert weight.is_contiguous()


def test_layouts_agree_to_float32s_last_digits(model, images):
    one, other = (computed(model, images, choices)[1] for choices in (EXACT, PLAIN))
    assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("choices", [EXACT, PLAIN, BFLOAT])
def test_the_same_choices_give_the_same_bits(model, images, choices):
    one, other = (computed(model, images, choices) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one[:3], other[:3], strict=True))


def test_steps_with_and_without_gradients_do_not_disturb_each_other(model, images):
    tried = on_device(model, BFLOAT)
    expected = tried(images)
    with torch.inference_mode():
        assert torch.equal(tried(images), expected)
    tried(images).square().mean().backward()
    assert all(p.grad is not None for p in tried.parameters())


def test_threads_come_back_whatever_happens():
    before = torch.get_num_threads()
    with contextlib.suppress(StopIteration), computing_with(2):
        assert torch.get_num_threads() == 2
        next(iter(()))
    assert torch.get_num_threads() == before


def test_every_device_has_float32():
    assert precisions()[0] == "float32"


def test_a_precision_that_the_device_has_not_is_told(model, caplog):
    found = on_device(model, replace(BFLOAT, precision="float8")).choices
    assert found == replace(BFLOAT, precision="float32")
    assert "cannot compute in float8, float32 instead" in caplog.text


def test_another_processor_is_another_device(monkeypatch):
    if accelerator().device.type != "cpu":
        pytest.skip("a GPU's name says all")
    before = device_name()
    monkeypatch.setattr(device, "_processor", lambda: "another")
    assert " another " in device_name() != before
