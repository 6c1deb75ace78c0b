import math

import pytest

from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.evaluation import direction, is_better, monitor_names, resolve_monitor
from fivefold.evaluation.spread import spread

ONE = (Head("", "softmax", ("a", "b")),)
TWO = (Head("kind", "softmax", ("a", "b")), Head("flag", "sigmoid", ("c",)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("val_log_loss", "min"),
        ("log_loss", "min"),
        ("val_acc", "max"),
        ("Val_Accuracy", "max"),
        ("val_macro_f1", "max"),
        ("val_auc", "max"),
        ("top_3_accuracy", "max"),
        ("val_top_3_accuracy", "max"),
        ("val_kind_accuracy", "max"),
        ("val_my_own_head_log_loss", "min"),
    ],
)
def test_every_number_knows_its_better_direction(name, expected):
    assert direction(name) == expected


@pytest.mark.parametrize("name", ["val_iuo", "lr", "", "val_", "accuracy_val"])
def test_what_is_no_metric_has_no_direction(name):
    with pytest.raises(ConfigError, match="whose better direction is known, got") as error:
        direction(name)
    assert error.value.slug == "config/unknown-monitor"


def test_the_closest_metric_is_named():
    with pytest.raises(ConfigError, match="did you mean 'val_accuracy'"):
        direction("val_acuracy")


def test_what_can_be_watched_with_one_head():
    assert monitor_names(["accuracy", "auc"], ONE) == [
        "loss",
        "accuracy",
        "auc",
        "val_loss",
        "val_accuracy",
        "val_auc",
    ]


def test_what_can_be_watched_with_several_heads():
    names = monitor_names(["auc"], TWO)
    assert {"val_auc", "val_kind_auc", "kind_auc", "val_flag_auc", "val_loss"} < set(names)
    assert {"val_kind_loss", "val_flag_loss"} < set(names)
    assert direction("val_kind_loss") == "min"
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("val_acc", "val_accuracy"),
        ("VAL_ACCURACY", "val_accuracy"),
        ("val_categorical_accuracy", "val_accuracy"),
        ("acc", "accuracy"),
        ("val_loss", "val_loss"),
        ("lr", None),
        ("val_auc", None),
        ("val_binary_accuracy", None),
        ("val_acuracy", None),
    ],
)
def test_spellings_of_one_metric_mean_the_same_number(name, expected):
    assert resolve_monitor(name, monitor_names(["accuracy"], ONE)) == expected


def test_spellings_work_for_heads_too():
    assert resolve_monitor("val_kind_acc", monitor_names(["accuracy"], TWO)) == "val_kind_accuracy"


def test_an_exact_name_wins_over_another_spelling():
    names = monitor_names(["acc", "accuracy"], ONE)
    assert resolve_monitor("val_accuracy", names) == "val_accuracy"
    assert resolve_monitor("val_acc", names) == "val_acc"


@pytest.mark.parametrize(
    ("new", "best", "mode", "expected"),
    [
        (1, 0, "max", True),
        (1, 0, "min", False),
        (0, 1, "min", True),
        (1, 1, "max", False),
        (1, 1, "min", False),
        (math.nan, 0, "max", False),
        (math.nan, 0, "min", False),
        (0, math.nan, "max", True),
        (0, math.nan, "min", True),
        (math.nan, math.nan, "max", False),
        (0, math.inf, "min", True),
        (0, -math.inf, "max", True),
    ],
)
def test_better_is_strict_and_nan_never_is(new, best, mode, expected):
    assert is_better(new, best, mode) is expected


def test_spread_is_over_the_population():
    assert spread([1.0, 2.0, 3.0, 6.0]) == pytest.approx(
        {"mean": 3.0, "std": math.sqrt(3.5), "min": 1.0, "max": 6.0}
    )


def test_one_fold_has_no_spread():
    assert spread([0.5]) == {"mean": 0.5, "std": 0.0, "min": 0.5, "max": 0.5}


def test_a_fold_without_a_number_shows():
    assert all(math.isnan(number) for number in spread([0.5, math.nan]).values())
