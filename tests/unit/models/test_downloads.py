import socket
import urllib.request

import huggingface_hub.constants

from fivefold.models.downloads import hub_address, is_offline, is_reachable, torch_cache


def test_a_listening_port_is_reachable_and_a_closed_one_is_not():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/file.pth"
        assert is_reachable(address)
    assert not is_reachable(address)


def test_behind_a_proxy_only_the_proxy_knows(monkeypatch):
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "proxy:3128"})
    assert is_reachable("http://127.0.0.1:9")


def test_the_hubs_own_settings_are_honoured(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://mirror.example")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert hub_address() == "http://mirror.example"
    assert is_offline()


def test_downloads_lie_where_torch_keeps_them():
    assert torch_cache("http://host/a/net-01.pth?x=1").parts[-2:] == ("checkpoints", "net-01.pth")
