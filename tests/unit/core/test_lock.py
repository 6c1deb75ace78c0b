import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fivefold.core.errors import LockedError, ResourceError
from fivefold.core.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from fivefold.core.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_told_who_works(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / ".lock"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"got process {holder.pid} on ") as error:
            locked(tmp_path / ".lock").__enter__()
        assert error.value.slug == "locked"
    finally:
        holder.kill()
        holder.communicate()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / ".lock"], stdout=subprocess.PIPE, text=True
    )
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    with locked(tmp_path / ".lock"):
        pass


def test_a_lock_that_falls_within_a_moment_is_waited_for(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / ".lock"], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    ending = threading.Timer(0.2, holder.kill)
    ending.start()
    try:
        with locked(tmp_path / ".lock"):
            assert holder.wait(timeout=10) != 0
    finally:
        ending.join()
        holder.communicate()


def test_the_lock_can_be_taken_again_after_it_was_given_back(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "new" / ".lock"):
            pass


@pytest.mark.parametrize(
    ("number", "slug"),
    [(errno.EROFS, "resource/cannot-write"), (errno.ENOSPC, "resource/disk-full")],
)
@pytest.mark.parametrize("step", ["mkdir", "write_text"])
def test_a_disk_that_takes_no_lock_is_told(tmp_path, monkeypatch, number, slug, step):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, refuse)
        with pytest.raises(ResourceError, match=os.strerror(number)) as error:
            locked(tmp_path / ".lock").__enter__()
    assert error.value.slug == slug
    with locked(tmp_path / ".lock"):  # nothing is held
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(ResourceError, match="expected to write this file, got 'Not a directory'"):
        locked(tmp_path / "a" / "b" / ".lock").__enter__()


def test_an_error_of_the_work_is_not_hidden_by_a_disk_that_fails_later(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only")

    def work():
        with locked(tmp_path / ".lock"):
            monkeypatch.setattr(Path, "unlink", refuse)
            raise KeyError("the work")  # noqa: EM101  what is raised is the test

    with pytest.raises(KeyError, match="the work"):
        work()
