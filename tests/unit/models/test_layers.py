import pytest
import timm
import tiny  # noqa: F401  registers the net
import torch
from torch import nn

from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier, count_layers
from fivefold.models.layers import last_layers

HEADS = (Head("", "softmax", ("a", "b")),)


def model(name="resnet18", **changes):
    return build_classifier(ModelSpec(name, HEADS, (32, 32, 3), **changes))


def learning(model):
    return {name for name, p in model.named_parameters() if p.requires_grad}


def test_layers_of_a_resnet_are_its_blocks_and_the_stem():
    net = timm.create_model("resnet18", num_classes=0)
    assert count_layers(net) == 9
    last = last_layers(net, 3)
    assert {name.rsplit(".", 2)[0][:8] for name in last} == {"layer3.1", "layer4.0", "layer4.1"}
    assert last_layers(net, 0) == frozenset()
    assert last_layers(net, 9) == {name for name, _ in net.named_parameters()}


@pytest.mark.parametrize(("layers", "of_backbone"), [(-1, None), (0, 0), (1, 6), (9, None)])
def test_only_the_last_layers_learn_and_the_head(layers, of_backbone):
    made = model()
    made.freeze(encoder=False, batchnorm=False, layers_to_train=layers)
    expected = 60 if of_backbone is None else of_backbone  # 20 convolutions with 2 of a norm each
    assert len([name for name in learning(made) if name.startswith("backbone.")]) == expected
    assert {"head.linear.weight", "head.linear.bias"} <= learning(made)


def test_held_layers_keep_every_byte_through_a_step_and_the_others_do_not():
    made = model("tiny")
    made.freeze(encoder=False, batchnorm=False, layers_to_train=1)
    before = {name: t.clone() for name, t in made.state_dict().items()}
    made.train()
    optimizer = torch.optim.SGD([p for p in made.parameters() if p.requires_grad], lr=0.1)
    made(torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)).square().sum().backward()
    optimizer.step()
    changed = {n for n, t in made.state_dict().items() if not torch.equal(t, before[n])}
    assert {name.split(".")[3] for name in changed if name.startswith("backbone")} == {"3", "4"}


def test_what_is_held_is_in_evaluation_and_what_learns_is_not():
    made = model()
    made.freeze(encoder=False, batchnorm=False, layers_to_train=2)
    made.train()
    modes = {name: m.training for name, m in made.backbone.net.named_modules() if "." in name}
    assert {mode for name, mode in modes.items() if name.startswith("layer4.")} == {True}
    assert {mode for name, mode in modes.items() if name.startswith(("layer1.", "layer3."))} == {
        False
    }
    made.freeze(encoder=False, batchnorm=False)
    assert all(m.training for m in made.train().modules())


def test_a_net_may_hold_parameters_of_its_own_in_every_layer():
    made = model("tiny")
    made.backbone.net.layers[3].weight.requires_grad_(False)
    made._trainable = frozenset(n for n, p in made.backbone.named_parameters() if p.requires_grad)
    made.freeze(encoder=False, batchnorm=False, layers_to_train=1)
    assert "backbone.net.layers.3.weight" not in learning(made)
    assert "backbone.net.layers.4.weight" in learning(made)


def test_a_net_without_parameters_has_no_layers():
    assert count_layers(nn.ReLU()) == 0
