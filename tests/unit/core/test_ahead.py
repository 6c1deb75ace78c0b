import threading
import time

import pytest

from fivefold.core.ahead import map_ahead


def test_results_come_in_the_items_order():
    def slow_first(item):
        time.sleep(0.02 if item == 0 else 0)
        return item * item

    assert list(map_ahead(slow_first, range(20), threads=3, ahead=5)) == [i * i for i in range(20)]


def test_no_more_is_taken_than_is_worked_on_ahead():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = map_ahead(str, items(), threads=2, ahead=3)
    assert [next(results) for _ in range(10)] == list(map(str, range(10)))
    assert len(taken) == 13
    results.close()
    assert len(taken) == 13


def test_an_exception_comes_in_its_turn_and_ends_all_threads():
    def fail_at_3(item):
        if item == 3:
            msg = "item 3 is bad"
            raise ValueError(msg)
        return item

    closed = []

    def items():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    got = []
    with pytest.raises(ValueError, match="item 3 is bad"):
        got.extend(map_ahead(fail_at_3, items(), threads=2, ahead=2))
    assert got == [0, 1, 2]
    assert closed == [True]
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit])
def test_an_interrupt_leaves_no_thread(stop):
    results = map_ahead(str, iter(range(100)), threads=2, ahead=2)
    next(results)
    with pytest.raises(stop, match=r"^$"):
        results.throw(stop())
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


def test_each_thread_begins_once():
    begun = []
    assert list(map_ahead(str, "abc", threads=2, ahead=2, begin=lambda: begun.append(1))) == [
        *"abc"
    ]
    assert 1 <= len(begun) <= 2


def test_what_still_runs_is_told_of_the_end_and_then_waited_for():
    stop, broken_off = threading.Event(), []

    def wait(item):
        if item:
            broken_off.append(stop.wait(60))

    results = map_ahead(wait, range(100), threads=2, ahead=2, end=stop.set)
    next(results)
    results.close()
    assert broken_off
    assert all(broken_off)
