import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fivefold.core.types import Head
from fivefold.models.activations import ACTIVATIONS
from fivefold.models.heads import ClassifierHead, Hidden, dropped, logits_together

HEADS = (Head("kind", "softmax", ("cat", "dog", "cow")), Head("colour", "sigmoid", ("red", "blue")))


def test_all_heads_columns_lie_side_by_side():
    head = ClassifierHead(7, HEADS)
    assert head(torch.zeros(4, 7)).shape == (4, 5)


def test_dropout_acts_only_in_training():
    head = ClassifierHead(50, HEADS, dropout=0.9)
    features = torch.ones(2, 50)
    assert torch.equal(head.eval()(features), head(features))
    assert not torch.equal(head.train()(features), head(features))


def test_full_dropout_leaves_the_bias():
    head = ClassifierHead(50, HEADS, dropout=1.0).train()
    assert torch.equal(head(torch.ones(1, 50))[0], head.linear.bias)


LAYERS = [
    Hidden(),
    Hidden((8.0,)),
    Hidden((33.0, 0.4, 5.0), "gelu"),
    Hidden((0.2, 17.0), "tanh", batchnorm=True),
]


def test_hidden_layers_stand_in_the_order_that_they_are_given_in():
    head = ClassifierHead(7, HEADS, hidden=Hidden((10.0, 0.4, 6.0), "silu", batchnorm=True))
    kinds = [type(step).__name__ for step in head.steps]
    first, second = ["Linear", "BatchNorm1d", "SiLU"], ["Linear", "BatchNorm1d", "SiLU"]
    assert kinds == ["Dropout", *first, "Dropout", *second, "Linear"]
    assert head.sizes == ((7, 10), (10, 6), (6, 5))
    assert head.steps[4].p == 0.4


def test_a_head_with_layers_computes_what_they_compute_one_after_the_other():
    torch.manual_seed(0)
    head = ClassifierHead(7, HEADS, hidden=Hidden((10.0, 6.0))).eval()
    features = torch.randn(3, 7)
    first, second = head.hidden[0], head.hidden[2]
    inside = (features @ first.weight.T + first.bias).clamp(min=0)
    inside = (inside @ second.weight.T + second.bias).clamp(min=0)
    expected = inside @ head.linear.weight.T + head.linear.bias
    torch.testing.assert_close(head(features), expected)


def test_a_fraction_alone_is_a_dropout_before_the_last_layer():
    head = ClassifierHead(4, HEADS, hidden=Hidden((0.9,)))
    assert [type(step).__name__ for step in head.steps] == ["Dropout", "Dropout", "Linear"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_a_class_of_torch_that_takes_any_number(name):
    layer = getattr(nn, ACTIVATIONS[name])()
    assert torch.isfinite(layer(torch.tensor([-50.0, 0.0, 50.0]))).all()


@given(
    heads=st.sampled_from([1, 2, 3, 5, 8]),
    features=st.sampled_from([1, 3, 5, 16, 64, 512]),
    classes=st.sampled_from([1, 2, 3, 10, 33]),
    rows=st.sampled_from([2, 3, 17, 33]),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 1000),
    hidden=st.sampled_from(LAYERS),
)
@settings(max_examples=100, deadline=None)
def test_a_head_among_others_has_the_bits_that_it_has_alone(
    heads, features, classes, rows, threads, seed, hidden
):
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    kind = (Head("", "softmax", tuple(map(str, range(classes)))),)
    together = [ClassifierHead(features, kind, hidden=hidden) for _ in range(heads)]
    # Some have one row less, as the last batch of a fold may have.
    blocks = [torch.randn(rows - (i % 2 if rows > 2 else 0), features) for i in range(heads)]
    upstream = [torch.randn(len(block), classes) for block in blocks]
    logits = logits_together(together, blocks, seeded(heads), rows)
    torch.autograd.backward(logits, upstream)
    for i, head in enumerate(together):
        gradients = [p.grad.clone() for p in head.parameters()]
        head.zero_grad()
        (alone,) = logits_together([head], blocks[i : i + 1], seeded(heads)[i : i + 1], rows)
        alone.backward(upstream[i])
        assert torch.equal(alone, logits[i])
        for gradient, parameter in zip(gradients, head.parameters(), strict=True):
            assert torch.equal(gradient, parameter.grad)


def seeded(heads):
    return [torch.Generator().manual_seed(i) for i in range(heads)]


@pytest.mark.parametrize("hidden", LAYERS)
def test_heads_together_compute_what_each_computes_by_itself_to_rounding(hidden):
    torch.manual_seed(0)
    kind = (Head("", "softmax", ("a", "b", "c")),)
    together = [ClassifierHead(20, kind, dropout=0.3, hidden=hidden) for _ in range(4)]
    blocks = [torch.randn(7, 20) for _ in range(4)]
    found = logits_together(together, blocks, seeded(4), 7)
    for seed, (head, block, logits) in enumerate(zip(together, blocks, found, strict=True)):
        torch.manual_seed(seed)
        torch.testing.assert_close(logits, head.train()(block))


def test_dropout_from_a_generator_draws_what_dropout_draws_in_the_same_state():
    layer = nn.Dropout(0.3)
    features = torch.randn(9, 50)
    torch.manual_seed(5)
    expected = layer(features)
    assert torch.equal(dropped(layer, features, torch.Generator().manual_seed(5)), expected)


def test_without_dropout_nothing_is_drawn():
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    features = torch.randn(3, 5)
    assert dropped(nn.Dropout(0), features, generator) is features
    assert torch.equal(before, generator.get_state())


def test_a_head_that_pools_takes_the_mean_weighted_by_what_it_has_learned():
    torch.manual_seed(0)
    head = ClassifierHead(6, HEADS, pools=True).eval()
    positions = torch.randn(3, 6, 4)
    weight = head.pool.score.weight[0]
    pooled = torch.zeros(3, 6)
    for n in range(3):
        scores = [torch.sigmoid(weight @ positions[n, :, p]) for p in range(4)]
        total = sum(scores)
        pooled[n] = sum(s * positions[n, :, p] for p, s in enumerate(scores)) / total
    torch.testing.assert_close(head.pool(positions), pooled)
    torch.testing.assert_close(head(positions), head.linear(pooled))
    head(positions).sum().backward()
    assert head.pool.score.weight.grad.abs().sum() > 0


def test_positions_that_matter_alike_are_averaged_whatever_their_number():
    head = ClassifierHead(6, HEADS, pools=True)
    nn.init.zeros_(head.pool.score.weight)
    positions = torch.randn(3, 6, 49)
    torch.testing.assert_close(head.pool(positions), positions.mean(dim=2))


def test_a_shift_is_added_only_where_the_head_does_not_train():
    head = ClassifierHead(4, (Head("", "softmax", ("a", "b")),))
    features = torch.randn(3, 4)
    plain = head.eval()(features)
    head.shift_by([0.5, -1.0])
    assert torch.equal(head(features), plain + torch.tensor([0.5, -1.0]))
    assert torch.equal(head.train()(features), plain)
    assert not any("shift" in name for name in head.state_dict())
    head.shift_by(())
    assert torch.equal(head.eval()(features), plain)
