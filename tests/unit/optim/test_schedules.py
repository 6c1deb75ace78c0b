import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from fivefold.core.errors import ConfigError
from fivefold.optim import Moment, build_schedule, check_schedule, schedules, with_decay

torch.set_num_threads(1)


def rates(name, options, *, epochs=5, per_epoch=10, lr=1.0):
    """Collect the rates of all steps of a stage."""
    schedule = build_schedule(name, options)
    return [schedule(Moment(step, per_epoch, epochs, lr, lr)) for step in range(epochs * per_epoch)]


def torchs(make, steps, lr=1.0):
    """Collect the learning rates that a scheduler of torch sets."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    scheduler = make(optimizer)
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no gradients here, so no optimizer steps
            scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


def by_epoch(values, per_epoch=10):
    return [value for value in values for _ in range(per_epoch)]


@pytest.mark.parametrize(
    "options", [{}, {"pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0}]
)
def test_one_cycle_is_torchs_curve(options):
    steps, start = 50, options.get("pct_start", 0.3)
    expected = torchs(
        lambda o: lr_scheduler.OneCycleLR(
            o, max_lr=1.0, total_steps=steps, cycle_momentum=False, **options
        ),
        steps,
    )
    # torch puts the top on step `start * steps - 1` and the end on the last step
    top, last = start * steps - 1, steps - 1
    places = [
        start * i / top if i <= top else start + (1 - start) * (i - top) / (last - top)
        for i in range(steps)
    ]
    schedule = build_schedule("one_cycle", options)
    # a moment whose `progress` is the place
    found = [schedule(Moment(place * 1000, 1001, 1, 1.0, 1.0)) for place in places]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("final", [0.0, 0.05])
def test_cosine_is_torchs_curve(final):
    expected = torchs(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=49, eta_min=final), 50)
    assert rates("CosineAnnealing", {"final_factor": final}) == pytest.approx(expected)


def test_cosine_with_warm_up_is_torchs_line_and_then_its_cosine():
    def make(optimizer):
        line = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=15)
        curve = lr_scheduler.CosineAnnealingLR(optimizer, T_max=34)
        return lr_scheduler.SequentialLR(optimizer, [line, curve], milestones=[15])

    found = rates("cosine", {"warmup_epochs": 1.5, "warmup_factor": 0.1})
    assert found == pytest.approx(torchs(make, 50))


@pytest.mark.parametrize("multiple", [1, 2])
def test_cosine_with_restarts_is_torchs(multiple):
    def make(optimizer):
        return lr_scheduler.CosineAnnealingWarmRestarts(
            optimizer, T_0=2, T_mult=multiple, eta_min=0.01
        )

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    scheduler, expected = make(optimizer), []
    for step in range(80):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step(step / 10)
        expected.append(optimizer.param_groups[0]["lr"])
    options = {"T_0": 2, "T_mult": multiple, "eta_min": 0.01}
    assert rates("CosineRestarts", options, epochs=8, lr=0.5) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "options", "make"),
    [
        ("StepLR", {"step_size": 3, "gamma": 0.5}, lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
        (
            "MultiStepLR",
            {"milestones": [6, 2, 6], "gamma": 0.3},
            lambda o: lr_scheduler.MultiStepLR(o, [2, 6, 6], 0.3),
        ),
        ("ExponentialLR", {"gamma": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    ],
)
def test_schedules_by_epochs_are_torchs(name, options, make):
    expected = torchs(make, 8, lr=0.2)
    assert rates(name, options, epochs=8, lr=0.2) == pytest.approx(by_epoch(expected))


def test_step_drop_is_one_epoch_early():
    expected = [0.2 * 0.1 ** ((1 + epoch) // 10) for epoch in range(25)]
    assert rates("StepDrop", {}, epochs=25, lr=0.2) == pytest.approx(by_epoch(expected))


def test_exponential_is_found_under_its_other_name_and_option():
    assert rates("exp", {"rate": 0.5}) == rates("Exponential", {"gamma": 0.5})


def test_polynomial_is_torchs():
    expected = torchs(lambda o: lr_scheduler.PolynomialLR(o, total_iters=49, power=2.0), 50)
    assert rates("poly", {"power": 2}) == pytest.approx(expected, abs=1e-12)


def test_warm_up_is_torchs_line():
    expected = torchs(lambda o: lr_scheduler.LinearLR(o, 0.01, total_iters=20), 50)
    assert rates("warmup", {"epochs": 2}) == pytest.approx(expected)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cyclic_lr_is_torchs_in_each_mode(mode):
    def make(optimizer):
        return lr_scheduler.CyclicLR(
            optimizer, 0.01, 0.3, step_size_up=7, mode=mode, gamma=0.97, cycle_momentum=False
        )

    options = {"base_lr": 0.01, "max_lr": 0.3, "step_size": 7, "mode": mode, "gamma": 0.97}
    found = rates("cycliclr", options, epochs=10, lr=77.0)
    assert found == pytest.approx(torchs(make, 100))


def test_constant_never_changes():
    assert rates("Constant", {}, lr=0.3) == [0.3] * 50


def test_the_decay_of_kerass_optimizers_divides_every_rate():
    schedule = with_decay(build_schedule("constant", {}), 0.1)
    found = [schedule(Moment(step, 10, 1, 0.5, 0.5)) for step in range(5)]
    assert found == pytest.approx([0.5 / (1 + 0.1 * step) for step in range(5)])


def test_progress_runs_from_nothing_to_everything():
    assert [Moment(step, 2, 2, 1.0, 1.0).progress for step in range(4)] == [0, 1 / 3, 2 / 3, 1]
    assert Moment(0, 1, 1, 1.0, 1.0).progress == 0


@pytest.mark.parametrize("name", ["OneCycle", "one_cycle", "onecyclelr", "ONECYCLE"])
def test_one_cycle_has_its_usual_names(name):
    assert schedules.get(name).name == "OneCycle"


def test_problems_have_their_place_and_a_hint():
    (problem,) = check_schedule("one_cicle", {}, lambda: "config.yaml:4:1", "stages.0.schedule")
    assert str(problem) == (
        "config.yaml:4:1: stages.0.schedule: expected the name of a known schedule, "
        "got 'one_cicle'\n    did you mean 'one_cycle'?"
    )
    with pytest.raises(ConfigError, match=r"schedule\.OneCycle\.pct_start: expected .* got 1"):
        build_schedule("OneCycle", {"pct_start": 1})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("MultiStep", {}, r"schedule\.MultiStep\.milestones: required, but not set"),
        ("MultiStep", {"milestones": []}, r"milestones: expected at least 1 item"),
        ("CyclicLR", {"mode": "square"}, r"mode: expected 'triangular', 'triangular2' or"),
        ("CyclicLR", {"scale_fn": "f"}, r"CyclicLR\.scale_fn: unknown key"),
        ("Step", {"gamma": math.nan}, r"gamma: expected"),
    ],
)
def test_wrong_options_are_told(name, options, message):
    with pytest.raises(ConfigError, match=message):
        build_schedule(name, options)


def test_a_wrong_item_does_not_make_its_list_too_short_as_well():
    with pytest.raises(ConfigError, match="milestones") as error:
        build_schedule("MultiStep", {"milestones": [-1]})
    (problem,) = error.value.problems
    assert problem.message == (
        "schedule.MultiStep.milestones.0: expected greater than or equal to 1, got -1"
    )


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"base_lr": 0.1}, "base_lr is the lowest rate: 0.1 is above max_lr, 0.006"),
        ({"base_lr": 0, "max_lr": 0}, "nothing learns where every rate is 0"),
    ],
)
def test_cyclic_rates_that_cannot_be_are_told(options, hint):
    (problem,) = check_schedule("CyclicLR", options)
    assert problem.slug == "config/bad-value"
    assert problem.message == (
        f"schedule.CyclicLR: expected options that fit together, got {options}"
    )
    assert problem.hint == hint
    assert check_schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 0.1}) == []
