from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier
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
