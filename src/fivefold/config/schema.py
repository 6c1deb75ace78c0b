"""A config as the rest of fivefold sees it: typed keys that still know the file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from fivefold.config.keys import ExperimentKeys
from fivefold.config.mask_consistency import unfit_decisions
from fivefold.config.nodes import Node, Step
from fivefold.config.shared_keys import project_modules
from fivefold.config.source import Source
from fivefold.config.stages import ResolvedStage, resolve_stages
from fivefold.core.errors import Problem
from fivefold.core.segmenters import segmenter_named


class ExperimentConfig(ExperimentKeys):
    """A config: the file plus defaults; frozen. Made by `load` and `parse`."""

    _source: Source = PrivateAttr(default_factory=Source)

    @property
    def text(self) -> str:
        """The file's own text."""
        return self._source.text

    @property
    def directory(self) -> Path:
        """The folder of the file; relative paths start here."""
        return self._source.directory

    @property
    def root(self) -> Node:
        """The values with their places, overrides and shared keys among them."""
        return self._source.root

    @property
    def modules(self) -> tuple[Path, ...]:
        """The Python files in `modules/` of the project that the config lies in, by name."""
        return project_modules(self.directory)

    @property
    def dialect(self) -> str:
        """What `#%Musket` on the first line says that it is, in lower case; "" without one."""
        return self._source.dialect.casefold()

    @property
    def makes_masks(self) -> bool:
        """Whether a class is told of every pixel, rather than of every image.

        Of a user's own network that is known once the modules of `imports` have been run.
        """
        return segmenter_named(self.architecture or "") is not None

    @property
    def runs_code(self) -> bool:
        """Whether Python files are run for it: those of `imports`, or its project's modules."""
        return bool(self.imports or self.modules)

    def where(self, *path: Step) -> str:
        """Say where a value stands, for messages.

        Args:
            path: Keys as in the YAML and list positions, such as `"stages", 0, "lr"`.

        Returns:
            `config.yaml:14:7`, or `--set KEY` if it came from the command line. For a value that
            is not in the file, the nearest one around it, or the file's name alone.
        """
        return self._source.where(*path)

    def resolve(self) -> tuple[ResolvedStage, ...]:
        """Decide once what each stage takes from the experiment."""
        directory = str(self.directory)
        return tuple(replace(stage, directory=directory) for stage in resolve_stages(self))

    def not_yet(self) -> list[Problem]:
        """List what the file asks for and this version cannot honour; empty: it can be run.

        Parsing accepts these keys, so that every Musket file can be read; `check` and `fit`
        have to refuse them.
        """
        return self._source.not_yet()

    def unfit_decisions(self) -> list[Problem]:
        """Find keys on what becomes of predictions that mean nothing for what is predicted.

        Ask once the modules of `imports` have been run: see `makes_masks`.
        """
        return list(unfit_decisions(self, self._source))

    def as_mapping(self) -> dict[str, Any]:
        """Give the keys that were set, with overrides, in their YAML spelling, for JSON.

        Augmenters and callbacks come as lists, so that their order survives sorted keys.
        """
        return self._source.as_mapping()
