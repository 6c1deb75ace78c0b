import pytest

from fivefold.build import build_heads
from fivefold.config import parse
from fivefold.core.errors import ConfigError
from fivefold.core.masks import MaskKind
from fivefold.data import Labels

UNET = "architecture: Unet\nbackbone: ResNet18\n"
NUMBERS = MaskKind(3, exclusive=True)
PLANES = MaskKind(3, exclusive=False)
THREE = [Labels("", ("none", "disk", "ring"), exclusive=False)]


@pytest.mark.parametrize(
    ("masks", "text", "activation"),
    [
        (NUMBERS, "", "softmax"),
        (NUMBERS, "activation: Softmax\nclasses: 3", "softmax"),
        (PLANES, "", "sigmoid"),
        (PLANES, "activation: [sigmoid]\nclasses: [3]", "sigmoid"),
        (PLANES, "activation: none", "linear"),
    ],
)
def test_masks_decide_the_activation_and_the_config_may_agree(masks, text, activation):
    (head,) = build_heads(parse(UNET + text), THREE, masks)
    assert (head.activation, head.class_names) == (activation, THREE[0].class_names)


@pytest.mark.parametrize(
    ("masks", "text", "slug", "message"),
    [
        (NUMBERS, "activation: sigmoid", "config/activation", "expected 'softmax', since the mask"),
        (PLANES, "activation: softmax", "config/activation", "expected 'sigmoid', since the mask"),
        (PLANES, "classes: 1", "config/class-count", "classes: expected 3, the number in the mask"),
        (PLANES, "classes: [1, 2]", "config/heads", "classes: expected one entry, since masks are"),
    ],
)
def test_what_contradicts_the_masks_is_told_with_its_place(masks, text, slug, message):
    with pytest.raises(ConfigError, match=message) as caught:
        build_heads(parse(UNET + text), THREE, masks)
    (problem,) = caught.value.problems
    assert problem.slug == slug
    assert problem.where.startswith("config.yaml:3:")


def test_softmax_needs_two_classes():
    labels = [Labels("", ("disk",), exclusive=False)]
    with pytest.raises(ConfigError, match="classes: expected at least 2 for 'softmax', got 1"):
        build_heads(parse(UNET), labels, MaskKind(1, exclusive=True))


def test_masks_and_architecture_go_together():
    with pytest.raises(ConfigError, match="expected a backbone, since the data has no masks") as e:
        build_heads(parse(UNET), THREE)
    assert e.value.problems[0].slug == "config/masks"
    with pytest.raises(ConfigError, match="expected one that makes masks, which the data has"):
        build_heads(parse("architecture: ResNet18"), THREE, PLANES)
