import pytest

from fivefold.core.choices import Choices
from fivefold.engine.precision import Machine, choose

BOTH = ("float32", "bfloat16")


class Measured:
    """Rates that a machine has; remembers what was asked for."""

    def __init__(self, rates):
        self.rates = rates
        self.asked = []

    def __call__(self, ways):
        self.asked.append([way.name for way in ways])
        return {
            way.name: next(
                rate for about, rate in self.rates.items() if set(about.split()) <= words(way)
            )
            for way in ways
        }


def words(way):
    return {way.precision, way.layout, str(way.threads)}


def machine(cores=2, num_folds=5, precisions=BOTH, on_cpu=True):
    return Machine(cores, num_folds, precisions, on_cpu)


def chosen(profile, rates, **about):
    found = choose(profile, machine(**about), Measured(rates))
    return found.precision, found.layout, found.threads


@pytest.mark.parametrize(
    ("cores", "num_folds", "threads"), [(2, 5, 1), (16, 5, 3), (8, 1, 8), (5, 5, 1)]
)
def test_exact_measures_nothing_and_shares_the_cores(cores, num_folds, threads):
    measured = Measured({})
    found = choose("exact", machine(cores, num_folds), measured)
    assert found == Choices(threads, "exact", "float32", "channels_last")
    assert measured.asked == []


def test_auto_takes_the_layout_that_is_clearly_faster():
    assert chosen("auto", {"contiguous": 111, "channels_last": 100})[1] == "contiguous"
    assert chosen("auto", {"contiguous": 109, "channels_last": 100})[1] == "channels_last"


def test_auto_never_tries_another_precision():
    measured = Measured({"": 100})
    choose("auto", machine(), measured)
    assert measured.asked == [["float32, channels_last, 1 thread", "float32, contiguous, 1 thread"]]


def test_fast_takes_bfloat16_where_it_is_a_tenth_faster_than_the_best_of_float32():
    assert chosen("fast", {"bfloat16": 111, "float32": 100})[0] == "bfloat16"
    assert chosen("fast", {"bfloat16": 109, "float32": 100})[0] == "float32"
    rates = {"bfloat16": 125, "float32 contiguous": 120, "float32": 100}
    assert chosen("fast", rates)[:2] == ("float32", "contiguous")


def test_fast_does_without_a_precision_that_the_device_has_not():
    assert chosen("fast", {"bfloat16": 999, "": 1}, precisions=("float32",))[0] == "float32"


def test_bfloat16_may_have_another_layout_than_float32():
    rates = {"bfloat16 contiguous": 300, "bfloat16": 200, "float32": 100}
    assert chosen("fast", rates)[:2] == ("bfloat16", "contiguous")


def test_threads_are_tried_where_folds_leave_cores_free():
    measured = Measured({"": 100})
    choose("auto", machine(cores=8, num_folds=3), measured)
    assert measured.asked[1] == [
        f"float32, channels_last, {threads}" for threads in ("2 threads", "1 thread", "8 threads")
    ]


@pytest.mark.parametrize("about", [{"num_folds": 2}, {"num_folds": 1, "on_cpu": False}])
def test_threads_are_not_tried_where_folds_take_all_cores_nor_beside_a_gpu(about):
    measured = Measured({"": 100})
    choose("auto", machine(**about), measured)
    assert len(measured.asked) == 1


@pytest.mark.parametrize(("rate_of_eight", "threads"), [(250, 2), (350, 8)])
def test_folds_side_by_side_count_together(rate_of_eight, threads):
    # 3 folds with 2 threads each give 300 images in a second; one with 8 has to beat that.
    rates = {"8": rate_of_eight, "2": 100, "1": 60}
    assert chosen("auto", rates, cores=8, num_folds=3)[2] == threads


def test_what_was_measured_is_kept():
    found = choose("auto", machine(), Measured({"contiguous": 80, "channels_last": 100}))
    assert found.measured == {
        "float32, channels_last, 1 thread": 200,
        "float32, contiguous, 1 thread": 160,
    }
