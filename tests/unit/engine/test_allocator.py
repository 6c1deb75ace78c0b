import subprocess
import sys

import pytest

from fivefold.engine.allocator import keep_memory

PAGES = 40_000_000 // 4096
CODE = """
import resource, sys, torch
from fivefold.engine.allocator import keep_memory
torch.ones(1)
keep_memory() if sys.argv[1] == "kept" else None
for _ in range(12): torch.ones(10_000_000)  # until freed blocks are found again
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10): torch.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how):
    command = [sys.executable, "-c", CODE, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_large_blocks_are_not_given_back_to_the_system_and_cleared_again():
    assert page_faults("kept") < PAGES < page_faults("as it is")


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", None)
    keep_memory.__wrapped__()
