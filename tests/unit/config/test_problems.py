import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError

BAD = """\
architecture: DenseNet201
pooling: average
classes: 28
lr: 1e-3
batch: 0
shape: [224, 224]
lr: 0.005
primary_metric_mod: max
epochs: 3
stratified: yes
dataset: {folders: x}
loss: [1, 2]
optimizer: {Adam: {}, SGD: {}}
augmentation: 3
stages:
  - epochs: 3
    extra_callbacs: {}
    negatives: some
    seed: 3
  - lr: 3
"""

EXPECTED = """\
bad.yaml:2:10: pooling: expected 'avg', 'max', 'concat' or 'attention', got 'average'
    did you mean 'avg'?
bad.yaml:5:8: batch: expected greater than or equal to 1, got 0
bad.yaml:6:8: shape: expected [height, width, channels]: pixels 1-16384, channels 1-64, \
got [224, 224]
bad.yaml:7:1: lr: set twice
    first set on line 4
bad.yaml:8:1: primary_metric_mod: unknown key
    did you mean 'primary_metric_mode'?
bad.yaml:9:1: epochs: unknown key
    this key belongs in an entry of `stages`
bad.yaml:10:13: stratified: expected true or false, got 'yes'
    write true: in YAML 1.2 'yes' is text
bad.yaml:11:11: dataset.folders: unknown key
    did you mean 'folder'?
bad.yaml:12:7: loss: expected the name of a loss, or a list with one name for each output, \
got [1, 2]
bad.yaml:13:12: optimizer: expected a name, or one name with a mapping of its options, \
got {'Adam': {}, 'SGD': {}}
bad.yaml:14:15: augmentation: expected a mapping of names, or a list of names and single \
mappings, got 3
bad.yaml:17:5: stages.0.extra_callbacs: unknown key
    did you mean 'extra_callbacks'?
bad.yaml:18:16: stages.0.negatives: expected 'none', 'real', 'all' or a whole number of at \
least 0, got 'some'
bad.yaml:19:5: stages.0.seed: unknown key
    this key belongs beside `stages`, not in it
bad.yaml:20:5: stages.1.epochs: required, but not set"""


def problem_of(text, **kwargs):
    with pytest.raises(ConfigError, match=r"\w") as error:
        parse(text, **kwargs)
    (problem,) = error.value.problems
    return problem


def test_all_problems_come_together_in_the_order_of_the_file():
    with pytest.raises(ConfigError, match="bad") as error:
        parse(BAD, "bad.yaml")

    assert str(error.value) == EXPECTED
    assert {problem.slug for problem in error.value.problems} == {
        "config/bad-value",
        "config/duplicate-key",
        "config/missing-key",
        "config/unknown-key",
    }
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("lr: '1e-4'", "config.yaml:1:5: lr: expected a number, got '1e-4'"),
        ("lr: true", "config.yaml:1:5: lr: expected a number, got True"),
        ("folds_count: 5.0", "config.yaml:1:14: folds_count: expected a whole number, got 5.0"),
        ("classes: [3, 0]", "config.yaml:1:10: classes: expected a whole number of at least 1"),
        ("validationSplit: 1", "config.yaml:1:18: validationSplit: expected less than 1, got 1"),
        ("copy_weights: true", "config.yaml:1:1: copy_weights: unknown key"),
        ("dataset: data", "config.yaml:1:10: dataset: expected a mapping, got 'data'"),
        ("dataset: {}", "config.yaml:1:10: dataset: expected exactly one of the keys folder"),
        (
            "dataset: {folder: a, extension: .png}",
            "config.yaml:1:10: dataset: expected only keys that go with 'folder', not extension",
        ),
        ("dataset: {python: a.Name}", "config.yaml:1:19: dataset.python: expected 'file.py:Name'"),
        ("weights: 3", "config.yaml:1:10: weights: expected 'imagenet', 'none' or a path, got 3"),
        ("stages: [3]", "config.yaml:1:10: stages.0: expected a mapping, got 3"),
        ("imports: a", "config.yaml:1:10: imports: expected a list, got 'a'"),
        ("batch_size: 0", "config.yaml:1:13: batch_size: expected greater than or equal to 1"),
        ("#%Musket Clasification 1.0\nlr: 1", "config.yaml:1:1: expected a dialect of Musket"),
        ("clipvalue: 1e308", "config.yaml:1:12: clipvalue: expected less than or equal to 1000000"),
        ("clipnorm: 1e7", "config.yaml:1:11: clipnorm: expected less than or equal to 1000000"),
        ("lr: " + "9" * 5000, "config.yaml:1:5: lr: expected a number, got '999"),
    ],
)
def test_one_wrong_value_gives_one_problem(text, line):
    assert str(problem_of(text)).startswith(line)


def test_misspelt_required_key_is_one_problem():
    problem = problem_of("stages:\n- {epochs: 1}\n- {epoch: 1}")
    assert str(problem) == (
        "config.yaml:3:4: stages.1.epoch: unknown key\n    did you mean 'epochs'?"
    )


def test_required_key_that_no_other_means_stays_a_problem():
    with pytest.raises(ConfigError, match="required") as error:
        parse("stages:\n- {epoch: 1}\n- {losss: x}")
    assert [problem.slug for problem in error.value.problems] == [
        "config/unknown-key",
        "config/missing-key",
        "config/unknown-key",
    ]


def test_null_is_called_nothing():
    assert problem_of("batch:").message == "batch: expected a whole number, got nothing"
    problem = problem_of("lr: 1", overrides=["batch="])
    assert problem.message == "batch: expected a whole number, got nothing"


def test_choice_that_is_nearly_right_is_proposed():
    assert problem_of("pooling: AVG").hint == "did you mean 'avg'?"


def test_synonyms_of_one_key_are_one_key():
    problem = problem_of("batch: 3\nlr: 1\nbatch_size: 4\n")

    assert str(problem) == (
        "config.yaml:3:1: batch_size: set twice\n    'batch' on line 1 means the same"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "classes: [3, 4]\nactivation: [softmax]",
            "2:13: activation: expected 2 entries, one for each of 'classes', got 1",
        ),
        (
            "classes: 3\nstages:\n- epochs: 1\n  loss: [a, b]",
            "4:9: stages.0.loss: expected 1 entry, one for each of 'classes', got 2",
        ),
        (
            "stages:\n- {epochs: 1, freeze_encoder: true, unfreeze_encoder: true}",
            "2:55: stages.0.unfreeze_encoder: expected the opposite of freeze_encoder, got true",
        ),
    ],
)
def test_contradictions_are_told(text, message):
    assert str(problem_of(text)) == f"config.yaml:{message}"


@pytest.mark.parametrize("text", ["", "# nothing", "---"])
def test_empty_file_says_how_to_begin(text):
    problem = problem_of(text)

    assert problem.slug == "config/syntax"
    assert problem.message == "expected a mapping of keys to values, got nothing"
    assert "fivefold new" in problem.hint
