import pytest
import torch

from fivefold.core.errors import ConfigError
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
