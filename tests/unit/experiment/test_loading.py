import sys

import pytest

from fivefold.core.errors import ConfigError, UnsafeInputError
from fivefold.core.types import Head
from fivefold.experiment.loading import load_checked, settle_monitors

GOOD = "architecture: ResNet18\nstages: [{epochs: 1}]\n"


def write(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    return tmp_path / "config.yaml"


def problems(tmp_path, text):
    with pytest.raises(ConfigError, match="config") as error:
        load_checked(write(tmp_path, text))
    return [str(p).removeprefix(f"{tmp_path}/") for p in error.value.problems]


def test_wrong_keys_and_unknown_names_are_told_together_in_the_order_of_the_file(tmp_path):
    found = problems(
        tmp_path,
        "architecture: ResNet81\nbatch: 0\nloss: crossentropi\nstages:\n  - {lr: fast}\n",
    )
    assert found == [
        "config.yaml:1:15: architecture: expected the name of a known backbone, got 'ResNet81'\n"
        "    did you mean 'ResNet18'?",
        "config.yaml:2:8: batch: expected greater than or equal to 1, got 0",
        "config.yaml:3:7: loss: expected the name of a known loss, got 'crossentropi'\n"
        "    did you mean 'crossentropy'?",
        "config.yaml:5:5: stages.0.epochs: required, but not set",
        "config.yaml:5:10: stages.0.lr: expected a number, got 'fast'",
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("loss: iou", "loss: expected a loss to train with, got 'iou'"),
        ("metrics: [crf_accuracy]", "metrics: expected something that can be measured, got 'crf_a"),
        ("activation: relu", "activation: expected 'softmax', 'sigmoid' or 'none', got 'relu'"),
        ("gpus: 3", "gpus: not yet supported"),
    ],
)
def test_what_musket_knows_and_this_version_does_not_do_says_why(tmp_path, line, sentence):
    (found,) = problems(tmp_path, f"{GOOD}{line}\n")
    assert sentence in found


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("callbacks: {EarlyStop: {}}", "did you mean 'EarlyStopping'?"),
        (
            "callbacks: {EarlyStopping: {patience: -1}}",
            "callbacks.EarlyStopping.patience: expected",
        ),
        ("callbacks: {EarlyStopping: {monitor: val_acc}}", "add 'acc' to `metrics`"),
        ("primary_metric: val_accuracy", "add 'accuracy' to `metrics`"),
        ("primary_metric: val_fbeta", "`metrics` adds to what there is: "),
        ("primary_metric: val_acuracy", "did you mean 'val_accuracy'? then add 'accuracy' to"),
        ("activation: sofmax", "did you mean 'softmax'?"),
        ("optimizer: {SGD: {nesterov: true}}", "expected options that fit together"),
        ("schedule: OneCicle", "did you mean 'OneCycle'?"),
        ("metrics: [acuracy]", "did you mean 'accuracy'?"),
        ("loss: 2*", "loss: '2*': expected a name"),
    ],
)
def test_every_kind_of_name_is_checked(tmp_path, line, sentence):
    (found,) = problems(tmp_path, f"{GOOD}{line}\n")
    assert sentence in found


def test_a_config_without_a_network_or_stages_says_both(tmp_path):
    found = problems(tmp_path, "lr: 0.1\n")
    assert ["architecture: required" in found[0], "stages: required" in found[1]] == [True, True]


def test_problems_of_callbacks_stand_where_they_were_written(tmp_path):
    text = "architecture: ResNet18\nstages:\n  - epochs: 1\n    extra_callbacks: {EarlyStop: {}}\n"
    (found,) = problems(tmp_path, text)
    assert found.startswith("config.yaml:4:34: stages.0.extra_callbacks: expected the name of")


def test_other_spellings_of_a_metric_are_settled(tmp_path):
    text = (
        "architecture: ResNet18\nmetrics: [accuracy]\nprimary_metric: val_acc\n"
        "callbacks: {EarlyStopping: {monitor: val_acc}}\nstages: [{epochs: 1}]\n"
    )
    config = load_checked(write(tmp_path, text))
    (stage,) = settle_monitors(config, config.resolve(), [Head("", "softmax", ("a", "b"))])
    assert stage.primary_metric == "val_accuracy"
    assert stage.callbacks[0][1]["monitor"] == "val_accuracy"


def test_several_outputs_are_only_judged_when_their_names_are_known(tmp_path):
    text = (
        "architecture: ResNet18\n"
        "metrics: [accuracy]\nprimary_metric: val_size_accuracy\nstages: [{epochs: 1}]\n"
    )
    config = load_checked(write(tmp_path, text))
    heads = [Head(name, "softmax", ("a", "b")) for name in ("size", "colour")]
    (stage,) = settle_monitors(config, config.resolve(), heads)
    assert stage.primary_metric == "val_size_accuracy"
    with pytest.raises(ConfigError, match="expected a number that each epoch has") as error:
        settle_monitors(config, config.resolve(), heads[1:])
    assert error.value.slug == "config/unknown-monitor"


def test_code_runs_only_with_consent(tmp_path):
    (tmp_path / "my_parts_for_test.py").write_text(
        "from fivefold.losses import losses\n\n@losses.add(inputs='softmax')\n"
        "def mine_for_test(logits, targets):\n    return logits.sum()\n"
    )
    path = write(tmp_path, f"{GOOD}imports: [my_parts_for_test]\nloss: mine_for_test\n")
    with pytest.raises(UnsafeInputError, match="run again with --allow-imports") as error:
        load_checked(path)
    assert error.value.slug == "unsafe/imports"
    try:
        assert load_checked(path, allow_imports=True).loss == "mine_for_test"
        assert load_checked(path, allow_imports=True).loss == "mine_for_test"
    finally:
        sys.modules.pop("my_parts_for_test", None)


def test_a_module_that_is_not_there_is_named(tmp_path):
    path = write(tmp_path, f"{GOOD}imports: [not_there]\n")
    with pytest.raises(ConfigError, match="expected a Python file beside the config") as error:
        load_checked(path, allow_imports=True)
    assert error.value.slug == "config/no-module"


@pytest.fixture
def _modules_again():
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before:
        if name.startswith(("fivefold_imports_", "own_")):
            del sys.modules[name]


def load_with(tmp_path, name, text):
    (tmp_path / f"{name}.py").write_text(text)
    return load_checked(write(tmp_path, f"{GOOD}imports: [{name}]\n"), allow_imports=True)


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("x = 1\ny = 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("x = 1\n\ndef f(:\n", 3, "SyntaxError: "),
        ("import sys\nsys.exit(0)\n", 2, "SystemExit: 0"),
        ("def f():\n    return [][1]\n\nf()\n", 2, "IndexError: list index out of range"),
        ("import own_missing\n", 1, "ModuleNotFoundError: No module named 'own_missing'"),
        ("\0", 1, "Error: "),
    ],
)
@pytest.mark.usefixtures("_modules_again")
def test_code_that_fails_is_named_with_its_line(tmp_path, text, line, found):
    with pytest.raises(ConfigError, match="imports: expected this file to run, got ") as error:
        load_with(tmp_path, "own_broken", text)
    (problem,) = error.value.problems
    assert problem.slug == "config/import-failed"
    assert problem.where == f"{tmp_path / 'own_broken.py'}:{line}"
    assert found in problem.message
    assert problem.hint == f"it is named at {tmp_path / 'config.yaml'}:3:11"
    assert "fivefold_imports_own_broken" not in sys.modules


@pytest.mark.usefixtures("_modules_again")
def test_code_that_was_mended_runs(tmp_path):
    with pytest.raises(ConfigError, match="NameError"):
        load_with(tmp_path, "own_parts", "nothing")
    assert load_with(tmp_path, "own_parts", "everything = 1").imports == ("own_parts",)


@pytest.mark.usefixtures("_modules_again")
@pytest.mark.parametrize("name", ["torch", "this"])
def test_a_file_takes_the_place_of_no_package(tmp_path, name):
    before = sys.modules.get(name)
    load_with(tmp_path, name, "mine = 1\n")
    assert sys.modules.get(name) is before
    assert sys.modules[f"fivefold_imports_{name}"].mine == 1


@pytest.mark.usefixtures("_modules_again")
def test_files_may_import_those_before_them_and_each_runs_once(tmp_path):
    (tmp_path / "own_first.py").write_text("count = []\n")
    (tmp_path / "own_second.py").write_text("import own_first\nown_first.count.append(1)\n")
    path = write(tmp_path, f"{GOOD}imports: [own_first, own_second]\n")
    load_checked(path, allow_imports=True)
    load_checked(path, allow_imports=True)
    assert sys.modules["fivefold_imports_own_first"].count == [1]


@pytest.mark.usefixtures("_modules_again")
def test_files_of_one_name_in_two_experiments_are_two(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        load_with(tmp_path / name, "own_parts", f"who = {name!r}\n")
        assert sys.modules["own_parts"].who == name


@pytest.mark.usefixtures("_modules_again")
def test_what_an_own_optimizer_refuses_is_found_by_making_it(tmp_path):
    (tmp_path / "own_optimizer.py").write_text(
        "from torch.optim import SGD\nfrom fivefold.optim import optimizers\n\n"
        "@optimizers.add()\ndef own_sgd(params, lr, *, low: float = 0.0, high: float = 1.0):\n"
        "    if low > high:\n        raise ValueError('low is above high')\n"
        "    return SGD(params, lr)\n"
    )
    text = f"{GOOD}imports: [own_optimizer]\noptimizer: {{own_sgd: {{low: 2}}}}\n"
    with pytest.raises(ConfigError, match="expected options that fit together") as error:
        load_checked(write(tmp_path, text), allow_imports=True)
    (problem,) = error.value.problems
    assert problem.where.endswith("config.yaml:4:22")
    assert problem.hint == "low is above high"
    # what the file says wrongly is told first
    with pytest.raises(ConfigError, match="batch") as error:
        load_checked(write(tmp_path, text + "batch: 0\n"), allow_imports=True)
    assert len(error.value.problems) == 1
