"""Data sets that answer through something that processes cannot share are read in this one."""

import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from fivefold import PredictionItem
from fivefold.core.lock import locked
from fivefold.core.progress import Silent
from fivefold.data import channels, forked
from fivefold.data.audit import audit
from fivefold.data.forking import reason_against
from fivefold.data.python_class import PythonSource
from fivefold.data.python_file import open_python
from fivefold.data.source import pixel_digest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux"),
    pytest.mark.usefixtures("no_process_is_left", "eager"),
]

COUNT, SIZE = 40, 16 * 16 * 3
ROWS = np.random.default_rng(3).integers(0, 256, (COUNT, 16, 16, 3), dtype=np.uint8)
HELPER = """
import sys
file = open(sys.argv[1], "rb")
for line in sys.stdin:
    file.seek(int(line) * 768)
    sys.stdout.buffer.write(file.read(768))
    sys.stdout.flush()
"""


class Stored:
    """Rows of a file, read through a channel, which `opened` opens and `ask` asks."""

    def __init__(self, path, *, late=False):
        self.path, self.late, self.channel = path, late, None
        self.pids = set()
        if not late:
            self.channel = self.opened()

    def __len__(self):
        return COUNT

    def __getitem__(self, i):
        if self.channel is None:
            self.channel = self.opened()
        image = np.frombuffer(self.ask(i), np.uint8).reshape(16, 16, 3)
        self.pids.add(os.getpid())
        return PredictionItem(f"s{i}", image, i % 2)

    def get_id(self, i):
        return f"s{i}"

    def get_target(self, i):
        return i % 2


class WrittenToo(Stored):
    def opened(self):
        return self.path.open("r+b", buffering=0)

    def ask(self, i):
        self.channel.seek(i * SIZE)
        return self.channel.read(SIZE)

    def close(self):
        self.channel.close()


class Paired(Stored):
    def opened(self):
        ours, theirs = socket.socketpair()

        def serve():
            with theirs:
                for number in iter(lambda: theirs.recv(1), b""):
                    theirs.sendall(ROWS[number[0]].tobytes())

        self.thread = threading.Thread(target=serve)
        self.thread.start()
        return ours

    def ask(self, i):
        self.channel.sendall(bytes([i]))
        return self.channel.recv(SIZE, socket.MSG_WAITALL)

    def close(self):
        self.channel.close()
        self.thread.join()


class Helped(Stored):
    def opened(self):
        command = [sys.executable, "-c", HELPER, str(self.path)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, i):
        self.channel.stdin.write(b"%d\n" % i)
        self.channel.stdin.flush()
        return self.channel.stdout.read(SIZE)

    def close(self):
        self.channel.communicate()


class Faithful(Stored):
    """Works in one process only, and says so."""

    def opened(self):
        return os.getpid()

    def ask(self, i):
        if os.getpid() != self.channel:
            msg = "this belongs to another process"
            raise RuntimeError(msg)
        return ROWS[i].tobytes()

    def close(self):
        pass


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(ROWS.tobytes())
    return path


def digests(dataset):
    source = PythonSource(dataset)
    return [row.digest for row in audit(source, folds=0, progress=Silent()).rows]


EXPECTED = [pixel_digest(row) for row in ROWS]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (WrittenToo, "a file is open for writing"),
        (Paired, "a connection is open: a socket"),
        (Helped, "a pipe is open"),
    ],
)
def test_what_processes_cannot_share_is_read_here(path, kind, reason, late, caplog):
    caplog.set_level(logging.INFO, "fivefold")
    dataset = kind(path, late=late)
    try:
        assert digests(dataset) == EXPECTED
    finally:
        dataset.close()
    assert dataset.pids == {os.getpid()}
    assert caplog.text.count("samples are read one at a time") == 1
    assert reason in caplog.text


def test_a_data_set_that_refuses_other_processes_is_read_here(path, caplog):
    dataset = Faithful(path)
    source = PythonSource(dataset)
    found = audit(source, folds=2, progress=Silent())
    assert [row.digest for row in found.rows] == EXPECTED
    assert found.used == COUNT
    assert found.warnings == ()
    told = "item 4, 's4': read here, but not in another process: RuntimeError: this belongs to"
    assert caplog.text.count(told) == 1
    again = audit(source, folds=2, progress=Silent())
    assert again == found
    assert caplog.text.count("not in another process") == 1
    assert "RuntimeError: this belongs" in source.trust.reason()


def test_what_raises_in_training_for_being_in_a_fork_is_read_here(path, caplog):
    source = PythonSource(Faithful(path))
    read = forked.read_in_order(
        lambda i: ("", source.image(i)), range(COUNT), "item {}".format, source.trust
    )
    assert np.array_equal([pixels for _, pixels in read], ROWS)
    assert caplog.text.count("item 4: read here, but not in another process") == 1


def test_what_the_code_refuses_here_too_does_not_end_the_forks(path, caplog):
    class Broken(Faithful):
        def ask(self, i):
            if i % 9 == 5:
                raise KeyError(i)
            return ROWS[i].tobytes() if os.getpid() == self.channel else ROWS[i, ::-1].tobytes()

    found = audit(PythonSource(Broken(path)), folds=2, progress=Silent())
    bad = [i for i, row in enumerate(found.rows) if row.status == "quarantined"]
    assert bad == [5, 14, 23, 32]
    assert found.rows[6].digest == pixel_digest(ROWS[6, ::-1])
    assert "4 refused by the data set's code (first KeyError: 5); such as" in found.warnings[0]
    assert "not in another process" not in caplog.text


def test_only_what_is_known_to_be_harmless_is(tmp_path, path):
    assert reason_against() == ""
    with locked(tmp_path / ".lock"), path.open("rb"), Path("/dev/urandom").open("rb"):
        assert reason_against() == ""
    with tempfile.TemporaryFile():
        assert "open for writing" in reason_against()
    with path.open("ab"):
        assert f"open for writing: {path}" in reason_against()
    number = os.eventfd(0)
    try:
        assert "a channel is open: anon_inode:[eventfd]" in reason_against()
        assert reason_against(channels.standing()) == ""
    finally:
        os.close(number)


def test_what_was_open_before_the_data_set_is_not_its_but_a_connection_is(tmp_path, path):
    (tmp_path / "own.py").write_text("data = [(bytes(3), 0), (bytes(3), 1)]\n")
    source = open_python("own.py:data", tmp_path)
    assert source.trust.before is channels.AT_START
    ends = os.pipe()
    try:
        assert reason_against(channels.standing()) == ""
        assert "a pipe is open" in reason_against(source.trust.before)
    finally:
        for end in ends:
            os.close(end)
    one, other = socket.socketpair()
    with one, other:
        assert "a connection is open" in reason_against(channels.standing())
