"""What is minimised and measured, in small runs: weights of classes, penalties, final metrics."""

import json

import pytest
import torch
from runs import CONFIG, StopAfter, StopError, fitted, write_experiment
from shapes import draw_folders

from fivefold.core.durable import read_json
from fivefold.core.errors import ConfigError
from fivefold.engine.checkpoint import load_bundle
from fivefold.engine.history import read_history
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.summary import read_summary

torch.set_num_threads(1)

ONE = CONFIG.replace("  - {epochs: 2, unfreeze_encoder: true}\n", "")
"""One epoch on features of a frozen backbone."""


def losses(run, column, stage=0):
    return [read_history(run.folder.metrics(fold, stage))[0][column] for fold in (0, 1)]


def rare(folder):
    """Leave few samples of the first class."""
    first = sorted((folder / "shapes").iterdir())[0]
    for path in sorted(first.iterdir())[4:]:
        path.unlink()
    return first.name


def unbalanced(folder, config):
    folder.mkdir()
    write_experiment(folder, per_class=12, config=config)
    name = rare(folder)
    run = Experiment.load(folder)
    run.fit()
    return run, name


def test_balanced_weights_are_those_of_the_folds_training_samples(tmp_path):
    run, name = unbalanced(tmp_path / "run", CONFIG + "class_weights: balanced\n")
    for place in ((0, 0), (1, 0), (0, 1)):
        weights = load_bundle(run.folder.bundle(*place)).class_weights
        # 2 of 4 and 6 of 12 train in each of the two folds
        expected = {n: 14 / (3 * (2 if n == name else 6)) for n in weights}
        assert weights == pytest.approx(expected)
        assert len(weights) == 3


def test_weights_change_what_is_learned_and_not_what_is_measured(tmp_path):
    plain, _ = unbalanced(tmp_path / "plain", ONE)
    weighted, name = unbalanced(tmp_path / "weighted", ONE + "class_weights: balanced\n")
    ones, _ = unbalanced(tmp_path / "ones", ONE + f"class_weights: {{{name}: 1}}\n")
    assert losses(plain, "loss") == losses(ones, "loss")
    assert losses(plain, "val_loss") == losses(ones, "val_loss")
    assert losses(plain, "loss") != losses(weighted, "loss")
    assert losses(plain, "val_loss") != losses(weighted, "val_loss")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_penalty_is_in_the_loss_of_both_roads_and_shrinks_weights(tmp_path, frozen):
    config = ONE.replace("freeze_encoder: true", f"freeze_encoder: {str(frozen).lower()}")
    config = config.replace("epochs: 1", "epochs: 3")
    norms = {}
    for name, text in (("plain", ""), ("l2", "l2: 0.05\n"), ("l1", "l1: 0.02\n")):
        (tmp_path / name).mkdir()
        run = fitted(tmp_path / name, config=config + text)
        model = run.load_model(0, 0)
        norms[name] = model.head.linear.weight.square().sum().item(), losses(run, "loss")
    assert norms["l2"][0] < norms["plain"][0]
    assert norms["l1"][0] < norms["plain"][0]
    for name in ("l1", "l2"):
        assert all(a > b for a, b in zip(norms[name][1], norms["plain"][1], strict=True))


def test_a_weighted_run_that_was_broken_off_goes_on_to_the_same_bytes(tmp_path):
    config = CONFIG + "class_weights: log\npositive_weights_multiply: 3\nl1: 0.001\nl2: 0.01\n"
    (tmp_path / "whole").mkdir()
    whole = fitted(tmp_path / "whole", config=config)
    (tmp_path / "broken").mkdir()
    write_experiment(tmp_path / "broken", config=config)
    with pytest.raises(StopError, match="loss"):
        Experiment.load(tmp_path / "broken", progress=StopAfter(3)).fit(jobs=1)
    broken = Experiment.load(tmp_path / "broken")
    broken.fit()
    for fold in (0, 1):
        for stage in (0, 1):
            ours, theirs = (
                [path.read_bytes() for path in run.folder.results(fold, stage)]
                for run in (whole, broken)
            )
            assert ours == theirs


def test_stages_with_other_weights_are_not_taken_from_each_other(tmp_path, cache_folder):
    for name, text in (("a", "balanced"), ("b", "log"), ("c", "balanced")):
        (tmp_path / name).mkdir()
        write_experiment(tmp_path / name, config=ONE + f"class_weights: {text}\n")
        Experiment.load(tmp_path / name).fit()
    reused = {name: read_summary(Experiment.load(tmp_path / name).folder).reused for name in "abc"}
    assert not reused["a"]
    assert not reused["b"]
    assert list(reused["c"]) == ["0.0", "1.0"]


def test_check_shows_the_weights_and_names_a_loss_that_cannot_have_them(tmp_path):
    write_experiment(tmp_path, config=ONE + "class_weights: {circle: 2.5}\n")
    shown = dict(Experiment.load(tmp_path).check().lines)
    assert shown["stage 0 weights"].startswith("circle 2.5, ")
    (tmp_path / "config.yaml").write_text(ONE + "class_weights: balanced\nloss: f1_loss\n")
    with pytest.raises(
        ConfigError, match=r"config\.yaml:\d+:16: class_weights: expected a loss"
    ) as e:
        Experiment.load(tmp_path).check()
    assert e.value.slug == "config/class-weights"


def test_lovasz_on_three_classes_is_refused_before_anything_is_trained(tmp_path):
    write_experiment(tmp_path, config=ONE + "activation: sigmoid\nloss: lovasz_loss\n")
    with pytest.raises(
        ConfigError, match=r"config\.yaml:\d+:7: loss: lovasz_loss: .* 1 class"
    ) as e:
        Experiment.load(tmp_path).fit()
    assert e.value.slug == "config/loss-classes"


def test_final_metrics_are_in_the_summary_and_the_result_is_the_one_asked_for(tmp_path):
    text = (
        "final_metrics: [macro_f1, dice_with_custom_treshold_true_negative_is_one]\n"
        "experiment_result: macro_f1_holdout\ntestSplit: 0.2\n"
    )
    run = fitted(tmp_path, config=ONE + text)
    summary = read_summary(run.folder)
    wanted = {"macro_f1", "dice_with_custom_treshold_true_negative_is_one"}
    wanted |= {"dice_with_custom_treshold_true_negative_is_one_treshold", "accuracy"}
    assert set(summary.oof) == set(summary.holdout) == wanted
    assert {f"val_{name}" for name in wanted} <= set(summary.stages[0])
    assert summary.result == summary.holdout["macro_f1"]
    assert "val_macro_f1" not in read_history(run.folder.metrics(0, 0))[0]
    written = run.folder.summary_path.read_text()
    assert f"result: {summary.result}" in written


def test_a_final_metric_that_is_watched_is_a_column_of_every_epoch(tmp_path):
    config = ONE.replace("primary_metric: val_accuracy", "primary_metric: val_macro_f1")
    run = fitted(tmp_path, config=config + "final_metrics: [macro_f1]\n")
    assert "val_macro_f1" in read_history(run.folder.metrics(0, 0))[0]
    assert json.loads(json.dumps(read_json(run.folder.manifest_path)["config"]))["final_metrics"]


LOSSES = [
    "focal_loss",
    "0.5*asymmetric_loss + mse",
    "bce_dice_loss",
    "f1_loss",
    "kld",
    "categorical_focal_crossentropy",
]


@pytest.mark.parametrize("loss", LOSSES)
def test_every_kind_of_loss_learns(tmp_path, loss):
    config = ONE.replace("epochs: 1", "epochs: 6").replace("lr: 0.01", "lr: 0.05")
    run = fitted(tmp_path, config=config + f"loss: {loss}\n")
    rows = read_history(run.folder.metrics(0, 0))
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_pos_weight_reaches_a_network_with_several_labels(tmp_path):
    draw_folders(tmp_path / "shapes", 8)
    config = ONE + "activation: sigmoid\npos_weight: balanced\n"
    (tmp_path / "config.yaml").write_text(config)
    run = Experiment.load(tmp_path)
    run.fit()
    weights = load_bundle(run.folder.bundle(0, 0)).class_weights
    assert all(pair == pytest.approx([1.0, 2.0]) for pair in weights.values())
