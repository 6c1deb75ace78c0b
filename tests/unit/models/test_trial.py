import pytest
import timm
import torch

from fivefold.core.errors import ConfigError
from fivefold.models.backbones import shape_problem
from fivefold.models.taking import ALL, Taken, without_last_layer
from fivefold.models.trial import count_features, net_options


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [("resnet18", (33, 65), 512), ("test_vit", (96, 64), 64), ("vgg16", (32, 32), 512)],
)
def test_the_number_of_features_is_known_without_computing_any(name, size, expected):
    assert count_features(name, name, (*size, 3), ALL) == expected


def test_a_size_that_a_net_cannot_take_is_answered_with_the_nearest_that_works():
    problem = shape_problem("test_vit", (100, 100, 3), "config.yaml:4:1")
    assert problem.slug == "config/shape"
    assert str(problem) == (
        "config.yaml:4:1: shape: expected a size that 'test_vit' can take, got 100 by 100 pixels\n"
        "    the nearest that works is `shape: [96, 96, 3]`"
    )
    assert shape_problem("test_vit", (96, 96, 3)) is None


def test_an_image_too_small_for_a_net_is_answered_with_a_larger_one():
    assert "shape: [32, 32, 1]" in shape_problem("vgg16", (20, 20, 1)).hint


def test_pooling_that_a_net_lacks_is_an_error():
    with pytest.raises(
        ConfigError, match="pooling: expected 'avg', since 'test_vit_relpos'"
    ) as error:
        count_features("test_vit_relpos", "test_vit_relpos", (160, 160, 3), Taken("max"))
    assert error.value.slug == "config/pooling"


def test_a_part_of_a_net_that_gives_no_vectors_is_an_error():
    name = "mobilenetv5_300m_enc"
    with pytest.raises(ConfigError, match="expected a net that gives feature vectors") as error:
        count_features(name, name, (64, 64, 3), ALL)
    assert error.value.slug == "config/backbone-contract"


def test_only_nets_of_fixed_size_are_told_the_size():
    assert net_options("test_vit", 96, 64) == {"img_size": (96, 64)}
    assert net_options("resnet18", 96, 64) == {}


def test_maximum_pooling_takes_the_maximum_over_the_pixels():
    net = timm.create_model("test_resnet").eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        maps = net.forward_features(images)
        assert torch.equal(without_last_layer(net, "max")(images), maps.amax(dim=(2, 3)))
        torch.testing.assert_close(without_last_layer(net, "avg")(images), maps.amax(dim=(2, 3)))
