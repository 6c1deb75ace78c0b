import copy
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.errors import ConfigError
from fivefold.optim import Moment, build_schedule, check_schedule, last_of_chain

SHAPES = {
    "const": lambda t: 0.0,
    "linear": lambda t: t,
    "sin": lambda t: math.sin(math.pi * t / 2),
    "sin+": lambda t: math.sin(math.pi * t / 2),
    "sin-": lambda t: 1 - math.sin(math.pi * t / 2),
    "cos": lambda t: math.cos(math.pi * t / 2),
    "cos-": lambda t: math.cos(math.pi * t / 2),
    "cos+": lambda t: 1 - math.cos(math.pi * t / 2),
}


class Piece:
    """A callback that remembers, event by event: what the pure function must equal."""

    def __init__(self, options, per_epoch, start=0, period=None):
        self.start, self.first = start, options.get("fromVal")
        self.last, self.style = options.get("toVal", 0.006), options.get("style", "linear")
        own = options.get("absSize")
        self.own = int(options["relSize"] * per_epoch + 0.5) if own is None else own
        if period is None and "periodEpochs" in options:
            period = options["periodEpochs"] * per_epoch
        if period is None and "periodSteps" in options:
            period = options["periodSteps"]
        self.period, self.then = period, None
        inner = (options.get("then") or {}).get("LRVariator")
        if inner is not None:
            self.then = Piece(inner, per_epoch, start + self.own, period)

    def step_end(self, step, rate):
        place = step if self.period is None else step % self.period
        if self.start <= place < self.start + self.own:
            if self.first is None:
                self.first = rate
            t = (place - self.start) / (self.own - 1) if self.own > 1 else 0
            way = SHAPES[self.style](t) if self.style in SHAPES else t**self.style
            rate = max(self.first + way * (self.last - self.first), 0)
        return rate if self.then is None else self.then.step_end(step, rate)


def simulated(options, epochs, per_epoch, lr):
    piece, rate, rates = Piece(options, per_epoch), lr, []
    for step in range(epochs * per_epoch):
        rates.append(rate)
        rate = piece.step_end(step, rate)
    return rates


def computed(options, epochs, per_epoch, lr):
    schedule = build_schedule("LRVariator", options)
    return [schedule(Moment(step, per_epoch, epochs, lr, lr)) for step in range(epochs * per_epoch)]


RATES = st.sampled_from([0.0, 0.001, 0.01, 0.5])
PIECES = st.fixed_dictionaries(
    {"toVal": RATES, "style": st.sampled_from([*SHAPES, 0.5, 2])},
    optional={
        "fromVal": RATES,
        "periodSteps": st.integers(1, 25),
    },
)
SIZES = st.one_of(
    st.fixed_dictionaries({"absSize": st.integers(0, 9)}),
    st.fixed_dictionaries({"relSize": st.sampled_from([0.1, 0.5, 1, 2.3])}),
)


@st.composite
def chains(draw):
    chain = None
    for _ in range(draw(st.integers(1, 3))):
        piece = {**draw(PIECES), **draw(SIZES)}
        chain = piece if chain is None else {**piece, "then": {"LRVariator": chain}}
    return chain


@settings(max_examples=300, deadline=None)
@given(chains())
def test_a_chain_is_what_callbacks_that_remember_would_do(chain):
    assert computed(chain, 4, 7, 0.02) == pytest.approx(simulated(chain, 4, 7, 0.02))


def test_the_example_of_its_page():
    chain = {
        "absSize": 10,
        "toVal": 0.002,
        "style": 2,
        "then": {"LRVariator": {"relSize": 1, "toVal": 0.001, "style": 0.5}},
    }
    found = computed({**chain, "fromVal": 0.0}, 3, 10, 0.1)
    assert found[:11] == pytest.approx([0.1, *(0.002 * (i / 9) ** 2 for i in range(10))])
    assert found[11:21] == pytest.approx([0.002 - 0.001 * (i / 9) ** 0.5 for i in range(10)])
    assert found[21:] == [0.001] * 9


def test_a_period_in_epochs_starts_the_chain_anew():
    found = computed({"absSize": 4, "fromVal": 0.1, "toVal": 0.4, "periodEpochs": 1}, 3, 6, 0.7)
    assert found[0] == 0.7
    assert found[1:7] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert found[7:13] == found[1:7]


def test_what_a_callback_makes_of_the_rate_counts_until_a_piece_sets_it():
    schedule = build_schedule("LRVariator", {"absSize": 2, "toVal": 0.4, "periodSteps": 6})

    def rate(step):
        return schedule(Moment(step, 3, 9, lr=0.05, given=0.1))  # halved by somebody

    # the second epoch, steps 3 to 5, is behind the chain; the third begins a new period
    assert [rate(step) for step in (3, 4, 5)] == pytest.approx([0.2, 0.2, 0.2])
    assert rate(6) == pytest.approx(0.2)
    assert [rate(step) for step in (7, 8)] == pytest.approx([0.1, 0.4])


def test_the_callback_at_the_end_of_a_chain_is_found():
    plateau = {"ReduceLROnPlateau": {"patience": 2}}
    chain = {"absSize": 1, "then": {"LRVariator": {"absSize": 2, "then": plateau}}}
    expected = ("then", "LRVariator", "then", "ReduceLROnPlateau")
    assert last_of_chain(chain) == (expected, "ReduceLROnPlateau", {"patience": 2})
    assert last_of_chain({"absSize": 1}) is None
    assert last_of_chain(None) is None


def test_a_chain_is_left_as_it_was_written():
    chain = {"absSize": 1, "then": {"LRVariator": {"absSize": 2}}}
    before = copy.deepcopy(chain)
    build_schedule("LRVariator", chain)
    assert chain == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "one of absSize"),
        ({"absSize": 1, "relSize": 1}, "one of absSize"),
        ({"absSize": 1, "periodSteps": 1, "periodEpochs": 1}, "exclude each other"),
        ({"absSize": 1, "style": "tan"}, r"style: expected a number above 0 or one of const, "),
        ({"absSize": 1, "style": -1}, r"style: expected a number above 0"),
        ({"absSize": 1, "toval": 1}, r"toval: unknown key"),
        ({"absSize": 1, "then": "LRVariator"}, r"then: expected one callback with its options"),
        ({"absSize": 1, "then": {"LRVariator": {"relSiz": 1}}}, r"then\.LRVariator\.relSiz: unkn"),
    ],
)
def test_what_is_wrong_in_a_chain_is_told(options, message):
    with pytest.raises(ConfigError, match=message):
        build_schedule("LRVariator", options)


def test_a_problem_deep_in_a_chain_has_its_place():
    chain = {"absSize": 1, "then": {"LRVariator": {"absSize": 1, "toVal": -1}}}
    (problem,) = check_schedule("LRVariator", chain, lambda *path: ".".join(map(str, path)), "c")
    assert problem.where == "then.LRVariator.toVal"
