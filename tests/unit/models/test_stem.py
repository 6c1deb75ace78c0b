import pytest
import safetensors.torch
import tiny  # noqa: F401  registers the net
import torch

from fivefold.core.types import Head
from fivefold.models import Downscaling, ModelSpec, build_classifier
from fivefold.models.stem import Stem

HEADS = (Head("", "softmax", ("a", "b")),)


def model(steps=1, shape=(64, 32, 3), **changes):
    spec = ModelSpec("tiny", HEADS, shape, downscaling=Downscaling(steps, 8), **changes)
    return build_classifier(spec)


def pixels(channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, channels, 64, 32), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_each_step_halves_height_and_width_and_three_channels_are_left(steps, channels):
    stem = Stem(channels, Downscaling(steps, 6))
    small = stem(torch.randn(2, channels, 64, 32))
    assert small.shape == (2, 3, 64 >> steps, 32 >> steps)
    assert small.abs().max() <= 1
    kernels = [m.kernel_size[0] for m in stem.layers if isinstance(m, torch.nn.Conv2d)]
    assert kernels == [4, 3] * steps + [3]


@pytest.mark.parametrize("channels", [1, 4])
def test_a_backbone_behind_a_stem_has_three_channels_whatever_the_images_have(channels):
    made = model(shape=(64, 32, channels))
    assert made.backbone.net.layers[0].in_channels == 3
    assert made.input_spec.mean == (0.5,) * channels
    assert made(pixels(channels)).shape == (4, 2)


def test_a_stem_learns_where_the_backbone_is_frozen():
    made = model()
    made.freeze(encoder=True, batchnorm=False)
    before = {name: t.clone() for name, t in made.state_dict().items()}
    made.train()
    parameters = [p for p in made.parameters() if p.requires_grad]
    made(pixels()).square().sum().backward()
    torch.optim.SGD(parameters, lr=0.1).step()
    changed = {n for n, t in made.state_dict().items() if not torch.equal(t, before[n])}
    assert {name.rpartition(".layers")[0] for name in changed if "stem" in name} == {
        "backbone.stem"
    }
    assert not [name for name in changed if name.startswith("backbone.net")]


def test_the_same_seed_draws_the_same_stem():
    first, second = model(), model()
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_images_are_cut_before_they_are_made_smaller():
    made = model(crops=2, shape=(128, 64, 3)).eval()
    assert made(torch.zeros(2, 3, 128, 64, dtype=torch.uint8)).shape == (2, 2)


def test_weights_of_a_backbone_leave_its_stem_out_and_say_so(tmp_path, caplog):
    made = model()
    safetensors.torch.save_file(made.state_dict(), tmp_path / "w.safetensors")
    spec = ModelSpec("tiny", HEADS, (32, 32, 3))
    other = build_classifier(spec, weights="w.safetensors", directory=tmp_path)
    assert torch.equal(other.backbone.net.layers[0].weight, made.backbone.net.layers[0].weight)
    assert "the learned steps before the backbone are left out; `initial_weights`" in caplog.text
