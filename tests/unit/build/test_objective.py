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


MASKS = "architecture: Unet\nbackbone: ResNet18\nstages: [{epochs: 1}]\n"
PIXELS = Head("", "softmax", ("background", "cat", "dog"))
PLANES = Head("", "sigmoid", ("cat", "dog"))


def test_lovasz_of_masks_takes_any_number_of_classes():
    for head in (PIXELS, PLANES):
        config = parse(f"{MASKS}loss: lovasz_loss\nmetrics: [iou_dog]")
        check_heads(config, config.resolve(), (head,), weighted=True)


@pytest.mark.parametrize(
    ("text", "head", "message"),
    [
        (
            "loss: bce + dice_loss\nclass_weights: {cat: 2}",
            PLANES,
            "config.yaml:5:16: class_weights: expected a loss with a number for each class of a "
            "pixel, got 'dice_loss', which has one for a whole image",
        ),
        (
            "loss: lovasz_loss\nclass_weights: balanced",
            PIXELS,
            "config.yaml:5:16: class_weights: expected a loss with a number for each pixel, got "
            "'lovasz_loss', which has one for a whole image",
        ),
        (
            "loss: ce\npos_weight: 3",
            PLANES,
            "config.yaml:5:13: pos_weight: expected a loss with a number for each class of a "
            "pixel, got 'ce', which has one for a whole pixel",
        ),
        (
            "class_weights: {cow: 2}",
            PIXELS,
            "config.yaml:4:16: class_weights: expected the name of a class, got 'cow'",
        ),
        (
            "loss: [bce, ce]",
            PIXELS,
            "config.yaml:4:7: loss: expected 1 for the one head, got 2",
        ),
        (
            "metrics: [iou_cow]",
            PIXELS,
            "config.yaml:4:11: metrics: expected the name of a known metric of masks, got "
            "'iou_cow'",
        ),
    ],
)
def test_what_masks_of_these_classes_cannot_have_is_told_with_its_line(text, head, message):
    assert refused(f"{MASKS}{text}", head) == [message]


def test_weights_of_classes_fit_losses_of_pixels():
    for loss in ("ce", "categorical_focal_crossentropy"):
        config = parse(f"{MASKS}loss: {loss}\nclass_weights: balanced")
        check_heads(config, config.resolve(), (PIXELS,))
    for loss in ("bce", "focal_loss", "0.5*bce + binary_focal_crossentropy"):
        config = parse(f"{MASKS}loss: {loss}\npos_weight: {{cat: 3}}\nclass_weights: log")
        check_heads(config, config.resolve(), (PLANES,))
