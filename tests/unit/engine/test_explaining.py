"""What several models look at together."""

import numpy as np
import pytest
import torch
from looking import classifier, image

from fivefold.core.errors import ConfigError
from fivefold.engine.explaining import Looker
from fivefold.models.cam import class_maps, grad_cam

PIXELS = image()[0].permute(1, 2, 0).numpy()


def other():
    model = classifier("looking_cnn")
    with torch.no_grad():
        model.head.linear.weight.copy_(30 * model.head.linear.weight.roll(1, dims=0))
    return model


def by_hand(model, columns):
    maps = class_maps(model, image(), columns, "late", grad_cam).numpy()
    return np.stack([one / one.max() if one.max() > 0 else one for one in maps])


def test_the_last_map_is_looked_at_and_brought_to_one():
    looker = Looker([classifier("looking_cnn")], "gradcam")
    found = looker.look(PIXELS, [0, 2])
    assert looker.layer == "late"
    np.testing.assert_allclose(found, by_hand(classifier("looking_cnn"), [0, 2]), rtol=1e-5)
    assert found.max() == 1


def test_several_models_count_alike_whatever_their_logits():
    models = [classifier("looking_cnn"), other()]
    one, two = (by_hand(model, [0]) for model in models)
    assert one.max() == two.max() == 1
    assert np.abs(one - two).max() > 0.1
    mean = (one + two) / 2
    found = Looker(models, "gradcam", "late").look(PIXELS, [0])
    np.testing.assert_allclose(found, mean / mean.max(), rtol=1e-5, atol=1e-7)


def test_what_nothing_speaks_for_is_nowhere():
    model = classifier("looking_cnn")
    with torch.no_grad():
        model.head.linear.weight.zero_()
    assert Looker([model], "layercam").look(PIXELS, [1]).max() == 0


def test_a_roll_out_is_the_same_for_all_classes():
    looker = Looker([classifier("looking_vit")], "rollout")
    found = looker.look(PIXELS, [0, 1])
    assert found.shape == (2, 4, 4)
    assert np.array_equal(found[0], found[1])
    assert looker.layer == ""


def test_cells_are_looked_at_as_the_network_sees_them():
    model = classifier("looking_cnn", crops=2, shape=(64, 64, 3))
    pixels = image(height=64, width=64)[0].permute(1, 2, 0).numpy()
    assert Looker([model], "gradcam").look(pixels, [0]).shape == (1, 16, 16)


def test_an_unknown_layer_is_refused_before_any_image_is_read():
    with pytest.raises(ConfigError, match="expected the name of a layer of the backbone, got 'x'"):
        Looker([classifier("looking_cnn")], "gradcam", "x")
