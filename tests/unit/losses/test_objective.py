import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional

from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.losses import build_loss, check_loss
from fivefold.losses.objective import log_odds_of_softmax

torch.set_num_threads(1)


def head(activation, classes=4, name=""):
    return Head(name, activation, tuple(f"c{i}" for i in range(classes)))


def batch(classes=4, samples=10, seed=0):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(0, 3, (samples, classes)), requires_grad=True)
    return logits, torch.eye(classes, dtype=torch.float64)[rng.integers(0, classes, samples)]


def keras_bce(probs, targets):
    return -(targets * probs.log() + (1 - targets) * (1 - probs).log()).mean()


def keras_ce(probs, targets):
    return -(targets * (probs / probs.sum(1, keepdim=True)).log()).sum(1).mean()


@pytest.mark.parametrize(
    ("activation", "text", "expected"),
    [
        ("softmax", "categorical_crossentropy", lambda z, t: keras_ce(z.softmax(1), t)),
        ("softmax", "binary_crossentropy", lambda z, t: keras_bce(z.softmax(1), t)),
        ("sigmoid", "binary_crossentropy", lambda z, t: keras_bce(z.sigmoid(), t)),
        ("sigmoid", "categorical_crossentropy", lambda z, t: keras_ce(z.sigmoid(), t)),
        ("linear", "categorical_crossentropy", lambda z, t: keras_ce(z.softmax(1), t)),
        ("linear", "binary_crossentropy", lambda z, t: keras_bce(z.sigmoid(), t)),
        (
            "sigmoid",
            "bce - 0.5*ce",
            lambda z, t: keras_bce(z.sigmoid(), t) - 0.5 * keras_ce(z.sigmoid(), t),
        ),
    ],
)
def test_a_loss_sees_the_probabilities_that_keras_would_show_it(activation, text, expected):
    logits, targets = batch()
    loss = build_loss((text,), (head(activation),))(logits, targets)
    torch.testing.assert_close(loss, expected(logits, targets))
    (gradient,) = torch.autograd.grad(loss, logits)
    (reference,) = torch.autograd.grad(expected(logits, targets), logits)
    torch.testing.assert_close(gradient, reference)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_without_a_text_the_activation_decides(activation):
    logits, targets = batch()
    named = {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy"}[activation]
    assert build_loss((), (head(activation),))(logits, targets) == build_loss(
        (named,), (head(activation),)
    )(logits, targets)


def test_several_heads_are_added():
    heads = (head("softmax", 3, "kind"), head("sigmoid", 2, "flags"))
    logits, _ = batch(5)
    targets = torch.cat([batch(3)[1], (batch(2)[1])], dim=1)
    expected = log_loss(
        targets[:, :3].argmax(1), logits[:, :3].detach().softmax(1)
    ) + functional.binary_cross_entropy(logits[:, 3:].sigmoid(), targets[:, 3:])
    for texts in ((), ("ce", "bce")):
        torch.testing.assert_close(build_loss(texts, heads)(logits, targets), expected)


def test_one_text_serves_all_heads_and_options_reach_the_loss():
    heads = (head("sigmoid", 2, "a"), head("sigmoid", 3, "b"))
    logits, targets = batch(5)
    smooth = targets * 0.9 + 0.05
    expected = functional.binary_cross_entropy_with_logits(
        logits[:, :2], smooth[:, :2]
    ) + functional.binary_cross_entropy_with_logits(logits[:, 2:], smooth[:, 2:])
    loss = build_loss(("2*bce(label_smoothing=0.1)",), heads)
    torch.testing.assert_close(loss(logits, targets), 2 * expected)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 300.0])
def test_log_odds_of_a_softmax_are_exact_where_probabilities_are_not(scale):
    logits = (batch(6)[0].detach() * scale).requires_grad_()
    columns = [
        logits[:, i] - torch.cat([logits[:, :i], logits[:, i + 1 :]], 1).logsumexp(1)
        for i in range(6)
    ]
    expected = torch.stack(columns, dim=1)
    found = log_odds_of_softmax(logits)
    torch.testing.assert_close(found, expected)
    weights = torch.arange(60.0, dtype=torch.float64).reshape(10, 6)
    (gradient,) = torch.autograd.grad((found * weights).sum(), logits)
    (reference,) = torch.autograd.grad((expected * weights).sum(), logits)
    torch.testing.assert_close(gradient, reference)


def test_log_odds_of_equal_logits_have_a_gradient():
    logits = torch.zeros(1, 2, requires_grad=True)
    odds = log_odds_of_softmax(logits)
    torch.testing.assert_close(odds, torch.zeros(1, 2))
    odds[0, 1].backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[-1.0, 1.0]]))


@pytest.mark.parametrize(
    ("texts", "heads", "slug", "message"),
    [
        (("cee",), (head("softmax"),), "config/unknown-name", "known loss, got 'cee'"),
        (("ce+*bce",), (head("softmax"),), "config/bad-value", r"loss: 'ce\+\*bce': expected a"),
        (("ce(x=1)",), (head("softmax"),), "config/unknown-key", r"loss\.ce\.x: unknown key"),
        (
            ("ce", "ce"),
            (head("softmax"),),
            "config/loss-count",
            "expected 1 for the one head, got 2",
        ),
        ((), (head("linear"),), "config/missing-key", "required for a head with activation 'lin"),
        (("ce",), (head("softmax", 1),), "config/one-class-softmax", "only class 'c0', got 'soft"),
        (
            ("bce(label_smoothing=2)",),
            (head("sigmoid"),),
            "config/bad-value",
            r"bce\.label_smoothing: expected less than 1, got 2",
        ),
    ],
)
def test_what_cannot_be_minimised_is_a_config_error(texts, heads, slug, message):
    with pytest.raises(ConfigError, match=message) as error:
        build_loss(texts, heads)
    assert error.value.slug == slug


def test_all_problems_of_an_expression_are_found_with_their_place():
    problems = check_loss(
        "cros_entropy + bce(label_smoothin=1)", lambda *path: "config.yaml:3:7", "stages.0.loss"
    )
    assert [str(problem) for problem in problems] == [
        "config.yaml:3:7: stages.0.loss: expected the name of a known loss, got 'cros_entropy'\n"
        "    did you mean 'cross_entropy'?",
        "config.yaml:3:7: stages.0.loss.bce.label_smoothin: unknown key\n"
        "    did you mean 'label_smoothing'?",
    ]
