import subprocess
import sys

import pytest

from fivefold.core.errors import LockedError
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


def test_the_lock_can_be_taken_again_after_it_was_given_back(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "new" / ".lock"):
            pass
