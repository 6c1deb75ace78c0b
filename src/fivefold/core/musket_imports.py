"""Lets Musket's own import lines work where Musket is not installed."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

from fivefold.core.own_parts import is_users_file

_HOMES: Mapping[str, str] = {
    "classification_pipeline": "",
    "classification_pipeline.classification": "fivefold.experiment.musket_api",
    "keras": "fivefold.experiment.musket.custom",
    "keras.utils": "fivefold.experiment.musket.custom",
    "musket_core": "",
    "musket_core.coders": "fivefold.data.coders",
    "musket_core.configloader": "fivefold.experiment.musket.custom",
    "musket_core.datasets": "fivefold.data.datasets",
    "musket_core.image_datasets": "fivefold.data.datasets",
    "musket_core.losses": "fivefold.experiment.musket.custom",
    "musket_core.metrics": "fivefold.experiment.musket.custom",
    "musket_core.preprocessing": "fivefold.data.datasets.preprocessed",
    "segmentation_pipeline": "",
    "segmentation_pipeline.impl": "",
    "segmentation_pipeline.impl.datasets": "fivefold.data.datasets",
    "segmentation_pipeline.impl.rle": "fivefold.data.rle",
    "segmentation_pipeline.segmentation": "fivefold.experiment.musket_segmentation",
}
"""Musket's module -> the one here with the same names; "" for a package.

Keras is among them for its registry of custom objects alone, and for users' own files alone:
libraries that look whether Keras is there must not find this.
"""
_WITH_TORCH = "networks are written with torch, as docs/custom-parts.md shows"
_REFUSED: Mapping[str, str] = {
    "musket_core.augmenters": "docs/custom-parts.md shows how to write one",
    "musket_core.download_callbacks": "nothing is downloaded unasked",
    "musket_core.fit_callbacks": "write what follows after `cfg.fit()`",
    "musket_core.generic": "use `from fivefold import classification`",
    "musket_core.generic_config": "use `from fivefold import classification`",
    "musket_core.layers": _WITH_TORCH,
    "musket_core.model": _WITH_TORCH,
    "musket_core.tasks": "tasks are not supported; loop over `cfg.predict_on_dataset`",
    "musket_core.visualization": "`fivefold report` draws pictures, curves and mistakes",
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
        of_keras = fullname.partition(".")[0] == "keras"
        if of_keras and not _is_asked_by_user():
            return None
        home = _HOMES.get(fullname)
        reason = _WITH_TORCH if of_keras and home is None else _REFUSED.get(fullname)
        if reason:
            msg = (
                f"{fullname} of {'Keras' if of_keras else 'Musket'}'s is not in fivefold: {reason}"
            )
            raise ImportError(msg, name=fullname)
        if home is None:
            return None
        is_package = any(name.startswith(f"{fullname}.") for name in _HOMES)
        return ModuleSpec(fullname, _Loader(home), is_package=is_package)


def _is_asked_by_user() -> bool:
    """Tell whether an import stands in a user's own file, or was typed in."""
    frame: FrameType | None = sys._getframe(1)
    while frame and _is_of_import(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and is_users_file(frame.f_code.co_filename)


def _is_of_import(file: str) -> bool:
    return file == __file__ or file.startswith("<frozen importlib")


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
