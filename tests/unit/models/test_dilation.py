import pytest
import timm
import torch
from torch import nn

from fivefold.models.dilation import dilate, pad_evenly, unpad


def last_map(net, images):
    with torch.no_grad():
        return net.eval().forward_intermediates(images, intermediates_only=True)[-1]


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_035", "regnetx_002"])
@pytest.mark.parametrize("stride", [8, 16])
def test_a_net_is_dilated_as_timm_does_it(name, stride):
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    net = timm.create_model(name).eval()
    reference = timm.create_model(name, output_stride=stride)
    reference.load_state_dict(net.state_dict())
    dilate(net, stride, images)
    torch.testing.assert_close(last_map(net, images), last_map(reference, images))
    assert last_map(net, images).shape[2:] == (64 // stride, 96 // stride)


class Windows(nn.Module):
    """Poolings of both kinds behind a convolution of stride 4."""

    def __init__(self, pool):
        super().__init__()
        self.first, self.pool = nn.Conv2d(3, 4, 4, stride=4), pool

    def forward_intermediates(self, images, *, intermediates_only):
        return [self.pool(self.first(images))]


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(2), nn.AvgPool2d(2, 2), nn.MaxPool2d(3, stride=2, padding=1)]
)
def test_a_pooling_no_longer_makes_maps_smaller(pool):
    net, images = Windows(pool), torch.zeros(1, 3, 32, 32)
    assert last_map(net, images).shape[2] == 4
    dilate(net, 4, images)
    assert last_map(net, images).shape[2] == 8


def test_windows_without_padding_get_it_and_lose_it_again():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, 3, padding=1))
    images = torch.zeros(1, 3, 32, 32)
    assert net(images).shape[2] == 15
    changed = pad_evenly(net)
    assert net(images).shape[2] == 16
    assert changed == [net[0]]
    unpad(changed)
    assert net(images).shape[2] == 15
