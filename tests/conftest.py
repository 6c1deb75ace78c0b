"""What every test gets: one torch thread where torch is loaded, no network, a clean process."""

import os
import socket
import sys
import threading

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
# Whatever one test left in the cache would be done already in the next; see `cache_folder`.
os.environ["FIVEFOLD_CACHE"] = "off"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch, request):
    if "network" in request.keywords:
        return

    def refuse(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
        ):
            msg = f"a test tried to reach {address}"
            raise OSError(msg)
        return connect(self, address)

    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def cache_folder(monkeypatch, tmp_path):
    """Turn the cache on for one test, in a folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FIVEFOLD_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _nothing_leaks():
    environment = dict(os.environ)
    threads = set(threading.enumerate())
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    changed = {
        k for k in environment.keys() | os.environ if environment.get(k) != os.environ.get(k)
    }
    os.environ.clear()
    os.environ.update(environment)
    # `cache_folder` sets the first; OpenCV and torch the others when they are first imported.
    allowed = {
        "FIVEFOLD_CACHE",
        "LD_LIBRARY_PATH",
        "KMP_INIT_AT_FORK",
        "KMP_DUPLICATE_LIB_OK",
        "TORCHINDUCTOR_CACHE_DIR",
    }
    assert changed <= allowed | {"PYTEST_CURRENT_TEST"}, f"leaked environment variables: {changed}"
    left = [t for t in set(threading.enumerate()) - threads if t.is_alive() and not t.daemon]
    assert not left, f"leaked threads: {left}"
