import pytest
import torch

from fivefold.core.types import Head
from fivefold.losses import Balance, build_loss, check_fit, check_loss, losses
from fivefold.losses.fitting import REFUSED

torch.set_num_threads(1)


def head(activation, classes=3, name=""):
    return Head(name, activation, tuple("abcdefgh"[:classes]))


def told(texts, heads, balance=None):
    places = {"loss": "c.yaml:3:7", "class_weights": "c.yaml:4:16", "pos_weight": "c.yaml:5:13"}
    return [(p.slug, str(p)) for p in check_fit(texts, heads, balance, places.__getitem__)]


def test_lovasz_on_three_classes_is_told_with_its_line():
    (problem,) = told(("bce+0.5*Lovasz_Loss",), (head("sigmoid"),))
    assert problem == (
        "config/loss-classes",
        "c.yaml:3:7: loss: Lovasz_Loss: expected a head with 1 class, got 3\n"
        "    `f1_loss` and `jaccard_loss` take any number of classes",
    )
    assert told(("lovasz_loss",), (head("sigmoid", 1),)) == []


@pytest.mark.parametrize("name", ["ce", "softmax_focal_loss", "cce_dice_loss", "cosine"])
def test_a_loss_that_a_single_class_leaves_constant_is_told(name):
    (problem,) = told((name,), (head("sigmoid", 1),))
    assert problem == (
        "config/loss-classes",
        f"c.yaml:3:7: loss: {name}: expected a head with at least 2 classes, got 1\n"
        "    it is the same whatever the only class gets; write `binary_crossentropy`",
    )
    assert told((name,), (head("sigmoid", 2),)) == []


@pytest.mark.parametrize("name", losses.names())
def test_every_loss_that_a_single_class_may_have_teaches_it_something(name):
    only = (head("sigmoid", 1),)
    if told((name,), only):
        return
    logits = torch.tensor([[0.3], [-0.8], [1.5]], requires_grad=True)
    build_loss((name,), only)(logits, torch.tensor([[1.0], [0.0], [0.0]])).backward()
    assert logits.grad.abs().max() > 1e-6


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_name_that_nothing_trains_with_says_why(name):
    (problem,) = check_loss(f"bce + {name}", lambda *path: "c.yaml:3:7")
    assert problem.slug == "config/refused-loss"
    assert problem.message == f"loss: expected a loss to train with, got {name!r}"
    assert problem.hint == REFUSED[name]


@pytest.mark.parametrize(
    ("activation", "loss", "balance"),
    [
        ("softmax", "ce", Balance("balanced")),
        ("softmax", "dice_loss", Balance("balanced")),
        ("softmax", "bce", Balance({"a": 2.0})),
        ("sigmoid", "bce + 0.1*focal_loss", Balance("log", 0.5, pos_weight=2.0)),
        ("sigmoid", "asl", Balance(pos_weight=(1.0, 2.0, 3.0))),
        ("sigmoid", "mse", Balance(pos_weight={"a": 2.0})),
        ("linear", "mse", Balance()),
    ],
)
def test_weights_that_fit_are_no_problem(activation, loss, balance):
    assert told((loss,), (head(activation),), balance) == []


@pytest.mark.parametrize(
    ("activation", "loss", "balance", "message"),
    [
        (
            "softmax",
            "ce+f1_loss",
            Balance("balanced"),
            "c.yaml:4:16: class_weights: expected a loss with a number for each sample, "
            "got 'f1_loss', which has one for a whole batch",
        ),
        (
            "sigmoid",
            "dice_loss",
            Balance("balanced"),
            "c.yaml:4:16: class_weights: expected a loss with a number for each class of a "
            "sample, got 'dice_loss', which has one for a whole sample",
        ),
        (
            "sigmoid",
            "dice_loss",
            Balance(pos_weight="balanced"),
            "c.yaml:5:13: pos_weight: expected a loss with a number for each class of a sample",
        ),
        (
            "softmax",
            "ce",
            Balance({"zzz": 2.0}),
            "c.yaml:4:16: class_weights: expected the name of a class, got 'zzz'\n"
            "    the classes are a, b, c",
        ),
        (
            "sigmoid",
            "bce",
            Balance(pos_weight={"z": 2.0}),
            "c.yaml:5:13: pos_weight: expected the name of a class, got 'z'",
        ),
        (
            "softmax",
            "ce",
            Balance(pos_weight=2.0),
            "c.yaml:5:13: pos_weight: expected a head with activation 'sigmoid', got 'softmax'",
        ),
        (
            "sigmoid",
            "bce",
            Balance(pos_weight=(1.0, 2.0)),
            "c.yaml:5:13: pos_weight: expected 3 numbers, one for each class, got 2",
        ),
        (
            "linear",
            "mse",
            Balance("balanced"),
            "c.yaml:4:16: class_weights: expected activation 'softmax' or 'sigmoid', got 'none'",
        ),
    ],
)
def test_weights_that_cannot_be_followed_are_told_with_their_line(
    activation, loss, balance, message
):
    ((slug, text),) = told((loss,), (head(activation),), balance)
    assert slug == "config/class-weights"
    assert text.startswith(message)


def test_a_head_that_is_not_weighed_may_have_any_loss():
    heads = (head("sigmoid", name="tags"), head("softmax", name="kind"))
    assert told(("bce", "f1_loss"), heads, Balance(pos_weight=2.0)) == []
