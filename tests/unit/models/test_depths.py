import pytest
import timm
import tiny  # noqa: F401  registers the net
from timm.optim import param_groups_layer_decay

from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier
from fivefold.models.depths import layer_scales, spared_weights

HEADS = (Head("", "softmax", ("a", "b")),)


def model(name):
    return build_classifier(ModelSpec(architecture=name, heads=HEADS, shape=(32, 32, 3)))


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_vit", "test_convnext"])
def test_layers_learn_as_slowly_as_timm_has_them(name):
    size = {"img_size": 32} if "vit" in name else {}
    theirs = timm.create_model(name, num_classes=2, **size)
    known = {id(p): n for n, p in theirs.named_parameters()}
    expected = {
        "backbone.net." + known[id(parameter)]: group["lr_scale"]
        for group in param_groups_layer_decay(theirs, layer_decay=0.5)
        for parameter in group["params"]
    }
    found = layer_scales(model(name), 0.5)
    assert found
    assert {name: expected[name] for name in found} == pytest.approx(found)


def test_a_net_of_ones_own_has_a_layer_for_each_weight_with_its_norm():
    found = layer_scales(model("tiny"), 0.5)
    assert found == {
        "backbone.net.layers.0.weight": 0.25,
        "backbone.net.layers.1.weight": 0.25,
        "backbone.net.layers.1.bias": 0.25,
        "backbone.net.layers.3.weight": 0.5,
        "backbone.net.layers.4.weight": 0.5,
        "backbone.net.layers.4.bias": 0.5,
    }


@pytest.mark.parametrize("name", ["tiny", "test_vit"])
def test_every_name_is_one_of_the_models(name):
    made = model(name)
    assert {*layer_scales(made, 0.9), *spared_weights(made)} <= {
        name for name, _ in made.named_parameters()
    }


def test_a_decay_of_one_changes_nothing():
    assert layer_scales(model("tiny"), 1.0) == {}


def test_positions_and_tokens_of_transformers_are_spared():
    assert spared_weights(model("test_vit")) == {
        "backbone.net.pos_embed",
        "backbone.net.cls_token",
    }
    assert spared_weights(model("tiny")) == frozenset()
