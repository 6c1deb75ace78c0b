"""Configs of Musket that name losses, metrics and weights: every name means something."""

from pathlib import Path

import pytest

from fivefold.build import check
from fivefold.build.objective import check_heads
from fivefold.config import load
from fivefold.core.types import Head

FILES = Path(__file__).parents[2] / "fixtures" / "musket"


def musket(name):
    return load(FILES / f"{name}.yaml")


@pytest.mark.parametrize(
    "name",
    [
        "aggregation_metric",
        "class_weights",
        "composite_outputs",
        "final_metrics",
        "loss_names",
        "metric_names",
    ],
)
def test_every_name_is_known(name):
    assert check(musket(name)) == []


def test_losses_fit_the_outputs_that_they_name():
    one = musket("loss_names")
    check_heads(one, one.resolve(), (Head("", "sigmoid", ("sick",)),))
    two = musket("composite_outputs")
    heads = (Head("a", "sigmoid", tuple("xyz")), Head("b", "softmax", tuple("vwxyz")))
    check_heads(two, two.resolve(), heads)


def test_weights_of_classes_are_the_stages_or_the_experiments():
    config = musket("class_weights")
    assert [stage.class_weights for stage in config.resolve()] == [
        "balanced",
        "log",
        {"0": 1.0, "1": 3.5},
    ]
    assert [(s.positive_weights_multiply, s.l2) for s in config.resolve()] == [(0.15, 0.0001)] * 3


def test_a_final_metric_for_validation_is_one_of_every_epoch():
    (stage,) = musket("final_metrics").resolve()
    assert stage.metrics == ("binary_accuracy", "iou", "macro_f1")
