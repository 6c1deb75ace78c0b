import errno
import os
import resource
import subprocess
from pathlib import Path

import pytest

from fivefold.core import durable
from fivefold.core.errors import ResourceError, StateError


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "a.bin"
    durable.write_bytes(path, b"old")
    durable.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_the_hash_that_is_returned_is_sha256_of_the_file(tmp_path):
    sha256 = durable.write_text(tmp_path / "a", "grüß\n")
    told = subprocess.run(["sha256sum", tmp_path / "a"], capture_output=True, check=True)
    assert told.stdout.decode().split()[0] == sha256


def test_file_then_name_then_folder_are_flushed_in_this_order(tmp_path, monkeypatch):
    calls = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor):
        calls.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(
        "pathlib.Path.replace",
        lambda self, target: (calls.append("name"), real_replace(self, target))[1],
    )
    durable.write_bytes(tmp_path / "a", b"x")
    assert calls == ["file", "name", "folder"]


@pytest.mark.parametrize(
    ("number", "slug", "sentence"),
    [
        (errno.ENOSPC, "resource/disk-full", "expected room on the disk, got 'No space left"),
        (errno.EDQUOT, "resource/disk-full", "expected room on the disk"),
        (errno.EIO, "resource/cannot-write", "expected to write this file, got 'Input/output"),
        (errno.EROFS, "resource/cannot-write", "expected to write this file, got 'Read-only"),
    ],
)
def test_a_failing_disk_keeps_the_old_file(tmp_path, monkeypatch, number, slug, sentence):
    path = tmp_path / "a"
    durable.write_bytes(path, b"old")

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ResourceError, match=sentence) as error:
        durable.write_bytes(path, b"new")
    assert error.value.slug == slug
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_with_one_process_number_do_not_meet(tmp_path, monkeypatch):
    names, replace = [], Path.replace
    monkeypatch.setattr(os, "getpid", lambda: 7)  # as in two containers

    def write_between(self, target):
        names.append(self.name)
        if len(names) == 1:
            durable.write_bytes(target, b"second")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", write_between)
    durable.write_bytes(tmp_path / "a", b"first")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert len(set(names)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_json_is_the_same_bytes_whatever_the_order_of_keys(tmp_path):
    durable.write_json(tmp_path / "a", {"b": 1, "a": [1, 2.5]})
    durable.write_json(tmp_path / "b", {"a": [1, 2.5], "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert durable.read_json(tmp_path / "a") == {"a": [1, 2.5], "b": 1}


@pytest.mark.parametrize("text", ["", "{", "[1]", "nul", "[" * 200_000])
def test_what_is_not_a_json_mapping_is_damage(tmp_path, text):
    (tmp_path / "a").write_text(text)
    with pytest.raises(StateError, match=r"expected a (readable JSON file|JSON mapping)") as error:
        durable.read_json(tmp_path / "a")
    assert error.value.slug == "state/damaged"


def test_every_flipped_bit_is_found(tmp_path):
    path = tmp_path / "a"
    data = bytes(range(64))
    sha256 = durable.write_bytes(path, data)
    assert durable.read_verified(path, sha256) == data
    for bit in range(0, 64 * 8, 7):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        with pytest.raises(StateError, match="expected SHA-256"):
            durable.read_verified(path, sha256)


def test_a_missing_file_is_damage(tmp_path):
    with pytest.raises(StateError, match="expected a readable file, got No such file"):
        durable.read_verified(tmp_path / "a", "")


def test_removing_a_file_that_is_not_there_is_fine(tmp_path):
    durable.remove(tmp_path / "a")
    durable.remove(tmp_path / "no" / "folder")


def refuse(*_, **__):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_disk_that_refuses_the_cleaning_up_too_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ResourceError, match="expected to write this file, got 'Read-only") as error:
        durable.write_bytes(tmp_path / "a", b"x")
    assert error.value.slug == "resource/cannot-write"


def test_a_file_that_cannot_be_removed_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ResourceError, match="a: expected to remove this file, got 'Read-only"):
        durable.remove(tmp_path / "a")


def test_too_many_open_files_get_their_own_hint(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(ResourceError, match="expected to open one more file") as error:
            durable.write_bytes(tmp_path / "a", b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert error.value.slug == "resource/open-files"


@pytest.mark.parametrize("name", [".", "a" * 300])
def test_a_path_that_can_be_no_file_is_told(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ResourceError, match="expected to write this file") as error:
        durable.write_bytes(Path(name), b"x")
    assert error.value.slug == "resource/cannot-write"
    assert list(tmp_path.iterdir()) == []


def test_a_streamed_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.bin"
    with durable.Streamed(path.parent) as stream:
        stream.file.write(b"one ")
        stream.file.write(b"two")
        assert not path.exists()
        stream.commit(path)
    assert path.read_bytes() == b"one two"
    assert list(path.parent.iterdir()) == [path]


def test_a_streamed_file_may_be_read_by_those_who_may_read_others(tmp_path):
    before = os.umask(0o027)
    try:
        durable.write_bytes(tmp_path / "a", b"x")
        with durable.Streamed(tmp_path) as stream:
            stream.commit(tmp_path / "b")
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"] == [0o640, 0o640]


def test_what_is_not_committed_goes(tmp_path):
    with durable.Streamed(tmp_path) as stream:
        stream.file.write(b"half")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed file"):
        stream.commit(tmp_path / "a")


def test_a_streamed_file_that_the_disk_refuses_leaves_nothing(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with durable.Streamed(tmp_path) as stream:
        stream.file.write(b"x")
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(ResourceError, match="expected room on the disk") as error:
            stream.commit(tmp_path / "a")
    assert error.value.slug == "resource/disk-full"
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_takes_the_bytes_and_keeps_its_name(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        durable.write_bytes(pipe, b"whole")
        assert os.read(reader, 10) == b"whole"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert sorted(tmp_path.iterdir()) == [pipe]


def test_a_device_that_is_full_is_told(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(ResourceError, match="expected room on the disk") as error:
        durable.write_bytes(tmp_path / "full", b"x")
    assert error.value.slug == "resource/disk-full"
    assert (tmp_path / "full").is_symlink()


def test_a_streamed_file_never_takes_the_name_of_a_device(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with durable.Streamed(tmp_path) as streamed:
        with pytest.raises(ResourceError, match="a device or a pipe") as error:
            streamed.commit(pipe)
        assert error.value.slug == "resource/cannot-write"
    assert sorted(tmp_path.iterdir()) == [pipe]


def test_a_name_as_long_as_a_file_can_have_is_written(tmp_path):
    path = tmp_path / ("é" * 127)
    durable.write_bytes(path, b"x")
    assert list(tmp_path.iterdir()) == [path]
