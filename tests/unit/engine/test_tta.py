import numpy as np
import pytest
import torch
from torch import nn

from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.engine.predictor import view_maps
from fivefold.engine.tta import identity, views_of


@pytest.mark.parametrize(("tta", "count"), [(None, 1), (False, 1), ("Horizontal", 2), (True, 4)])
def test_each_name_has_its_views(tta, count):
    images = torch.arange(12.0).view(1, 1, 3, 4)
    seen = {tuple(view(images).flatten().tolist()) for view in views_of(tta)}
    assert len(seen) == count
    assert views_of(tta)[0] is identity


def test_all_four_flips_are_different_and_undo_themselves():
    images = torch.arange(24.0).view(1, 2, 3, 4)
    for view in views_of("Horizontal_and_vertical"):
        assert torch.equal(view(view(images)), images)


def test_a_view_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="tta: expected true, false, 'Horizontal' or"):
        views_of("Vertical")


class ShiftAndSum(nn.Module):
    """Sees each pixel and the one above and to the left: no flip leaves it as it is."""

    heads = (Head("", "sigmoid", ("a", "b")),)

    def forward(self, images):
        near = images.roll((1, 1), (2, 3))
        return torch.stack([images[:, 0] - near[:, 1], near[:, 2] - 0.5], dim=1)


def test_maps_of_each_view_are_turned_back():
    """A net that looks at single pixels says the same of all views, once they are undone."""
    images = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))

    class Pointwise(ShiftAndSum):
        def forward(self, images):
            return images[:, :2] * 3 - images[:, 2:]

    alone = view_maps(Pointwise(), images, views_of(None))
    assert alone.shape == (2, 2, 5, 7)
    for tta in ("Horizontal", True):
        np.testing.assert_allclose(view_maps(Pointwise(), images, views_of(tta)), alone, atol=1e-6)


def test_flipped_images_get_flipped_maps_when_all_four_flips_are_averaged():
    images = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    net, views = ShiftAndSum(), views_of(True)
    whole = torch.from_numpy(view_maps(net, images, views))
    assert not torch.equal(whole, torch.from_numpy(view_maps(net, images, views_of(None))))
    for view in views:
        torch.testing.assert_close(
            torch.from_numpy(view_maps(net, view(images), views)), view(whole), atol=1e-6, rtol=0
        )
