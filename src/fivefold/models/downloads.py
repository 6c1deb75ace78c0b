"""Downloads of published weights, into the caches that timm and torch share."""

import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import huggingface_hub
import torch
from huggingface_hub import constants as hub_settings

from fivefold.models.origins import hash_in_name


def is_offline() -> bool:
    """Say whether HF_HUB_OFFLINE forbids downloads."""
    return bool(hub_settings.HF_HUB_OFFLINE)


def hub_address() -> str:
    """Give the hub's address, or that of the mirror that HF_ENDPOINT names."""
    return str(hub_settings.ENDPOINT)


def is_reachable(address: str) -> bool:
    """Ask an address once, since the hub's own client tries for half a minute before it gives up.

    Behind a proxy the answer is always yes, for only the proxy knows.
    """
    if urllib.request.getproxies():
        return True
    parts = urlparse(address)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=5):
            return True
    except OSError:
        return False


def from_hub(repository: str, file: str) -> Path:
    """Fetch one file of a hub repository into the hub's cache."""
    return Path(huggingface_hub.hf_hub_download(repository, file))


def from_url(url: str) -> Path:
    """Fetch a file into torch's cache; a hash in its name is checked."""
    path = torch_cache(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.hub.download_url_to_file(url, str(path), hash_in_name(path))
    return path


def torch_cache(url: str) -> Path:
    """Say where torch and timm keep a download."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
