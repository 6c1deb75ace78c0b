import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image
from runs import CONFIG, write_experiment

from fivefold.core.errors import ConfigError, NumericError
from fivefold.core.progress import Silent
from fivefold.data import FolderSource
from fivefold.engine.lr_finder import LRFinder, Sweep, find_rates, has_diverged, steps_of
from fivefold.engine.lr_plots import new_figure, png
from fivefold.engine.stage_job import build_task
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.work import fold_data, new_model, stage_job
from fivefold.losses import build_loss

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_figures_stay():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Prepare an experiment with 24 samples, 12 of them to train on, in batches of 4."""
    folder = tmp_path_factory.mktemp("run")
    config = CONFIG.replace("batch: 16", "batch: 4") + "dropout: 0.3\n"
    write_experiment(folder, per_class=8, config=config)
    experiment = Experiment.load(folder)
    prepared = prepare(
        FolderSource(folder / "shapes"), experiment.config, experiment.folder, Silent()
    )
    return experiment._work(prepared, range(2))


def task_of(work, stage=1):
    chosen = work.stages[stage]
    job = stage_job(work, chosen, new_model(work, 0), fold_data(work, 0, chosen), 0)
    return build_task(job)


def found(work, sweep, stage=1):
    return find_rates(task_of(work, stage), sweep, lambda steps: None)


@pytest.mark.parametrize("stage", [0, 1])
def test_the_weights_are_as_before_to_the_bit(work, stage):
    task = task_of(work, stage)
    before = {name: t.clone() for name, t in task.model.state_dict().items()}
    state = torch.random.get_rng_state()
    find_rates(task, Sweep(steps=20), lambda steps: None)
    assert all(torch.equal(before[name], t) for name, t in task.model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_same_call_finds_the_same(work):
    assert found(work, Sweep(steps=12)) == found(work, Sweep(steps=12))


def test_rates_are_a_geometric_row(work):
    lrs = found(work, Sweep(start_lr=1e-5, end_lr=1e-2, steps=12)).lrs
    np.testing.assert_allclose(lrs, 1e-5 * 1000 ** (np.arange(12) / 12))


def test_rates_may_be_an_arithmetic_row(work):
    lrs = found(work, Sweep(start_lr=0.001, end_lr=0.013, steps=12, scale="linear")).lrs
    np.testing.assert_allclose(lrs, 0.001 + 0.001 * np.arange(12))


def test_epochs_and_the_fraction_of_samples_give_the_number_of_steps(work):
    assert steps_of(task_of(work), Sweep(epochs=4)) == 12
    assert steps_of(task_of(work), Sweep(epochs=4, subsample=0.5)) == 6
    assert len(found(work, Sweep(epochs=2, end_lr=1e-3)).lrs) == 6


def test_it_tells_of_every_step(work):
    told = []
    finder = find_rates(task_of(work), Sweep(steps=7, end_lr=1e-3), told.append)
    assert told == [1] * len(finder.lrs) == [1] * 7


def test_it_stops_when_the_loss_explodes(work):
    finder = found(work, Sweep(start_lr=0.1, end_lr=1000.0, steps=500))
    assert len(finder.lrs) < 500
    told = f"the smoothed loss was {finder.smoothed()[-1]:.4g}, far above its lowest"
    assert finder.stopped == told or "finite" in finder.stopped
    means = finder.smoothed()[9:]
    assert all(means[i] <= 4 * min(means[: i + 1]) for i in range(len(means) - 1))


@pytest.mark.parametrize("loss", ["cosine", "iou_loss"])
def test_losses_below_0_do_not_end_it_at_the_first_step(work, loss):
    task = task_of(work)
    task = replace(task, loss=build_loss((loss,), task.model.heads))
    finder = find_rates(task, Sweep(end_lr=1e-3, steps=10), lambda steps: None)
    assert (len(finder.lrs), finder.stopped) == (10, "")
    assert max(finder.losses) < 0


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ([1.0, 4.0], False),
        ([1.0, 4.1], True),
        ([4.1], False),
        ([-0.5], False),
        ([0.0, 0.0], False),
        ([-0.5, 0.9], False),
        ([-0.5, 1.1], True),
        ([1.0, -0.01, 2.9], False),
        ([1.0, -0.01, 3.0], True),
    ],
)
def test_a_smoothed_loss_has_diverged_far_above_its_lowest(means, expected):
    settling = [0.001, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert has_diverged(settling + means) is expected


def test_nothing_has_diverged_before_the_mean_has_settled():
    assert not any(has_diverged([1e-3, *[1e3] * more]) for more in range(9))
    assert not has_diverged([])


@pytest.mark.parametrize("lucky", [0, 1, 12, 25])
def test_one_easy_batch_does_not_end_it(work, lucky):
    task = task_of(work)
    losses = iter([1.0] * lucky + [0.01] + [1.0] * (29 - lucky))
    task = replace(task, loss=lambda logits, targets: logits.sum() * 0 + next(losses))
    finder = find_rates(task, Sweep(steps=30), lambda steps: None)
    assert (len(finder.lrs), finder.stopped) == (30, "")


def test_a_loss_that_becomes_no_number_stops_it_too(work):
    task = task_of(work)
    losses = iter([1.0, 1.0, math.inf])
    task = replace(task, loss=lambda logits, targets: logits.sum() * 0 + next(losses))
    finder = find_rates(task, Sweep(steps=10), lambda steps: None)
    assert (len(finder.lrs), finder.best_loss, finder.suggest()) == (2, 1.0, None)
    assert finder.stopped == "learning rate 1.58489e-05: expected a finite loss, got inf"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_from_the_first_is_an_error(work, value):
    task = task_of(work)
    before = {name: t.clone() for name, t in task.model.state_dict().items()}
    task = replace(task, loss=lambda logits, targets: logits.sum() * 0 + value)
    expected = (
        f"^learning rate 1e-06: expected a finite loss, got {value}\n    no rate was tried yet"
    )
    with pytest.raises(NumericError, match=expected) as error:
        find_rates(task, Sweep(steps=10), lambda steps: None)
    assert error.value.slug == "numeric/loss"
    assert all(torch.equal(t, before[name]) for name, t in task.model.state_dict().items())


def curve(losses):
    lrs = tuple(1e-5 * 10 ** (np.arange(len(losses)) / 20))
    return LRFinder(lrs, tuple(losses))


def test_the_suggestion_is_where_the_loss_falls_fastest():
    x = np.arange(100)
    finder = curve(2 - 1.5 / (1 + np.exp(-(x - 50) / 4)) + np.where(x > 80, (x - 80) / 5.0, 0))
    suggestion = finder.suggest()
    assert 48 <= np.searchsorted(finder.lrs, suggestion.steepest) <= 52
    assert 70 <= np.searchsorted(finder.lrs, suggestion.lowest) <= 90


@pytest.mark.parametrize("seed", range(10))
def test_single_steps_do_not_decide(seed):
    x, rng = np.arange(120), np.random.default_rng(seed)
    losses = 2 - 1.5 / (1 + np.exp(-(x - 60) / 5)) + rng.normal(0, 0.1, 120)
    losses[[20, 95]] += 0.8
    place = np.searchsorted(curve(losses).lrs, curve(losses).suggest().steepest)
    assert 50 <= place <= 70


@pytest.mark.parametrize("seed", range(10))
def test_a_slow_fall_of_few_noisy_batches_is_one(seed):
    noise = np.random.default_rng(seed).normal(0, 0.25, 50)
    losses = 2 - np.clip(np.arange(50) - 15, 0, 20) / 20 + noise
    losses[40:] += np.arange(10)
    suggestion = curve(losses).suggest()
    assert 15 <= np.searchsorted(curve(losses).lrs, suggestion.steepest) <= 35


def test_noise_is_no_fall():
    found = [curve(1 + np.random.default_rng(s).normal(0, 0.1, 100)).suggest() for s in range(20)]
    assert found.count(None) >= 17


@pytest.mark.parametrize(
    "losses", [[], [1.0] * 5, list(np.linspace(1, 2, 50)), [1.0] * 50, [3.0, 2.0, 1.0]]
)
def test_where_nothing_falls_nothing_is_suggested(losses):
    assert curve(losses).suggest() is None


def test_the_smoothed_loss_is_the_mean_of_what_was_seen():
    assert curve([3.0] * 10).smoothed() == pytest.approx([3.0] * 10)
    assert curve([1.0, 3.0]).smoothed() == pytest.approx([1.0, (0.9 * 1 + 3) / 1.9])


def lines(figure):
    (axes,) = figure.axes
    return axes, [line.get_xydata() for line in axes.get_lines()]


def test_plots_leave_out_what_they_are_told_to():
    finder = curve(np.linspace(2, 1, 40))
    axes, (raw, smooth, *_) = lines(finder.plot_loss(n_skip_beginning=7, n_skip_end=3))
    assert axes.get_xscale() == "log"
    np.testing.assert_allclose(raw[:, 0], finder.lrs[7:37])
    np.testing.assert_allclose(raw[:, 1], finder.losses[7:37])
    np.testing.assert_allclose(smooth[:, 1], finder.smoothed()[7:37])


def test_plots_of_rates_that_were_added_to_have_a_linear_axis(work):
    finder = found(work, Sweep(start_lr=0.001, end_lr=0.013, steps=12, scale="linear"))
    for figure in (finder.plot_loss(), finder.plot_loss_change()):
        axes, _ = lines(figure)
        assert (axes.get_xscale(), axes.get_xlabel()) == ("linear", "learning rate")


@pytest.mark.parametrize("sma", [1, 4])
def test_the_change_is_that_of_a_step_averaged_over_some(sma):
    finder = curve(np.random.default_rng(0).random(60))
    axes, (change, _) = lines(finder.plot_loss_change(sma=sma, y_lim=(-0.2, 0.3)))
    assert axes.get_ylim() == (-0.2, 0.3)
    expected = [(finder.losses[i] - finder.losses[i - sma]) / sma for i in range(10, 55)]
    np.testing.assert_allclose(change[:, 1], expected)
    np.testing.assert_allclose(change[:, 0], finder.lrs[10:55])


def test_plots_of_a_short_run_show_all_of_it():
    _, (raw, *_) = lines(curve([3.0, 2.0, 1.0]).plot_loss())
    assert len(raw) == 3


def test_a_picture_has_the_same_bytes_each_time():
    finder = curve(np.linspace(2, 1, 40))
    first, second = (png(finder.plot_loss(figure=new_figure())) for _ in range(2))
    assert first == second


def test_pyplot_saves_what_was_drawn_last(tmp_path):
    finder = curve(np.linspace(2, 1, 40))
    drawn = [finder.plot_loss(), finder.plot_loss_change()]
    assert drawn[0] is not drawn[1]
    assert plt.gcf() is drawn[1]
    plt.savefig(tmp_path / "change.png")
    with Image.open(tmp_path / "change.png") as picture:
        assert picture.convert("L").getextrema()[0] < 100
    assert len(lines(drawn[1])[1]) == 2


def test_the_same_curve_of_two_finders_shares_pyplots_axes():
    figure, (left, right) = plt.subplots(1, 2)
    plt.sca(left)
    for losses in (np.linspace(2, 1, 40), np.linspace(3, 1, 40)):
        assert curve(losses).plot_loss() is figure
    labels = [line.get_label() for line in left.get_lines()]
    assert (labels.count("smoothed"), len(right.get_lines())) == (2, 0)


def test_pyplot_knows_nothing_of_what_is_drawn_on_a_given_figure():
    finder = curve(np.linspace(2, 1, 40))
    finder.plot_loss(figure=new_figure())
    finder.plot_loss_change(figure=new_figure())
    assert plt.get_fignums() == []


def test_a_backend_without_a_screen_still_gives_a_figure(monkeypatch, caplog):
    def refuse():
        msg = "Cannot load backend 'TkAgg'"
        raise ImportError(msg)

    monkeypatch.setattr(plt, "gca", refuse)
    figure = curve(np.linspace(2, 1, 40)).plot_loss()
    assert png(figure).startswith(b"\x89PNG")
    assert "pyplot cannot draw: Cannot load backend 'TkAgg'; `savefig` of the" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_lr": 0.0}, "start_lr: expected at least 1e-30 and below end_lr, got 0.0"),
        ({"start_lr": 1e-320}, "start_lr: expected at least 1e-30 and below end_lr, got 1e-320"),
        ({"start_lr": 1.0, "end_lr": 0.1}, "start_lr: expected at least 1e-30 and below"),
        ({"end_lr": 2000.0}, "end_lr: expected at most 1000, got 2000.0"),
        ({"epochs": 0}, "epochs: expected at least 1, got 0"),
        ({"steps": 1}, "steps: expected at least 2, got 1"),
        ({"scale": "square"}, "scale: expected 'log' or 'linear', got 'square'"),
        ({"subsample": 0.0}, "subsample: expected a number above 0 and at most 1, got 0.0"),
    ],
)
def test_wrong_numbers_are_told(changes, message):
    with pytest.raises(ConfigError, match=message):
        Sweep(**changes)


def test_wrong_numbers_of_plots_are_told():
    with pytest.raises(ConfigError, match="sma: expected at least 1 step, got 0"):
        curve([1.0, 2.0]).plot_loss_change(sma=0)
    with pytest.raises(ConfigError, match="n_skip: expected numbers of steps of at least 0"):
        curve([1.0, 2.0]).plot_loss(n_skip_end=-1)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda f: f.plot_loss("x"), "^n_skip_beginning: expected a whole number, got 'x'$"),
        (lambda f: f.plot_loss(1, 0.5), "^n_skip_end: expected a whole number, got 0.5$"),
        (lambda f: f.plot_loss_change("x"), "^sma: expected a whole number, got 'x'$"),
        (
            lambda f: f.plot_loss_change(n_skip_beginning=None),
            "^n_skip_beginning: expected a whole",
        ),
        (
            lambda f: f.plot_loss_change(y_lim=5),
            "^y_lim: expected the lowest and the highest change",
        ),
    ],
)
def test_arguments_of_plots_that_are_no_numbers_are_told(draw, message):
    with pytest.raises(ConfigError, match=message) as error:
        draw(curve([3.0, 2.0, 1.0]))
    assert error.value.slug == "config/bad-value"


@pytest.mark.parametrize("name", ["start_lr", "end_lr", "epochs", "steps", "subsample"])
def test_a_sweep_of_no_numbers_is_told(name):
    with pytest.raises(
        ConfigError, match=f"^{name}: expected a (whole )?number, got 'x'$"
    ) as error:
        Sweep(**{name: "x"})
    assert error.value.slug == "config/bad-value"
