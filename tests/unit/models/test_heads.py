import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.types import Head
from fivefold.models.heads import ClassifierHead, logits_together

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


@given(
    heads=st.sampled_from([1, 2, 3, 5, 8]),
    features=st.sampled_from([1, 3, 16, 64, 512]),
    classes=st.sampled_from([1, 2, 3, 10, 33]),
    rows=st.sampled_from([2, 3, 17, 33]),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_a_head_among_others_has_the_bits_that_it_has_alone(
    heads, features, classes, rows, threads, seed
):
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    kind = (Head("", "softmax", tuple(map(str, range(classes)))),)
    together = [ClassifierHead(features, kind) for _ in range(heads)]
    blocks, upstream = torch.randn(heads, rows, features), torch.randn(heads, rows, classes)
    logits = logits_together(together, blocks)
    logits.backward(upstream)
    for i, head in enumerate(together):
        gradients = [p.grad.clone() for p in head.parameters()]
        head.zero_grad()
        alone = logits_together([head], blocks[i : i + 1])
        alone.backward(upstream[i : i + 1])
        assert torch.equal(alone[0], logits[i])
        for gradient, parameter in zip(gradients, head.parameters(), strict=True):
            assert torch.equal(gradient, parameter.grad)


def test_heads_together_compute_what_each_computes_by_itself_to_rounding():
    torch.manual_seed(0)
    kind = (Head("", "softmax", ("a", "b", "c")),)
    together = [ClassifierHead(20, kind) for _ in range(4)]
    blocks = torch.randn(4, 7, 20)
    expected = torch.stack([head(block) for head, block in zip(together, blocks, strict=True)])
    torch.testing.assert_close(logits_together(together, blocks), expected)


def test_dropout_from_a_generator_draws_what_dropout_draws_in_the_same_state():
    head = ClassifierHead(50, (Head("", "softmax", ("a", "b")),), dropout=0.3).train()
    features = torch.randn(9, 50)
    torch.manual_seed(5)
    expected = head.dropout(features)
    assert torch.equal(head.dropped(features, torch.Generator().manual_seed(5)), expected)


def test_without_dropout_nothing_is_drawn():
    head = ClassifierHead(5, (Head("", "softmax", ("a", "b")),))
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    features = torch.randn(3, 5)
    assert head.dropped(features, generator) is features
    assert torch.equal(before, generator.get_state())
