import pytest
import torch

from fivefold.core.errors import ConfigError
from fivefold.models.encoders import build_encoder


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("ResNet18", (3, 64, 64, 128, 256, 512)),
        ("VGG16", (64, 128, 256, 512, 512, 512)),
        ("convnext_atto", (3, 0, 40, 80, 160, 320)),
    ],
)
def test_every_level_is_half_as_high_and_wide_as_the_one_before(name, channels):
    encoder = build_encoder(name, channels=3, image_size=(64, 96), depth=5, weights="none")
    with torch.no_grad():
        maps = encoder(torch.zeros(2, 3, 64, 96))
    assert encoder.levels.channels == channels
    assert [tuple(m.shape) for m in maps] == [
        (2, wide, 64 >> level, 96 >> level) for level, wide in enumerate(channels)
    ]


def test_a_net_without_such_maps_is_refused():
    with pytest.raises(ConfigError, match="backbone: expected a net with maps") as caught:
        build_encoder(
            "vit_tiny_patch16_224", channels=3, image_size=(64, 64), depth=5, weights="none"
        )
    assert caught.value.problems[0].slug == "config/backbone-maps"


def test_an_unknown_net_is_told_with_the_closest():
    with pytest.raises(ConfigError, match=r"backbone: expected .* got 'resnet19'"):
        build_encoder("resnet19", channels=3, image_size=(64, 64), depth=5, weights="none")


def test_levels_that_nobody_reads_are_left_out():
    whole = build_encoder("ResNet18", channels=3, image_size=(64, 64), depth=5, weights="none")
    less = build_encoder("ResNet18", channels=3, image_size=(64, 64), depth=3, weights="none")
    assert not any(name.startswith(("net.layer3", "net.fc")) for name in less.state_dict())
    assert any(name.startswith("net.layer3") for name in whole.state_dict())
