"""Lets Musket's own import lines work where Musket is not installed."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_HOMES: Mapping[str, str] = {
    "classification_pipeline": "",
    "classification_pipeline.classification": "fivefold.experiment.musket_api",
    "musket_core": "",
    "musket_core.coders": "fivefold.data.coders",
    "musket_core.datasets": "fivefold.data.datasets",
    "musket_core.image_datasets": "fivefold.data.datasets",
    "musket_core.preprocessing": "fivefold.data.datasets.preprocessed",
    "segmentation_pipeline": "",
    "segmentation_pipeline.impl": "",
    "segmentation_pipeline.impl.datasets": "fivefold.data.datasets",
    "segmentation_pipeline.impl.rle": "fivefold.data.rle",
}
"""Musket's module -> the one here with the same names; "" for a package."""
_REFUSED: Mapping[str, str] = {
    "segmentation_pipeline.segmentation": "segmentation is not yet supported",
    "musket_core.generic": "use `from fivefold import classification`",
    "musket_core.generic_config": "use `from fivefold import classification`",
}


def install() -> None:
    """Look for Musket's modules here, once nothing else has them; again it does nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


class _Finder(MetaPathFinder):
    """Asked last: a Musket that is installed is found before."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find one of Musket's modules."""
        del path, target  # the protocol's names
        if fullname in _REFUSED:
            msg = f"{fullname} of Musket's is not in fivefold: {_REFUSED[fullname]}"
            raise ImportError(msg, name=fullname)
        home = _HOMES.get(fullname)
        if home is None:
            return None
        return ModuleSpec(fullname, _Loader(home), is_package=not home)


class _Loader(Loader):
    """Makes a module that has another one's names.

    Args:
        home: The other one; "" for a package without any.
    """

    def __init__(self, home: str) -> None:
        self._home = home

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to Python to make an empty module."""
        del spec  # the protocol's name
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Let a module ask the other one for what it lacks itself."""
        if not self._home:
            return
        real = importlib.import_module(self._home)

        def ask(name: str) -> Any:
            return getattr(real, name)

        vars(module)["__getattr__"] = ask
        vars(module)["__doc__"] = real.__doc__
        public = [name for name in dir(real) if not name.startswith("_")]
        vars(module)["__all__"] = getattr(real, "__all__", public)
