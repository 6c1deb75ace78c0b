import pytest
import torch
import torch.nn.functional as F  # noqa: N812  torch's usual name
from timm.models._manipulate import adapt_input_conv

from fivefold.core.errors import ConfigError
from fivefold.models.channels import adapt_channels, input_spec

RGB = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0))


def adapted(channels, *, copy_weights=False):
    return adapt_channels("net", RGB, torch.Size((4, channels, 3, 3)), copy_weights=copy_weights)


@pytest.mark.parametrize("channels", [1, 2])
def test_fewer_channels_follow_timms_rule(channels):
    torch.testing.assert_close(adapted(channels), adapt_input_conv(channels, RGB.clone()))


def test_a_grey_image_is_seen_as_it_was_in_colour():
    grey = torch.randn(1, 1, 8, 8)
    colour = F.conv2d(grey.repeat(1, 3, 1, 1), RGB)
    torch.testing.assert_close(F.conv2d(grey, adapted(1)), colour)


def test_further_channels_start_from_zeros():
    weight = adapted(5)
    assert torch.equal(weight[:, :3], RGB)
    assert not weight[:, 3:].any()


def test_copied_weights_fill_further_channels_with_the_third():
    weight = adapted(5, copy_weights=True)
    assert torch.equal(weight, RGB[:, [0, 1, 2, 2, 2]])


def test_copied_weights_make_the_last_channel_blue_as_musket_does():
    assert torch.equal(adapted(1, copy_weights=True), RGB[:, [2]])
    assert torch.equal(adapted(2, copy_weights=True), RGB[:, [0, 2]])


def test_tensors_that_fit_are_returned_untouched():
    assert adapt_channels("net", RGB, RGB.shape, copy_weights=False) is RGB


@pytest.mark.parametrize("weight", [torch.zeros(4, 12, 3, 3), torch.zeros(8, 48)])
def test_a_first_layer_of_another_kind_is_refused(weight):
    wanted = torch.Size((weight.shape[0], weight.shape[1] + 4, *weight.shape[2:]))
    with pytest.raises(ConfigError, match="shape: expected 3 channels, since 'odd'") as error:
        adapt_channels("odd", weight, wanted, copy_weights=False)
    assert error.value.slug == "config/channels"


MEAN, STD = (0.1, 0.2, 0.6), (0.3, 0.4, 0.5)


@pytest.mark.parametrize(
    ("channels", "copy_weights", "mean"),
    [
        (3, False, MEAN),
        (1, False, (0.3,)),
        (2, False, (0.1, 0.2)),
        (4, False, (0.1, 0.2, 0.6, 0.6)),
        (1, True, (0.6,)),
        (2, True, (0.1, 0.6)),
        (5, True, (0.1, 0.2, 0.6, 0.6, 0.6)),
    ],
)
def test_normalisation_follows_the_colours_that_channels_stand_for(channels, copy_weights, mean):
    spec = input_spec(MEAN, STD, "bicubic", channels=channels, copy_weights=copy_weights)
    assert spec.mean == pytest.approx(mean)
    assert len(spec.std) == channels


def test_one_value_is_for_all_channels():
    assert input_spec((0.5,), (0.25,), "bilinear", channels=4).std == (0.25,) * 4
