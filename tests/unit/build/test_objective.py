import numpy as np
import pytest

from fivefold.build.objective import build_class_weights, check_heads
from fivefold.config import parse
from fivefold.core.errors import ConfigError
from fivefold.core.types import Head

KIND = Head("kind", "softmax", ("a", "b"))
TAGS = Head("tags", "sigmoid", ("x", "y", "z"))
COUNTS = np.array([30.0, 10.0, 5.0, 20.0, 0.0])


def weights(text, heads=(KIND, TAGS)):
    (stage,) = parse(f"{text}\nstages: [{{epochs: 1}}]").resolve()
    return build_class_weights(stage, heads, lambda: (COUNTS, 40))


def test_without_weights_nothing_is_counted():
    (stage,) = parse("stages: [{epochs: 1}]").resolve()
    assert build_class_weights(stage, (KIND,), None) == ()


def test_each_head_is_weighed_by_its_own_columns():
    kind, tags = weights("class_weights: balanced")
    assert kind.true == pytest.approx((40 / 60, 40 / 20))
    assert tags.true == pytest.approx((40 / 10, 40 / 40, 1.0))


def test_formula_and_factor_come_from_the_config():
    kind, _ = weights("class_weights: log\npositive_weights_multiply: 3")
    assert kind.true == pytest.approx((np.log(3 * 40 / 30), np.log(3 * 40 / 10)))


def test_pos_weight_leaves_a_softmax_alone():
    kind, tags = weights("pos_weight: {y: 4}")
    assert kind.true == (1.0, 1.0)
    assert tags.true == (1.0, 4.0, 1.0)


def refused(text, *heads):
    config = parse(text)
    with pytest.raises(ConfigError, match="expected") as error:
        check_heads(config, config.resolve(), heads)
    return [str(problem).partition("\n")[0] for problem in error.value.problems]


def test_lovasz_on_three_classes_is_refused_with_its_line():
    assert refused("loss: lovasz_loss\nstages: [{epochs: 1}]", TAGS) == [
        "config.yaml:1:7: loss: lovasz_loss: expected a head with 1 class, got 3"
    ]


def test_a_stages_own_loss_is_told_with_the_stages_line():
    text = "class_weights: balanced\nstages:\n- epochs: 1\n- {epochs: 1, loss: f1_loss}"
    (problem,) = refused(text, KIND)
    assert problem.startswith("config.yaml:1:16: class_weights: expected a loss with a number for")


def test_a_stage_may_turn_weights_off():
    stages = "- epochs: 1\n- {epochs: 1, loss: f1_loss, class_weights: none}"
    text = f"class_weights: balanced\nstages:\n{stages}"
    config = parse(text)
    check_heads(config, config.resolve(), (KIND,))
    assert [stage.class_weights for stage in config.resolve()] == ["balanced", "none"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("balance: {zzz: 2}\nstages: [{epochs: 1}]", "config.yaml:1:10: balance: "),
        ("stages: [{epochs: 1, balance: {zzz: 2}}]", "config.yaml:1:31: stages.0.balance: "),
        (
            "balance: sampler\nstages: [{epochs: 1, balance: {zzz: 2}}]",
            "config.yaml:2:31: stages.0.balance: ",
        ),
        (
            "balance: {zzz: 2}\nstages: [{epochs: 1, balance: none, class_weights: {zzz: 3}}]",
            "config.yaml:2:52: stages.0.class_weights: ",
        ),
    ],
)
def test_a_class_that_there_is_not_is_told_under_the_key_that_names_it(text, place):
    assert refused(text, KIND) == [f"{place}expected the name of a class, got 'zzz'"]


def test_a_loss_that_cannot_be_weighed_is_told_under_balance():
    (problem,) = refused("balance: weights\nloss: f1_loss\nstages: [{epochs: 1}]", KIND)
    assert problem.startswith("config.yaml:1:10: balance: expected a loss with a number for each")
