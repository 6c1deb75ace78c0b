"""A project: a folder whose `experiments/` holds experiments by name, as Musket lays them out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fivefold.config import EXPERIMENTS, find_project
from fivefold.core.arguments import as_path
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.core.layout import CONFIG_NAME, RunFolder


@dataclass(frozen=True)
class Project:
    """All experiments that lie below one `experiments` folder.

    Attributes:
        root: The folder that holds `experiments/`, and maybe `common.yaml` and `modules/`.
    """

    root: Path

    @classmethod
    def open(cls, root: Path) -> "Project":
        """Take a folder for a project.

        Raises:
            ConfigError: If it has no `experiments` in it.
        """
        if not (root / EXPERIMENTS).is_dir():
            got = "none" if root.is_dir() else "no such folder"
            message = f"expected a project, a folder with {EXPERIMENTS}/ in it, got {got}"
            hint = f"name an experiment; those of a project are {EXPERIMENTS}/NAME/{CONFIG_NAME}"
            raise ConfigError([Problem("cli/no-project", str(root), message, hint)])
        return cls(root)

    @classmethod
    def around(cls, folder: Path) -> "Project":
        """Find the project of a folder: itself, or the one that it lies in.

        Raises:
            ConfigError: If there is none.
        """
        return cls.open(_around(folder) or folder)

    def experiments(self) -> list[Path]:
        """List the folders of all experiments, by path; below one, others do not count."""
        return list(_experiments(self.root / EXPERIMENTS))

    def left(self) -> list[Path]:
        """List the experiments that have no summary yet; all of them if every one has.

        Raises:
            ConfigError: If there is no experiment at all.
        """
        known = self.experiments()
        if not known:
            message = f"expected experiments with a {CONFIG_NAME} each, got none"
            where, hint = str(self.root / EXPERIMENTS), "`fivefold new` writes one"
            raise ConfigError([Problem("cli/no-experiments", where, message, hint)])
        return [p for p in known if not RunFolder.of(p).summary_path.exists()] or known

    def choose(self, names: Sequence[str]) -> list[Path]:
        """Find experiments by name, in the order of the names.

        Args:
            names: Paths below `experiments/` with slashes; `*`, `?` and `[…]` stand for any that
                match, by path.

        Raises:
            ConfigError: If a name matches none, or there is no name.
        """
        known = {p.relative_to(self.root / EXPERIMENTS).as_posix(): p for p in self.experiments()}
        chosen: dict[str, Path] = {}
        problems = []
        for name in names:
            matches = [own for own in known if own == name.strip("/") or fnmatchcase(own, name)]
            chosen |= {own: known[own] for own in matches if own not in chosen}
            if not matches:
                problems.append(self._unknown(name, list(known)))
        if not names:
            problems = [self._unknown("", list(known))]
        if problems:
            raise ConfigError(problems)
        return list(chosen.values())

    def _unknown(self, name: str, known: Sequence[str]) -> Problem:
        message = f"expected an experiment of {self.root / EXPERIMENTS}, got {name!r}"
        listed = f"there are {', '.join(known[:20])}" if known else "there is none yet"
        hint = did_you_mean(name, known, listed)
        return Problem("cli/no-such-experiment", "--name", message, hint)


def find_experiment(path: Path | str) -> Path:
    """Find what a path means: itself, or an experiment of the project around the working folder.

    Args:
        path: A YAML file, a folder, or a path below the project's `experiments/`.

    Raises:
        ConfigError: If it is no path.
    """
    path, project = as_path("path", path), _around(Path())
    if project is not None and not path.exists():
        named = project / EXPERIMENTS / path
        return named if (named / CONFIG_NAME).is_file() else path
    return path


def _around(folder: Path) -> Path | None:
    return folder if (folder / EXPERIMENTS).is_dir() else find_project(folder / CONFIG_NAME)


def _experiments(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or path.name.startswith("."):
            continue
        if (path / CONFIG_NAME).is_file():
            yield path
        else:
            yield from _experiments(path)
