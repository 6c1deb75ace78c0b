"""Small fits with every way to move weights and rates: they end, and mean what they say."""

import csv
import logging
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import CONFIG, StopAfter, StopError, write_experiment
from safetensors.torch import load_file
from shapes import draw_folders

from fivefold.core.errors import ConfigError, NumericError
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.engine import stage
from fivefold.engine.loop import learn
from fivefold.engine.stage_job import build_task
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket_api import parse
from fivefold.experiment.sources import open_source
from fivefold.experiment.work import new_model
from fivefold.optim import Moment, build_schedule

torch.set_num_threads(1)

MUSKET = Path(__file__).parents[1] / "fixtures" / "musket"
SMALL = (
    "architecture=tiny",
    "weights=none",
    "shape=[32, 32, 3]",
    "folds_count=2",
    "batch=4",
    "dataset={folder: shapes}",
)


def musket(folder, name):
    """Make a small experiment of a config of Musket: its net and its data are others."""
    draw_folders(folder / "shapes", 6)
    (folder / "config.yaml").write_text((MUSKET / f"{name}.yaml").read_text())
    return Experiment.load(folder, SMALL)


def history(experiment, fold=0, number=0):
    with experiment.folder.metrics(fold, number).open(newline="") as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


def fit(folder, extra, config=CONFIG, **options):
    folder.mkdir(exist_ok=True)
    write_experiment(folder, per_class=6, config=config + extra)
    experiment = Experiment.load(folder, **options)
    experiment.fit(folds=[0])
    return experiment


WHOLE = CONFIG.replace(
    "  - {epochs: 1, freeze_encoder: true}\n  - {epochs: 2, unfreeze_encoder: true}\n",
    "  - {epochs: 3}\n",
).replace("batch: 16", "batch: 4")
FROZEN = WHOLE.replace("{epochs: 3}", "{epochs: 3, freeze_encoder: true}")


def test_a_chain_of_rates_is_what_its_config_says(tmp_path):
    run = musket(tmp_path, "lr_variator")
    run.fit(folds=[0])
    rows = history(run)
    # nine samples to train on are two batches: steps 0-1 rise, steps 2-3 fall, then it is cut
    assert rows[0]["lr"] == pytest.approx(0.001)
    assert rows[1]["lr"] == pytest.approx(0.004)
    assert all(row["lr"] <= 0.001 + 1e-12 for row in rows[2:])


def test_kerass_callbacks_write_what_they_promise(tmp_path, caplog):
    run = musket(tmp_path, "keras_callbacks")
    assert [line.partition(": has no effect: ")[2][:12] for line in caplog.messages] == [
        "filepath: th",
        "write_graph:",
        "`metrics/` h",
    ]
    run.fit(folds=[0])
    table = (tmp_path / "logs/training-0.0.csv").read_text()
    metrics = (tmp_path / "metrics/metrics-0.0.csv").read_text()
    assert table == metrics.replace(",", ";")
    (kept,) = (tmp_path / "weights/epochs-0.0").glob("*.safetensors")
    best = load_file(tmp_path / "weights/best-0.0.safetensors")
    assert all(torch.equal(best[name], t) for name, t in load_file(kept).items())
    assert {p.name for p in (tmp_path / "logs/0.0").iterdir()} > {"steps"}
    assert not (tmp_path / "logs/training-0.1.csv").exists()
    steps = (tmp_path / "logs/steps-0.0.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in steps] == [
        ["0", "0"],
        ["0", "1"],
        ["1", "2"],
        ["1", "3"],
    ]


def test_short_forms_mean_what_they_stand_for(tmp_path):
    run = musket(tmp_path, "short_forms")
    run.fit(folds=[0])
    rows, (resolved,) = history(run), run.stages
    schedule = build_schedule("cosine", {"warmup_epochs": 0.5})
    assert [row["lr"] for row in rows] == [
        schedule(Moment(step, 2, 2, 0.01, 0.01)) for step in (1, 3)
    ]
    assert resolved.callbacks[0][1]["patience"] == 5


def test_the_decay_of_an_optimizer_is_kerass(tmp_path):
    run = musket(tmp_path, "clipping")
    run.fit(folds=[0])
    assert [row["lr"] for row in history(run)] == pytest.approx(
        [0.001 / (1 + 0.01 * step) for step in (1, 3)]
    )


def test_averaged_weights_are_what_is_saved_and_what_the_next_stage_starts_from(tmp_path):
    run = musket(tmp_path, "averaging")
    run.fit(folds=[0])
    for number in (0, 1):
        model = run.load_model(0, number)
        validated = Predictions.load(run.folder.predictions("validation", 0, number))
        found = run.predict(tmp_path / "shapes", folds=[0], stage=number)
        chosen = [found.ids.index(sample) for sample in validated.ids]
        np.testing.assert_allclose(found.probs[chosen], validated.probs, atol=1e-5)
        assert not model.training


def test_weights_that_hardly_move_are_those_of_the_start(tmp_path):
    """With a decay of nearly one, all that is left of three steps is their bound."""
    plain = fit(tmp_path / "plain", "", WHOLE.replace("epochs: 3", "epochs: 1"))
    slow = fit(tmp_path / "slow", "ema: 0.99999\n", WHOLE.replace("epochs: 3", "epochs: 1"))
    start = slow.load_model(0, 0)
    assert history(plain)[0]["loss"] == history(slow)[0]["loss"]
    assert history(plain)[0]["val_loss"] != history(slow)[0]["val_loss"]
    assert all(p.isfinite().all() for p in start.parameters())


@pytest.mark.parametrize("config", [FROZEN, WHOLE + "freeze_batchnorm: true\n"])
@pytest.mark.parametrize("optimizer", ["Adam", "{SGD: {momentum: 0.9}}"])
def test_several_batches_in_a_step_are_one_large_batch(tmp_path, config, optimizer):
    """Nine samples: 4 + 4 + 1 joined to 4 + 5, as in one batch of nine."""
    extra = f"optimizer: {optimizer}\n"
    one = fit(tmp_path / "one", extra, config.replace("batch: 4", "batch: 9"))
    many = fit(tmp_path / "many", extra + "accumulate: 3\n", config)
    for ours, theirs in zip(history(many), history(one), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("config", [FROZEN, WHOLE])
def test_a_norm_of_gradients_that_nothing_reaches_changes_nothing(tmp_path, config):
    free = fit(tmp_path / "free", "", config)
    wide = fit(tmp_path / "wide", "clipnorm: 1e6\nclipvalue: 1e6\n", config)
    tight = fit(tmp_path / "tight", "clipnorm: 1e-3\noptimizer: SGD\n", config)
    assert history(free) == history(wide)
    losses = [row["loss"] for row in history(tight)]
    assert losses[0] == pytest.approx(losses[-1], rel=0.05)


def test_kerass_order_of_clipping_is_the_norm_first():
    """A gradient (3, 4) with norm 5 becomes (0.6, 0.8), and then (0.6, 0.7)."""
    config = type("Stage", (), {"clipnorm": 1.0, "clipvalue": 0.7})()
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([3.0, 4.0])
    model = torch.nn.ParameterList([weight])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    task = type("Task", (), {"stage": config, "model": model, "optimizer": optimizer})()
    task.average = None
    learn(task, 0)
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.6, -0.7]), rtol=1e-4, atol=0)


def test_deep_layers_learn_more_slowly(tmp_path):
    extra = "optimizer: SGD\nlayer_decay: 0.01\n"
    config = WHOLE.replace("lr: 0.01\n", "lr: 0.1\n").replace("epochs: 3", "epochs: 1")
    slow, fast = fit(tmp_path / "slow", extra, config), fit(tmp_path / "fast", extra[:15], config)
    start = start_of(slow)

    def moved(run, name):
        return (run.load_model(0, 0).state_dict()[name] - start[name]).abs().max().item()

    deep, head = "backbone.net.layers.0.weight", "head.linear.weight"
    assert moved(slow, deep) < 0.01 * moved(fast, deep)
    assert moved(slow, head) > 0.1 * moved(fast, head)


def start_of(run):
    """Give the weights that fold 0 starts from."""
    source = open_source(run.config, allow_imports=False, progress=Silent())
    prepared = prepare(source, run.config, run.folder, Silent())
    model = new_model(run._work(prepared, [0]), 0)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def not_a_number_after(monkeypatch, calls):
    """Let a stage's loss be no number after some calls."""
    asked = []

    def build(job):
        task = build_task(job)

        def loss(logits, targets):
            asked.append(1)
            return task.loss(logits, targets) * (math.nan if len(asked) > calls else 1.0)

        return replace(task, loss=loss)

    monkeypatch.setattr(stage, "build_task", build)


@pytest.mark.parametrize("config", [FROZEN, WHOLE])
def test_terminate_on_nan_ends_a_stage_with_its_best_epoch(tmp_path, monkeypatch, config):
    plain = fit(tmp_path / "plain", "", config.replace("epochs: 3", "epochs: 2"))
    not_a_number_after(monkeypatch, calls_of_two_epochs(config))
    run = fit(tmp_path / "run", "callbacks: {TerminateOnNaN: {}}\n", config)
    assert history(run) == history(plain)
    ours, theirs = (r.load_model(0, 0).state_dict() for r in (run, plain))
    assert all(torch.equal(theirs[name], t) for name, t in ours.items())


def calls_of_two_epochs(config):
    return 2 * 2  # nine samples in batches of 4 are two batches, the last of five


@pytest.mark.parametrize("config", [FROZEN, WHOLE])
def test_without_an_epoch_to_keep_a_loss_that_is_no_number_stays_an_error(
    tmp_path, monkeypatch, config
):
    not_a_number_after(monkeypatch, 1)
    with pytest.raises(NumericError, match="expected a finite loss, got nan"):
        fit(tmp_path / "run", "callbacks: {TerminateOnNaN: {}}\n", config)


CHAIN = """\
callbacks:
  LRVariator:
    absSize: 1
    toVal: 0.02
    periodSteps: 9
    then: {ReduceLROnPlateau: {patience: 1, min_delta: 10, factor: 0.5}}
  ModelCheckpoint: {save_n_best: 2, monitor: val_loss}
  TensorBoard: {update_freq: batch}
"""


@pytest.mark.parametrize("config", [FROZEN, WHOLE])
@pytest.mark.parametrize("optimizer", ["Lookahead", "Lamb", "NovoGrad", "{SGD: {decay: 0}}"])
def test_what_remembers_goes_on_with_the_same_bytes_after_every_epoch(tmp_path, config, optimizer):
    extra = CHAIN + f"optimizer: {optimizer}\nema: 0.8\naccumulate: 2\nbatch: 2\n"
    config = config.replace("batch: 4\n", "")
    whole = fit(tmp_path / "whole", extra, config)
    folder = tmp_path / "broken"
    folder.mkdir()
    write_experiment(folder, per_class=6, config=config + extra)
    for _ in range(10):
        try:
            Experiment.load(folder, progress=StopAfter(0)).fit(folds=[0])
        except StopError:
            continue
        break
    for name in ("weights", "metrics", "predictions"):
        ours, theirs = (
            {p.relative_to(root): p.read_bytes() for p in (root / name).rglob("*") if p.is_file()}
            for root in (folder, whole.folder.root)
        )
        assert ours.keys() == theirs.keys()
        assert [p for p in ours if ours[p] != theirs[p]] == []


def test_kept_epochs_can_be_started_from(tmp_path):
    first = fit(tmp_path / "first", "callbacks: {ModelCheckpoint: {}}\n", WHOLE)
    kept = sorted((first.folder.root / "weights/epochs-0.0").glob("*.safetensors"))
    assert [path.name for path in kept] == [f"epoch-00000{n}.safetensors" for n in range(3)]
    config = WHOLE.replace("{epochs: 3}", f"{{epochs: 1, initial_weights: '{kept[1]}'}}")
    second = fit(tmp_path / "second", "lr: 1e-12\n", config.replace("lr: 0.01\n", ""))
    assert history(second)[0]["val_loss"] == pytest.approx(history(first)[1]["val_loss"], rel=0.2)


def test_two_owners_of_the_rate_stop_a_run_before_it_begins(tmp_path):
    extra = "schedule: OneCycle\ncallbacks: {ReduceLROnPlateau: {patience: 1}}\n"
    with pytest.raises(ConfigError, match="expected one owner of the learning rate") as error:
        fit(tmp_path, extra)
    assert error.value.slug == "config/two-rates"


def test_musket_s_way_to_find_a_rate(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    config = WHOLE.replace("architecture", "callbacks: {CyclicLR: {max_lr: 0.1}}\narchitecture")
    write_experiment(tmp_path, per_class=6, config=config)
    before = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    cfg = parse(tmp_path / "config.yaml")
    finder = cfg.lr_find(start_lr=1e-5, end_lr=1.0, epochs=10)
    np.testing.assert_allclose(finder.lrs[:5], 1e-5 * 1e5 ** (np.arange(5) / 20))
    assert len(finder.lrs) <= 20
    assert finder.best_loss == min(finder.losses)
    assert finder.plot_loss(n_skip_beginning=2, n_skip_end=1).axes
    assert finder.plot_loss_change(sma=3, n_skip_beginning=2, n_skip_end=1, y_lim=(-1, 1)).axes
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == before
    half = cfg.lr_find(None, [1], 0, 0.5, 1e-5, 1e-2, 4)
    assert len(half.lrs) == 4
