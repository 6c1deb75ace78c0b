"""Grad-CAM and LayerCAM, against analysis, brute force and the package grad-cam."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from looking import THREE, classifier, image

from fivefold.core.choices import EXACT
from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.models.cam import CLASS_MAPS, class_maps, grad_cam, layer_cam

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "grad_cam.json").read_text())


def name_of(case):
    return f"{case['net']} {case['layer']} {case['method']} {case['column']}"


@pytest.mark.parametrize("case", GOLDEN["maps"], ids=name_of)
def test_maps_are_those_of_the_package_grad_cam(case):
    model = classifier(case["net"])
    found = class_maps(model, image(), [case["column"]], case["layer"], CLASS_MAPS[case["method"]])
    expected = np.array(case["map"])
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-4, atol=1e-6 * expected.max())


def test_the_package_s_maps_show_something():
    shown = {(c["net"], c["method"]) for c in GOLDEN["maps"] if np.max(c["map"]) > 0}
    assert len(shown) == 4


def test_with_a_linear_head_on_the_mean_grad_cam_is_cam():
    # Zhou et al., "Learning Deep Features for Discriminative Localization": the class's weights
    # of the last layer, times the maps that are averaged; Grad-CAM divides by the positions
    model = classifier("looking_cnn")
    kept = []
    model.backbone.net.late.register_forward_hook(lambda _, __, output: kept.append(output))
    with torch.no_grad():
        model(image())
    weights = model.head.linear.weight.detach()
    cam = torch.einsum("kc,chw->khw", weights, kept[0][0]).relu() / kept[0][0][0].numel()
    found = class_maps(model, image(), [0, 1, 2], "late", grad_cam)
    torch.testing.assert_close(found, cam, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("weigh", [grad_cam, layer_cam])
def test_gradients_are_those_of_finite_differences(weigh):
    # of what follows the layer, which here writes into what it is given
    model = classifier("looking_cnn").double()
    net = model.backbone.net
    pixels = image()
    kept = []
    hook = net.middle.register_forward_hook(lambda _, __, output: kept.append(output.clone()))
    with torch.no_grad():
        model(pixels)
        hook.remove()
        features = kept[0]

        def logit(changed):
            hook = net.middle.register_forward_hook(lambda _, __, ___: changed.clone())
            value = model(pixels)[0, 1].item()
            hook.remove()
            return value

        gradient = torch.zeros_like(features)
        for place in np.ndindex(*features.shape):
            step = torch.zeros_like(features)
            step[place] = 1e-6
            gradient[place] = (logit(features + step) - logit(features - step)) / 2e-6
    found = class_maps(model, pixels, [1], "middle", weigh)
    torch.testing.assert_close(found[0], weigh(features, gradient)[0], rtol=1e-4, atol=1e-8)


def test_cells_maps_are_put_together():
    whole = classifier("looking_cnn", crops=2, shape=(64, 64, 3))
    pixels = image(height=64, width=64)
    found = class_maps(whole, pixels, [1], "late", grad_cam)[0]
    assert found.shape == (16, 16)
    # the map of each cell is its own Grad-CAM, times its part in the joined answer
    for row, column in np.ndindex(2, 2):
        cell = pixels[:, :, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
        assert not whole.cells.are_in(cell)
        with torch.no_grad():
            alone = whole(cell)
        part = found[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        assert part.shape == (8, 8)
        assert torch.isfinite(alone).all()
    # brute force through the formula of the joined answer
    kept = []

    def keep(_, __, output):
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    hook = whole.backbone.net.late.register_forward_hook(keep)
    logits = whole.classify(whole.features(whole.cells.cut(pixels)))
    hook.remove()
    joined = logits.softmax(dim=1).mean(dim=0).log()[1]
    (gradient,) = torch.autograd.grad(joined, kept[0])
    expected = grad_cam(kept[0].detach(), gradient)
    for row, column in np.ndindex(2, 2):
        part = found[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        torch.testing.assert_close(part, expected[2 * row + column], rtol=1e-3, atol=1e-7)


def test_classes_of_any_head_have_maps():
    heads = (Head("a", "softmax", ("x", "y")), Head("b", "sigmoid", ("p", "q", "r")))
    model = classifier("looking_cnn", heads=heads)
    found = class_maps(model, image(), [0, 3], "late", grad_cam)
    assert found.shape == (2, 8, 8)
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_four_channel_images_have_maps(channels):
    model = classifier("looking_cnn", shape=(32, 32, channels))
    found = class_maps(model, image(channels), [0, 1, 2], "late", grad_cam)
    assert found.shape == (3, 8, 8)
    assert found.max() > 0


def test_a_model_is_left_as_it_was():
    model = classifier("looking_cnn")
    model.choices = replace(EXACT, precision="bfloat16")
    frozen = model.backbone.net.early.bias.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = class_maps(model, image(), [0], "late", grad_cam)
    assert model.choices.precision == "bfloat16"
    assert [p for p in model.parameters() if not p.requires_grad] == [frozen]
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
    assert not model.backbone.net.late._forward_hooks
    again = classifier("looking_cnn")  # in float32
    assert torch.equal(found, class_maps(again, image(), [0], "late", grad_cam))


def test_a_layer_without_a_map_is_refused():
    model = classifier("looking_vit")
    with pytest.raises(ConfigError, match="expected one that gives a map of features, got 'fc_nor"):
        class_maps(model, image(), [0], "fc_norm", grad_cam)


def test_a_layer_that_is_never_called_is_refused():
    model = classifier("looking_cnn")
    model.backbone.net.spare = torch.nn.Conv2d(3, 3, 1)
    with pytest.raises(ConfigError, match="which gives nothing: it is not called"):
        class_maps(model, image(), [0], "spare", grad_cam)


def test_a_class_that_the_layer_has_no_part_in_has_an_empty_map():
    model = classifier("looking_cnn", heads=THREE)
    with torch.no_grad():
        model.head.linear.weight[2] = 0
    assert class_maps(model, image(), [2], "late", grad_cam).abs().max() == 0
