"""What every schedule promises, whoever wrote it."""

import math

import pytest

from fivefold.optim import Moment, build_schedule, check_schedule, moves, schedules

OPTIONS = {"MultiStep": {"milestones": [1, 3]}, "LRVariator": {"relSize": 2, "fromVal": 0.001}}


@pytest.fixture(params=schedules.names())
def name(request):
    return request.param


def rates(name, lr, epochs=4, per_epoch=5):
    schedule = build_schedule(name, OPTIONS.get(name, {}))
    return [schedule(Moment(step, per_epoch, epochs, lr, lr)) for step in range(epochs * per_epoch)]


def test_every_rate_is_a_number_of_at_least_zero(name):
    for epochs, per_epoch in ((4, 5), (1, 1), (1, 7), (30, 1)):
        found = rates(name, 0.01, epochs, per_epoch)
        assert all(math.isfinite(rate) and rate >= 0 for rate in found)
        assert max(found) > 0


def test_it_keeps_no_state(name):
    schedule = build_schedule(name, OPTIONS.get(name, {}))
    moments = [Moment(step, 5, 4, 0.01, 0.01) for step in range(20)]
    forwards = [schedule(now) for now in moments]
    assert [schedule(now) for now in reversed(moments)] == forwards[::-1]


def test_it_follows_the_stages_rate_or_names_its_own(name):
    low, high = rates(name, 0.01), rates(name, 0.02)
    if schedules.get(name).facts.get("callback"):
        assert max(high[1:]) < 0.02
    else:
        assert high == pytest.approx([2 * rate for rate in low])


def test_only_a_constant_does_not_move(name):
    # a whole stage, long enough for schedules by epochs
    assert (len(set(rates(name, 0.01, epochs=12))) > 1) == moves(name)


def test_it_is_found_in_any_case_and_explains_itself(name):
    assert schedules.find(name.lower()) is schedules.find(name.upper())
    assert schedules.get(name).summary


def test_unknown_options_are_told(name):
    (problem,) = check_schedule(name, {**OPTIONS.get(name, {}), "speed": 1})
    assert problem.slug == "config/unknown-key"
