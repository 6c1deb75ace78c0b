"""The store gives the pixels that were added, or none: whatever happens in between."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.cache_home import CacheHome
from fivefold.data import pixel_store
from fivefold.data.pixel_store import NoRoomError, PixelStore
from fivefold.data.preprocess import Preprocess
from fivefold.data.shards import ROW, Known

SHAPE = (3, 5, 2)
ROW_BYTES = 30
HEADER = 128


def opened(home):
    return PixelStore(home, Preprocess(SHAPE, lambda image: image))


def digest_of(i):
    return hashlib.sha256(str(i).encode()).hexdigest()


def pixels_of(i):
    return np.random.default_rng(i).integers(0, 256, SHAPE, dtype=np.uint8)


def add(store, numbers, left=1000):
    for i in numbers:
        store.add(digest_of(i), pixels_of(i), Known(i + 1, i + 2, f"PNG+grey {i} 1 -1"), left)


def held(store, numbers):
    """Give the numbers whose pixels are there; fail where they are wrong."""
    numbers = list(numbers)
    rows = store.rows([digest_of(i) for i in numbers])
    found = {i: rows.read(k) for k, i in enumerate(numbers)}
    for i, pixels in found.items():
        assert pixels is None or np.array_equal(pixels, pixels_of(i))
    return {i for i, pixels in found.items() if pixels is not None}


@pytest.fixture
def home(tmp_path):
    return CacheHome(tmp_path / "cache", 10**6)


@pytest.fixture
def filled(home):
    """A store that was written in three shards and closed."""
    for start in (0, 4, 8):
        store = opened(home)
        add(store, range(start, start + 4))
        store.commit()
    return home


def test_rows_are_found_by_the_next_process(filled):
    store = opened(filled)
    assert held(store, range(-3, 15)) == set(range(12))
    assert store.find(digest_of(5)) == Known(6, 7, "PNG+grey 5 1 -1")
    assert store.find(digest_of(99)) is None


def test_an_empty_store_has_nothing(home):
    assert held(opened(home), range(3)) == set()
    assert opened(home).rows([]).num_missing == 0


def test_numpy_reads_a_shard_and_the_record_lies_beside_it(filled):
    for path in filled.root.rglob("*.npy"):
        rows = np.load(path, mmap_mode="r")
        assert (rows.shape, rows.dtype) == ((4, *SHAPE), np.uint8)
    (record,) = filled.root.rglob("preprocess.json")
    assert '"height": 3' in record.read_text()


def test_a_row_counts_only_after_a_commit(home):
    store = opened(home)
    add(store, range(3))
    assert held(store, range(3)) == held(opened(home), range(3)) == set()
    assert store.find(digest_of(1)) == Known(2, 3, "PNG+grey 1 1 -1")
    store.commit()
    assert held(store, range(3)) == held(opened(home), range(3)) == {0, 1, 2}


def test_the_same_content_is_stored_once(filled):
    before = sorted(filled.root.rglob("*.npy"))
    store = opened(filled)
    add(store, [*range(12), 12, 12])
    store.commit()
    (new,) = set(filled.root.rglob("*.npy")) - set(before)
    assert len(np.load(new)) == 1


def test_a_shard_is_closed_at_its_size(home, monkeypatch):
    monkeypatch.setattr(pixel_store, "SHARD_BYTES", 100)
    store = opened(home)
    add(store, range(8))
    assert held(opened(home), range(8)) == set(range(6))
    store.commit()
    assert sorted(len(np.load(path)) for path in home.root.rglob("*.npy")) == [2, 3, 3]


def test_a_shard_is_closed_at_its_number_of_rows(home, monkeypatch):
    monkeypatch.setattr(pixel_store, "SHARD_ROWS", 3)
    asked = []
    monkeypatch.setattr(pixel_store, "make_room", lambda _, size, keep: asked.append(size) or True)
    store = opened(home)
    add(store, range(8), left=8)
    store.commit()
    assert sorted(len(np.load(path)) for path in home.root.rglob("*.npy")) == [2, 3, 3]
    assert held(opened(home), range(8)) == set(range(8))
    assert max(asked) == 3 * ROW_BYTES


def test_room_is_asked_for_what_is_left_and_at_most_a_shard(home, monkeypatch):
    asked = []
    monkeypatch.setattr(pixel_store, "SHARD_BYTES", 100)
    monkeypatch.setattr(pixel_store, "make_room", lambda _, size, keep: asked.append(size) or True)
    store = opened(home)
    add(store, range(3), left=5)
    add(store, range(3, 5), left=2)
    store.commit()
    assert asked == [90, 60]


def test_what_is_used_stays_and_the_rest_makes_room(filled):
    sizes = {len(np.load(path)) * ROW_BYTES for path in filled.root.rglob("*.npy")}
    assert sizes == {120}
    total = sum(path.stat().st_size for path in files_of(filled))
    store = opened(CacheHome(filled.root, total))
    assert store.find(digest_of(0))
    assert store.find(digest_of(9))
    add(store, range(20, 22), left=2)
    store.commit()
    assert held(store, range(22)) == {0, 1, 2, 3, 8, 9, 10, 11, 20, 21}
    assert held(opened(filled), range(22)) == {0, 1, 2, 3, 8, 9, 10, 11, 20, 21}


@pytest.mark.parametrize("look", ["find", "rows"])
def test_use_is_marked_for_other_processes(filled, look):
    paths = sorted(filled.root.rglob("*.index"))
    for path in paths:
        os.utime(path, (1, 1))
    store = opened(filled)
    assert store.find(digest_of(5)) if look == "find" else store.rows([digest_of(5)])
    assert sorted(path.stat().st_mtime > 1 for path in paths) == [False, False, True]


def test_no_room_is_an_error_that_leaves_all_as_it_was(filled):
    store = opened(CacheHome(filled.root, 100))
    with pytest.raises(NoRoomError):  # noqa: PT011  it has no words: `Kept` has them
        add(store, [50])
    store.commit()
    assert held(opened(filled), range(60)) == set(range(12))


@pytest.mark.parametrize("suffix", [".npy", ".index"])
@pytest.mark.parametrize("length", [0, 10, 140, -1])
def test_a_cut_file_is_said_once_removed_and_the_rest_read(filled, caplog, suffix, length):
    paths = sorted(filled.root.rglob(f"*{suffix}"))[:2]
    for path in paths:
        path.write_bytes(path.read_bytes()[:length])
    assert len(held(opened(filled), range(12))) == 4
    assert [path.exists() for path in paths] == [False, False]
    assert len(caplog.messages) == 1
    caplog.clear()
    assert len(held(opened(filled), range(12))) == 4
    assert caplog.messages == []


@pytest.mark.skipif(not hasattr(os, "pread"), reason="this system cuts no file that is in use")
@pytest.mark.parametrize("rows", [0, 2])
def test_a_file_that_is_cut_while_it_is_read_is_said_once_and_read_no_more(filled, rows):
    """In a process of its own: a map of what is not there any more would kill it."""
    script = f"""
import logging, os, sys
sys.path[:0] = {sys.path!r}
logging.basicConfig(format="%(message)s")
from test_pixel_store import *
home = CacheHome(Path({str(filled.root)!r}), 10**6)
store = opened(home)
rows = store.rows([digest_of(i) for i in range(12)])
path = sorted(home.root.rglob("*.npy"))[0]
for _ in range(2):
    print(sum(rows.read(k) is not None for k in range(12)))
    os.truncate(path, {rows and HEADER + rows * ROW_BYTES})
print(sum(rows.read(k) is not None for k in range(12)))
"""
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert (found.returncode, found.stdout.split()) == (0, ["12", *[str(8 + rows)] * 2])
    assert found.stderr.count("the pixel cache is damaged, images are decoded again") == 1
    assert len(held(opened(filled), range(12))) == 8


def test_a_server_that_loses_a_file_is_damage(filled, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(116, "Stale file handle")

    store = opened(filled)
    monkeypatch.setattr(os, "pread", refuse)
    assert held(store, range(12)) == set()
    assert caplog.text.count("the pixel cache is damaged") == 1


def test_a_shard_that_made_room_before_it_was_read_is_read_from_its_map(filled):
    rows = opened(filled).rows([digest_of(i) for i in range(12)])
    for path in filled.root.rglob("*.npy"):
        path.unlink()
    assert all(np.array_equal(rows.read(i), pixels_of(i)) for i in range(12))


def test_descriptors_are_closed_with_their_store(filled):
    open_files = Path("/proc/self/fd")
    if not open_files.is_dir():
        pytest.skip("this system does not tell which files are open")
    before = len(list(open_files.iterdir()))
    for _ in range(3):
        held(opened(filled), range(12))
    assert len(list(open_files.iterdir())) == before


def test_a_flipped_bit_in_pixels_drops_its_row_alone(filled, caplog):
    path = sorted(filled.root.rglob("*.npy"))[0]
    flip(path, HEADER + 2 * ROW_BYTES + 7)
    store = opened(filled)
    assert len(held(store, range(12))) == 11
    assert len(held(store, range(12))) == 11
    assert caplog.text.count("the pixel cache is damaged") == 1
    caplog.clear()
    assert len(held(opened(filled), range(12))) == 11
    store = opened(filled)
    add(store, range(12))
    store.commit()
    assert held(opened(filled), range(12)) == set(range(12))
    assert caplog.messages == []


def test_a_flipped_bit_in_the_header_drops_the_shard(filled, caplog):
    flip(sorted(filled.root.rglob("*.npy"))[0], 60)
    assert len(held(opened(filled), range(12))) == 8
    assert "with the header of" in caplog.text


def test_the_index_vouches_for_itself(filled, caplog):
    size = 18 + 32 + 4 * ROW.itemsize
    path = sorted(filled.root.rglob("*.index"))[0]
    whole = path.read_bytes()
    assert len(whole) == size
    npy = path.with_suffix(".npy")
    array = npy.read_bytes()
    for position in range(0, size, 5):
        path.write_bytes(whole)
        npy.write_bytes(array)
        flip(path, position)
        assert len(held(opened(filled), range(12))) == 8


def test_an_array_without_an_index_does_not_count(filled):
    sorted(filled.root.rglob("*.index"))[0].unlink()
    assert len(held(opened(filled), range(12))) == 8


def test_threads_may_look_while_rows_are_added(home, monkeypatch):
    monkeypatch.setattr(pixel_store, "SHARD_BYTES", 100)
    store, stop, wrong = opened(home), threading.Event(), []

    def look():
        while not stop.is_set():
            sizes = {i: store.find(digest_of(i)) for i in range(60)}
            wrong.extend(i for i, known in sizes.items() if known and known[0] != i + 1)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    add(store, range(60))
    store.commit()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert held(store, range(60)) == set(range(60))


WRITER = """
import hashlib
from pathlib import Path
import numpy as np
from fivefold.core.cache_home import CacheHome
from fivefold.data import pixel_store
from fivefold.data.preprocess import Preprocess
from fivefold.data.shards import Known

pixel_store.SHARD_BYTES = 100
home = CacheHome(Path({root!r}), 10**6)
store = pixel_store.PixelStore(home, Preprocess((3, 5, 2), lambda image: image))
for i in range({start}, {start} + 40):
    pixels = np.random.default_rng(i).integers(0, 256, (3, 5, 2), dtype=np.uint8)
    store.add(hashlib.sha256(str(i).encode()).hexdigest(), pixels, Known(i + 1, i + 2), 40)
store.commit()
"""


def test_two_processes_write_without_harm(home):
    codes = [WRITER.format(root=str(home.root), start=start) for start in (0, 20)]
    processes = [subprocess.Popen([sys.executable, "-c", code]) for code in codes]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert held(opened(home), range(60)) == set(range(60))
    assert not list(home.root.rglob(".tmp-*"))


def files_of(home):
    return sorted(p for p in home.root.rglob("*") if p.suffix in (".npy", ".index"))


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1
    path.write_bytes(data)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30)),
        st.tuples(st.just("commit"), st.just(0)),
        st.tuples(st.just("kill"), st.just(0)),
        st.tuples(st.just("flip"), st.integers(0, 2**16)),
        st.tuples(st.just("cut"), st.integers(0, 2**16)),
        st.tuples(st.just("evict"), st.integers(0, 2**16)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=25,
)


def change(home, step, number):
    """Harm one of the files behind the store's back."""
    paths = files_of(home)
    if not paths:
        return
    path = paths[number % len(paths)]
    if step == "evict":
        path.unlink()
    elif step == "cut":
        path.write_bytes(path.read_bytes()[: number % path.stat().st_size])
    elif path.stat().st_size:
        flip(path, number)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_whatever_happens_pixels_are_right_or_not_there(steps):
    root = Path(tempfile.mkdtemp())
    home = CacheHome(root / "cache", 10**6)
    sound, sure, pending = True, set(), set()
    try:
        store = opened(home)
        for step, number in steps:
            if step == "add":
                add(store, [number])
                pending.add(number)
            elif step == "commit":
                store.commit()
                sure, pending = sure | pending, set()
            elif step == "kill":
                store.discard()
                store, pending = opened(home), set()
            elif step == "look":
                assert sure <= held(opened(home), range(31)) or not sound
            else:
                # A file that is mapped must not shrink; eviction and damage come between runs.
                store.commit()
                del store
                change(home, step, number)
                sound = False
                store, pending = opened(home), set()
            assert not sound or held(store, range(31)) == sure
            held(store, range(31))
    finally:
        store.discard()
        shutil.rmtree(root)


def test_every_row_can_be_dropped(filled):
    for path in filled.root.rglob("*.npy"):
        for row in range(4):
            flip(path, HEADER + row * ROW_BYTES)
    assert held(opened(filled), range(12)) == set()
    store = opened(filled)
    add(store, range(12))
    store.commit()
    assert held(opened(filled), range(12)) == set(range(12))


def test_lookups_agree_with_a_dictionary(home):
    rng = np.random.default_rng(3)
    store = opened(home)
    for part in np.array_split(rng.permutation(300), 5):
        add(store, part.tolist())
        store.commit()
    asked = rng.integers(0, 600, 1000).tolist()
    rows = store.rows(list(map(digest_of, asked)))
    found = [rows.read(k) is not None for k in range(1000)]
    assert found == [i < 300 for i in asked]
    assert rows.num_missing == sum(i >= 300 for i in asked)
    assert list(map(partial(lambda s, i: s.find(digest_of(i)) is not None, store), asked)) == found
