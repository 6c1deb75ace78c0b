import pytest

from fivefold.build import build_heads
from fivefold.config import parse
from fivefold.core.errors import ConfigError
from fivefold.data import Labels

ANIMAL = Labels("", ("cat", "dog"), exclusive=True)
TAGS = Labels("", ("red", "round"), exclusive=False)
ONE = Labels("", ("sick",), exclusive=False)


@pytest.mark.parametrize(
    ("labels", "text", "activation"),
    [
        (ANIMAL, "", "softmax"),
        (TAGS, "", "sigmoid"),
        (ONE, "", "sigmoid"),
        (ANIMAL, "activation: sigmoid", "sigmoid"),
        (ANIMAL, "activation: Softmax", "softmax"),
        (ANIMAL, "activation: none", "linear"),
    ],
)
def test_the_labels_decide_the_activation_unless_the_config_does(labels, text, activation):
    (head,) = build_heads(parse(text or "lr: 1"), [labels])
    assert (head.activation, head.class_names) == (activation, labels.class_names)


def test_each_output_has_its_head():
    config = parse("classes: [2, 2]\nactivation: [softmax, sigmoid]")
    labels = [Labels("animal", ("cat", "dog"), True), Labels("tags", ("red", "round"), False)]
    assert [(h.name, h.activation) for h in build_heads(config, labels)] == [
        ("animal", "softmax"),
        ("tags", "sigmoid"),
    ]


@pytest.mark.parametrize(
    ("text", "labels", "slug", "message"),
    [
        ("classes: 28", ANIMAL, "config/class-count", "classes: expected 2, .* got 28"),
        ("activation: softmax", TAGS, "config/activation", "activation: expected 'sigmoid'"),
        ("classes: [2, 2]", ANIMAL, "config/heads", "classes: expected 1 entry, .* got 2"),
    ],
)
def test_a_config_that_contradicts_the_data_is_refused(text, labels, slug, message):
    with pytest.raises(ConfigError, match=message) as error:
        build_heads(parse(text), [labels])
    assert error.value.slug == slug
