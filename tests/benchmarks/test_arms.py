import json
import math
import sys

import pytest

from benchmarks.arms import (
    Arm,
    FailedError,
    Sample,
    interleave,
    joined,
    read_events,
    run_json,
    run_process,
)
from benchmarks.machine import Busy


def arms_that_note(order, names):
    def note(name):
        return lambda number: order.append((name, number)) or Sample(1.0)

    return [Arm(name, note(name)) for name in names]


def test_arms_take_turns():
    order = []
    interleave(arms_that_note(order, "ABC"), 2, say=str)
    assert order == [("A", 0), ("B", 0), ("C", 0), ("A", 1), ("B", 1), ("C", 1)]


def test_arm_that_fails_is_left_out_and_says_why():
    def fail(number):
        msg = "exit 1"
        raise FailedError(msg)

    order = []
    broken, sound = Arm("broken", fail), *arms_that_note(order, "A")
    interleave([broken, sound], 2, say=str)
    assert (broken.failure, broken.samples, len(sound.samples)) == ("exit 1", [], 2)


def test_disturbed_sample_is_made_again(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    samples = iter([Sample(9.0, others=0.5), Sample(1.0, others=0.0)])
    arm = Arm("A", lambda _: next(samples))
    interleave([arm], 1, retries=1, say=str)
    assert [sample.seconds for sample in arm.samples] == [1.0]


def test_disturbed_sample_is_kept_and_told_without_retries():
    said = []
    arm = Arm("A", lambda _: Sample(9.0, others=0.5))
    interleave([arm], 1, say=said.append)
    assert said == ["    A: 9.00 s  (others were busy)"]


def test_median_is_what_an_arm_took():
    arm = Arm("A", lambda _: Sample(0.0), [Sample(3.0), Sample(1.0), Sample(8.0)])
    assert arm.seconds == 3.0


def test_folds_that_were_not_run_are_taken_to_cost_the_same():
    found = joined([Sample(2.0, 0.9, 1.0), Sample(4.0, 0.8, 3.0)], times=2.5)
    assert (found.seconds, found.cpu_seconds, found.accuracy) == pytest.approx((15.0, 10.0, 0.85))


def test_process_is_timed_from_start_to_end(tmp_path):
    sample = run_process([sys.executable, "-c", "import time; time.sleep(0.2)"], tmp_path / "log")
    assert 0.2 <= sample.seconds < 20
    assert math.isnan(sample.accuracy)


def test_failed_process_shows_its_last_lines(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('no such data')"]
    with pytest.raises(FailedError, match="exit 1\nno such data"):
        run_process(command, tmp_path / "log")


def test_json_is_found_among_other_lines(tmp_path):
    code = "print('a warning'); print('{\"a\": 1}')"
    assert run_json([sys.executable, "-c", code], tmp_path / "log") == {"a": 1}


def test_output_without_json_is_refused(tmp_path):
    with pytest.raises(FailedError, match="expected JSON, got 'nothing"):
        run_json([sys.executable, "-c", "print('nothing')"], tmp_path / "log")


def test_first_time_of_each_event_counts(tmp_path):
    path = tmp_path / "events.jsonl"
    events = [{"event": "epoch", "time": 12.0}, {"event": "epoch", "time": 15.0}]
    path.write_text("\n".join(map(json.dumps, events)))
    assert read_events(path, 10.0) == {"epoch": 2.0}


def test_others_are_what_the_machine_did_beside_us():
    before, after = Busy(100.0, 10.0, 0.0), Busy(118.0, 20.0, 10.0)
    assert after.others_since(before) == pytest.approx(0.8)


def test_others_are_unknown_where_the_system_does_not_tell():
    assert Busy(None, 1.0, 2.0).others_since(Busy(None, 0.0, 0.0)) is None
