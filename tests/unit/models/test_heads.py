import torch

from fivefold.core.types import Head
from fivefold.models.heads import ClassifierHead

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
