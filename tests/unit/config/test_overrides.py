import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError, UnsafeInputError

TEXT = "lr: 0.1\nstages:\n- epochs: 3\n  callbacks: {EarlyStopping: {patience: 2}}\n- epochs: 4\n"


def refused(*overrides):
    with pytest.raises(ConfigError, match=r"--set") as error:
        parse(TEXT, overrides=overrides)
    return error.value.problems


def test_any_key_can_be_set():
    config = parse(
        TEXT,
        overrides=[
            "stages.0.lr=1e-3",
            "stages.1.batch_size=8",
            "stages.0.callbacks.EarlyStopping.patience=5",
            "dataset.folder=data",
            "folds=3",
            "optimizer={AdamW: {weight_decay: 0.1}}",
            "weights=",
            "lr=0.2",
            "lr=0.3",
        ],
    )
    first, second = config.resolve()

    assert (first.lr, second.lr, second.batch, first.epochs) == (1e-3, 0.3, 8, 3)
    assert first.callbacks == (("EarlyStopping", {"patience": 5}),)
    assert first.optimizer_options == {"weight_decay": 0.1}
    assert (config.dataset.folder, config.folds_count, config.weights) == ("data", 3, "none")


def test_names_of_options_are_left_alone():
    config = parse(TEXT, overrides=["callbacks.Own.folds=3"])

    assert config.callbacks == (("Own", {"folds": 3}),)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("lr", "--set lr: expected KEY=VALUE, got 'lr'"),
        ("=3", "--set : expected KEY=VALUE, got '=3'"),
        ("a..b=3", "--set a..b: expected KEY=VALUE, got 'a..b=3'"),
        ("stages.2.lr=1", "--set stages.2.lr: stages: expected a number from 0 to 1, got '2'"),
        ("stages.x.lr=1", "--set stages.x.lr: stages: expected a number from 0 to 1, got 'x'"),
        ("lr.x=1", "--set lr.x: lr: expected a mapping or a list to set 'x' in, got 0.1"),
        ("batch=[", "--set batch: expected a YAML value, got '['"),
        ("args={a: 1, a: 2}", "--set args: expected a YAML value, got '{a: 1, a: 2}'"),
    ],
)
def test_override_that_leads_nowhere_is_told(override, line):
    (problem,) = refused(override)

    assert problem.slug == "config/bad-override"
    assert str(problem).startswith(line)


def test_override_is_typed_by_the_schema():
    problems = refused("lrr=3", "stages.0.lr=-1", "batch=x")

    assert {str(problem) for problem in problems} == {
        "--set stages.0.lr: stages.0.lr: expected greater than 0, got -1",
        "--set batch: batch: expected a whole number, got 'x'",
        "--set lrr: lrr: unknown key\n    did you mean 'lr'?",
    }


def test_override_is_held_to_the_same_limits():
    with pytest.raises(UnsafeInputError, match="--set lr:1:1: expected a value without a tag"):
        parse(TEXT, overrides=["lr=!!python/name:os.system"])


def test_override_mends_a_wrong_value():
    assert parse("batch: 0", overrides=["batch=2"]).batch == 2
