"""Python data sets that hold the interpreter: the audit and training read them in processes."""

import itertools
import os
import sys
import threading
from functools import partial

import numpy as np
import psutil
import pytest

from fivefold import PredictionItem
from fivefold.augment import resize
from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import forked
from fivefold.data.audit import audit
from fivefold.data.batches import Batches
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.preprocess import Preprocess
from fivefold.data.python_class import PythonSource
from fivefold.data.samples import table_of

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux"),
    pytest.mark.usefixtures("no_process_is_left"),
]

SHAPE = (8, 8, 3)


class Told:
    """A data set that writes down which process was asked for which item."""

    def __init__(self, path, count=30):
        self.path = path
        self.count = count
        self.dies_at = None
        self.broken = 11

    def __len__(self):
        return self.count

    def get_id(self, i):
        return f"s{i}"

    def get_target(self, i):
        return i % 2

    def __getitem__(self, i):
        with self.path.open("a") as file:
            file.write(f"{os.getpid()} {i}\n")
        if i == self.broken:
            raise KeyError(i)
        if i == self.dies_at:
            os._exit(1)
        rng = np.random.default_rng(i)
        image = rng.integers(0, 256, (5 + i % 3, 9, 3), dtype=np.uint8)
        return PredictionItem(f"s{i}", image, i % 2)

    def asked(self):
        """Give pairs of process and item since the last time."""
        lines = self.path.read_text().split("\n")[:-1]
        self.path.write_text("")
        return [tuple(map(int, line.split())) for line in lines]


@pytest.fixture
def told(tmp_path):
    return Told(tmp_path / "told")


def preprocess():
    return Preprocess(SHAPE, partial(resize, height=8, width=8))


def audited(told, **options):
    source = PythonSource(told)
    kept = Kept(preprocess(), len(source), **options)
    found = audit(source, folds=2, progress=Silent(), kept=kept)
    return found, ResizedImages(source, table_of(source, found), kept)


def test_an_audit_in_processes_finds_the_same(told, eager, monkeypatch):
    found, images = audited(told)
    pids = {pid for pid, _ in told.asked()}
    monkeypatch.setattr(forked, "usable_cores", lambda: 1)
    expected, others = audited(told)
    assert {pid for pid, _ in told.asked()} == {os.getpid()}
    assert len(pids) == 4
    assert found == expected
    assert found.reasons == {"dataset_error": 1}
    assert "KeyError: 11" in found.rows[told.broken].detail
    assert all(np.array_equal(images.get(row), others.get(row)) for row in range(29))
    assert told.asked() == []


def test_an_item_that_ends_the_process_is_named(told, eager):
    told.dies_at = 20
    with pytest.raises(DataError, match=r"item 20, 's20': .*process: exit code 1") as error:
        audited(told)
    assert error.value.slug == "data/process-lost"


def test_a_process_does_not_wait_for_a_thread_of_its_parent(told, eager):
    source = PythonSource(told)
    busy, done = threading.Event(), threading.Event()

    def hold():
        with source._turn:
            busy.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    read = partial(forked.read_in_order, lambda i: ("", source.image(i)), range(10), str)
    items = read()
    for _ in range(4):
        next(items)
    thread.start()
    busy.wait(20)
    found = [next(items)[1] for _ in range(6)]
    done.set()
    thread.join()
    items.close()
    assert all(np.array_equal(x, source.image(i)) for i, x in enumerate(found, start=4))


def noisy(image, rng):
    return image if rng is None else rng.permutation(image.ravel()).reshape(image.shape)


def batches(images, threads):
    options = {"batch": 4, "prepare": noisy, "seed": 7, "place": (0, 1, 2), "threads": threads}
    return Batches(images, images.table, range(29), **options)


def same(first, second):
    pairs = itertools.zip_longest(first, second)
    return all(
        np.array_equal(a.indices, b.indices) and np.array_equal(a.images, b.images)
        for a, b in pairs
    )


@pytest.mark.parametrize("threads", [0, 1, 2, 4])
def test_what_nothing_remembers_is_read_in_processes_to_the_same_bits(told, eager, threads):
    _, remembered = audited(told)
    _, images = audited(told, byte_limit=0)
    told.asked()
    assert same(batches(images, threads), batches(remembered, 2))
    asked = told.asked()
    assert len({pid for pid, _ in asked}) == 4
    assert sorted(item for _, item in asked) == [i for i in range(30) if i != told.broken]


def test_what_is_remembered_is_not_read_again(told, eager):
    _, images = audited(told)
    told.asked()
    list(batches(images, 2))
    assert told.asked() == []


@pytest.mark.parametrize("threads", [0, 2])
def test_processes_end_when_nobody_wants_more_batches(told, eager, threads):
    _, images = audited(told, byte_limit=0)
    found = iter(batches(images, threads))
    next(found)
    next(found)
    found.close()
    assert psutil.Process().children() == []


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_in_a_process_is_the_one_of_training(told, eager, threads):
    _, images = audited(told, byte_limit=0)
    order = np.concatenate(batches(images, threads).parts)
    told.broken = int(images.table.indices[order[14]])
    expected = (
        rf"item \d+, 's{told.broken}': expected a readable image as before, got dataset_error"
    )
    with pytest.raises(DataError, match=expected) as error:
        list(batches(images, threads))
    assert error.value.slug == "data/vanished"
