import warnings

import pytest
import torch

from fivefold.core.errors import ConfigError
from fivefold.optim import build_schedule, schedules

torch.set_num_threads(1)


def torchs(make, steps):
    """Collect the learning rates that a scheduler of torch sets."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no gradients here, so no optimizer steps
            scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize(
    "options", [{}, {"pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0}]
)
def test_one_cycle_is_torchs_curve(options):
    steps, start = 50, options.get("pct_start", 0.3)
    expected = torchs(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
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
    assert [schedule(place) for place in places] == pytest.approx(expected)


@pytest.mark.parametrize("final", [0.0, 0.05])
def test_cosine_is_torchs_curve(final):
    expected = torchs(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=40, eta_min=final), 41
    )
    schedule = build_schedule("CosineAnnealing", {"final_factor": final})
    assert [schedule(i / 40) for i in range(41)] == pytest.approx(expected)


def test_constant_never_changes():
    schedule = build_schedule("Constant", {})
    assert [schedule(i / 10) for i in range(11)] == [1.0] * 11


@pytest.mark.parametrize("name", ["OneCycle", "one_cycle", "onecyclelr", "ONECYCLE"])
def test_one_cycle_has_its_usual_names(name):
    assert schedules.get(name).name == "OneCycle"


@pytest.mark.parametrize("name", schedules.names())
def test_every_schedule_is_a_bounded_function_of_progress(name):
    schedule = build_schedule(name, {})
    factors = [schedule(i / 100) for i in range(101)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert max(factors) == pytest.approx(1)
    assert factors == [schedule(i / 100) for i in range(101)]
    assert schedules.get(name).summary


def test_problems_have_their_place_and_a_hint():
    (problem,) = schedules.problems("one_cicle", {}, lambda: "config.yaml:4:1", "stages.0.schedule")
    assert str(problem) == (
        "config.yaml:4:1: stages.0.schedule: expected the name of a known schedule, "
        "got 'one_cicle'\n    did you mean 'one_cycle'?"
    )
    with pytest.raises(ConfigError, match=r"schedule\.OneCycle\.pct_start: expected .* got 1"):
        build_schedule("OneCycle", {"pct_start": 1})
