import fcntl
import functools
import os
import queue
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import types
from pathlib import Path

import numpy as np
import psutil
import pytest

from fivefold.core.errors import DataError
from fivefold.data import forked
from fivefold.data.forked import read_in_order
from fivefold.data.forking import reason_against
from fivefold.data.image_problem import ImageProblem, Reason

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux"),
    pytest.mark.usefixtures("no_process_is_left"),
]


def name_of(position):
    return f"item {position}"


def read(position):
    if position % 5 == 4:
        return f"only text {position} \u00e9", None
    rng = np.random.default_rng(position)
    return f"{position}", rng.integers(0, 256, (position % 7 + 1, 30, 3), dtype=np.uint8)


def same(first, second):
    return first[0] == second[0] and np.array_equal(first[1], second[1])


def open_descriptors():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def pid_of(position):
    return str(os.getpid()), None


def test_forks_give_the_same_in_the_same_order(eager):
    positions = list(range(40))[::-1]
    found = list(read_in_order(read, positions, name_of))
    assert len(found) == 40
    assert all(map(same, found, map(read, positions)))


def test_each_core_has_a_process(eager):
    pids = [text for text, _ in read_in_order(pid_of, range(34), name_of)]
    assert set(pids[:4]) == {str(os.getpid())}
    assert len(set(pids[4:])) == 3
    assert str(os.getpid()) not in pids[4:]


def test_what_is_quick_stays_here(nothing_shared, monkeypatch):
    monkeypatch.setattr(forked, "usable_cores", lambda: 3)
    pids = {text for text, _ in read_in_order(pid_of, range(500), name_of)}
    assert pids == {str(os.getpid())}


def test_slow_code_that_holds_the_interpreter_is_shared(nothing_shared, monkeypatch):
    monkeypatch.setattr(forked, "usable_cores", lambda: 2)

    def busy(position):
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            pass
        return pid_of(position)

    pids = {text for text, _ in read_in_order(busy, range(60), name_of)}
    assert len(pids) == 3


def test_one_core_needs_no_process(eager, monkeypatch):
    monkeypatch.setattr(forked, "usable_cores", lambda: 1)
    assert {text for text, _ in read_in_order(pid_of, range(30), name_of)} == {str(os.getpid())}


def test_pixels_larger_than_any_pipe_come_whole(eager):
    def large(position):
        return "", np.full((700, 1000, 3), position, np.uint8)

    found = [pixels for _, pixels in read_in_order(large, range(12), name_of)]
    assert [int(pixels.min()) for pixels in found] == list(range(12))
    assert [int(pixels.max()) for pixels in found] == list(range(12))


@pytest.mark.parametrize(
    "error",
    [
        ImageProblem(Reason.DATASET_ERROR, "KeyError: 'x'"),
        DataError("item 9: expected this, got that", slug="data/shape"),
        ValueError("nothing of ours"),
        SystemExit("item 9"),
        KeyboardInterrupt("item 9"),
    ],
)
def test_what_a_data_set_raises_is_raised_in_its_turn(eager, error):
    def broken(position):
        if position == 9:
            raise error
        return read(position)

    found = []
    with pytest.raises(type(error), match=str(error.args[0])) as raised:
        found.extend(read_in_order(broken, range(30), name_of))
    assert len(found) == 9
    assert raised.value is error


def ending(position, how):
    if position == 13:
        how()
    return read(position)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (lambda: os._exit(0), "exit code 0"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal SIGKILL"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), "signal SIGTERM"),
    ],
)
def test_a_process_that_ends_is_told_with_the_sample(eager, how, told):
    found = []
    with pytest.raises(DataError, match=rf"item 13: .* the end of its process: {told}") as error:
        found.extend(read_in_order(functools.partial(ending, how=how), range(30), name_of))
    assert error.value.slug == "data/process-lost"
    assert len(found) == 13


def test_nobody_is_left_when_nobody_wants_more(eager):
    reading = read_in_order(read, range(1000), name_of)
    for _ in range(20):
        next(reading)
    assert len(psutil.Process().children()) == 3
    reading.close()


def test_processes_that_fall_silent_are_given_up(eager, monkeypatch, caplog):
    monkeypatch.setattr(forked, "_PATIENCE", 0.3)
    monkeypatch.setattr(forked, "_TIMES", 0.0)
    asked, answers = queue.Queue(), queue.Queue()

    def serve():
        for position in iter(asked.get, None):
            answers.put(read(position))

    def through_a_thread(position):  # which no fork has
        asked.put(position)
        return answers.get()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        found = list(read_in_order(through_a_thread, range(20), name_of))
    finally:
        asked.put(None)
        thread.join()
    assert all(map(same, found, map(read, range(20))))
    assert "item 4: its process was silent for 0 s" in caplog.text


def test_no_process_reads_from_anothers_place_in_a_file(eager, tmp_path):
    rows = np.arange(60 * 5000, dtype=np.uint32).reshape(60, 5000)
    (tmp_path / "rows").write_bytes(rows.tobytes())
    with (tmp_path / "rows").open("rb", buffering=0) as file:

        def seek_and_read(position):
            file.seek(position * 20000)
            parts = []
            for _ in range(20):  # leaves time for others to come between
                parts.append(file.read(1000))
                time.sleep(0.0001)
            return "", np.frombuffer(b"".join(parts), np.uint8).reshape(100, 200, 1)

        found = [pixels for _, pixels in read_in_order(seek_and_read, range(60), name_of)]
    assert np.concatenate(found).tobytes() == rows.tobytes()


def test_when_the_system_allows_no_process_samples_are_read_here(eager, monkeypatch, caplog):
    def refused():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    before = open_descriptors()
    found = list(read_in_order(read, range(20), name_of))
    assert all(map(same, found, map(read, range(20))))
    assert "no processes to read samples in" in caplog.text
    assert open_descriptors() == before


def test_an_open_connection_is_not_shared(eager):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert reason_against() == ""
        with socket.create_connection(server.getsockname()) as client, server.accept()[0]:
            assert "a connection is open" in reason_against()
            pids = {text for text, _ in read_in_order(pid_of, range(30), name_of)}
            assert pids == {str(os.getpid())}
            assert client.fileno() > 0


def test_a_gpu_in_use_is_not_shared(monkeypatch):
    cuda = types.SimpleNamespace(is_initialized=lambda: True)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda, set_num_threads=int))
    assert reason_against() == "the GPU is in use"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_read_in_one_process(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert "this system" in reason_against()


SCRIPT = """
import os, sys, time
from fivefold.data.forked import read_in_order

def slow(position):
    time.sleep(0.3)
    return str(os.getpid()), None

for text, _ in read_in_order(slow, range(1000), str):
    print(text, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(end):
    if (os.cpu_count() or 1) < 2:
        pytest.skip("forks need two cores")
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pids = {int(parent.stdout.readline()) for _ in range(8)} - {parent.pid}
    children = [psutil.Process(pid) for pid in pids]
    assert children
    parent.send_signal(end)
    told = parent.communicate(timeout=20)[1]
    assert ("KeyboardInterrupt" in told) == (end == signal.SIGINT)
    assert psutil.wait_procs(children, timeout=10)[1] == []


LOCKED = """
import fcntl, os, sys, time
from pathlib import Path
from fivefold.data.forked import read_in_order

path = Path(sys.argv[1])
path.with_name(path.name + "-holder").touch()
lock = path.open("w")  # as a library would hold it that knows nothing of forks
fcntl.flock(lock, fcntl.LOCK_EX)

def slow(position):
    time.sleep(0.3 if position < 10 else 60)
    return str(os.getpid()), None

for text, _ in read_in_order(slow, range(1000), str):
    print(text, flush=True)
"""


@pytest.mark.slow
def test_the_lock_and_busy_readers_are_gone_as_soon_as_a_run_was_killed(tmp_path):
    if (os.cpu_count() or 1) < 2:
        pytest.skip("forks need two cores")
    command = [sys.executable, "-c", LOCKED, tmp_path / ".lock"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    children = {int(parent.stdout.readline()) for _ in range(8)} - {parent.pid}
    assert children
    with (tmp_path / ".lock").open("w") as lock:
        with pytest.raises(BlockingIOError, match="unavailable"):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for pid in children:
            assert tmp_path / ".lock" not in {
                p.resolve() for p in Path(f"/proc/{pid}/fd").iterdir()
            }
        readers = [psutil.Process(pid) for pid in children]
        parent.kill()
        parent.communicate()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert psutil.wait_procs(readers, timeout=5)[1] == []  # they would sleep for a minute


def test_readers_that_another_thread_has_started_outlive_it(eager):
    items = read_in_order(read, range(40), name_of)
    found = []
    starter = threading.Thread(target=lambda: found.extend(next(items) for _ in range(6)))
    starter.start()
    starter.join()
    time.sleep(0.1)
    found += items
    assert all(map(same, found, map(read, range(40))))


def test_what_a_data_set_prints_is_printed_once():
    code = (
        "from fivefold.data import forked\n"
        "forked._WORTH, forked.usable_cores = 0.0, lambda: 3\n"
        "def read(i):\n"
        "    print(f'item {i}\\n', end='')\n"
        "    return '', None\n"
        "list(forked.read_in_order(read, range(20), str))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert sorted(found.stdout.splitlines()) == sorted(f"item {i}" for i in range(20))
