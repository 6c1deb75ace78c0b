import pytest
import timm
import torch

from fivefold.core.errors import ConfigError
from fivefold.models.encoders import Encoder, build_encoder
from fivefold.models.maps import Levels, Wish

SMALL = (64, 96, 3)
FIVE = Wish(5)


def encoder_of(name: str, shape=SMALL, wish=FIVE) -> Encoder:
    return build_encoder(name, shape, wish, weights="none").eval()


def maps_of(encoder: Encoder, height: int = 64, width: int = 96) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        maps: list[torch.Tensor] = encoder(torch.randn(2, 3, height, width, generator=generator))
    return maps


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("ResNet18", (3, 64, 64, 128, 256, 512)),
        ("dla34", (16, 32, 64, 128, 256, 512)),
        ("convnext_atto", (3, 0, 40, 80, 160, 320)),
        ("DenseNet121", (3, 64, 256, 512, 1024, 1024)),
        ("Xception", (3, 64, 128, 256, 728, 2048)),
    ],
)
def test_every_level_is_half_as_high_and_wide_as_the_one_before(name, channels):
    encoder = encoder_of(name)
    assert encoder.maps.channels == channels
    assert [tuple(m.shape) for m in maps_of(encoder)] == [
        (2, wide, 64 >> level, 96 >> level) for level, wide in enumerate(channels)
    ]


@pytest.mark.parametrize("name", ["resnet18", "tf_efficientnet_lite0", "densenet121"])
def test_the_maps_are_those_that_timm_gives(name):
    encoder = encoder_of(name)
    reference = timm.create_model(name, features_only=True).eval()
    tensors = encoder.net.state_dict()
    own = {key.replace("_", "."): tensor for key, tensor in tensors.items()}
    reference.load_state_dict(
        {key: own[key.replace("_", ".")] for key in reference.state_dict()}, strict=True
    )
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for mine, theirs in zip(encoder(images)[1:], reference(images), strict=True):
            torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("stride", [8, 16])
def test_a_dilated_net_is_the_one_that_timm_dilates(stride):
    encoder = encoder_of("resnet18", wish=Wish(5, stride))
    reference = timm.create_model("resnet18", features_only=True, output_stride=stride).eval()
    own = {key.replace("_", "."): tensor for key, tensor in encoder.net.state_dict().items()}
    reference.load_state_dict({key: own[key.replace("_", ".")] for key in reference.state_dict()})
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        maps = encoder(images)
        for mine, theirs in zip(maps[1:], reference(images), strict=True):
            torch.testing.assert_close(mine, theirs)
    assert maps[-1].shape[2:] == (64 // stride, 64 // stride)


@pytest.mark.parametrize("name", ["MobileNetV2", "Xception", "DenseNet121", "SEResNet18"])
@pytest.mark.parametrize("stride", [8, 16])
def test_nets_of_other_kinds_are_dilated_too(name, stride):
    encoder = encoder_of(name, wish=Wish(5, stride))
    sizes = [m.shape[2] for m in maps_of(encoder)]
    assert sizes == [64, 32, 16, 8, max(4, 64 // stride), 64 // stride]


def test_maps_of_a_net_that_loses_pixels_everywhere_are_made_as_large_as_levels():
    encoder = encoder_of("InceptionV3", (128, 128, 3))
    assert isinstance(encoder.maps, Levels)
    assert not encoder.maps.exact
    assert [m.shape[2] for m in maps_of(encoder, 128, 128)] == [128, 64, 32, 16, 8, 4]


@pytest.mark.parametrize(
    ("name", "wish", "message"),
    [
        ("vit_tiny_patch16_224", Wish(5), "expected a net with maps at half the size, and so on"),
        ("NASNetMobile", Wish(5), "expected a net with maps at half the size, and so on"),
        ("InceptionV3", Wish(5, 8), "expected a net that can be dilated to maps of 1 pixel for 8"),
        ("ResNet18", Wish(4, blocks=True), "expected a vision transformer with enough blocks"),
        (
            "vit_tiny_patch16_224",
            Wish(4, blocks=True, indices=(1, 2, 3, 12)),
            "expected a vision transformer with enough blocks",
        ),
    ],
)
def test_a_net_without_such_maps_is_refused(name, wish, message):
    with pytest.raises(ConfigError, match=f"backbone: {message}, got '{name}'") as caught:
        encoder_of(name, wish=wish)
    assert caught.value.problems[0].slug == "config/backbone-maps"


def test_an_unknown_net_is_told_with_the_closest():
    with pytest.raises(ConfigError, match=r"backbone: expected .* got 'resnet19'"):
        encoder_of("resnet19")


def test_levels_that_nobody_reads_are_left_out():
    whole, less = encoder_of("ResNet18"), encoder_of("ResNet18", wish=Wish(3))
    assert not any(name.startswith(("net.layer3", "net.fc")) for name in less.state_dict())
    assert any(name.startswith("net.layer3") for name in whole.state_dict())


def test_blocks_of_a_transformer_are_evenly_spread_and_have_tokens():
    encoder = encoder_of("vit_tiny_patch16_224", wish=Wish(4, blocks=True))
    with torch.no_grad():
        maps, tokens = encoder(torch.zeros(2, 3, 64, 96))
    assert encoder.maps.indices == (2, 5, 8, 11)
    assert [tuple(m.shape) for m in maps] == [(2, 192, 4, 6)] * 4
    assert [tuple(t.shape) for t in tokens] == [(2, 1, 192)] * 4
    assert [tuple(m.shape) for m in encoder.maps.empty(64, 96)[0]] == [(1, 192, 4, 6)] * 4
