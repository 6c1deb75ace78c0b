"""Where experiments are below a folder, and what else is there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fivefold.config import EXPERIMENTS
from fivefold.core.layout import CONFIG_NAME, OWN_FOLDERS, RunFolder


@dataclass(frozen=True)
class Found:
    """A folder that holds an experiment, or takes the place of one.

    Attributes:
        folder: The experiment; its config need not exist.
        reason: Why it cannot be compared; empty where it can.
        kind: "broken" or "foreign" where there is a reason.
    """

    folder: RunFolder
    reason: str = ""
    kind: str = ""


@dataclass
class _Search:
    """Walks folders, each once, also where links lead in circles."""

    seen: set[tuple[int, int]] = field(default_factory=set)

    def below(self, root: Path) -> Iterator[Found]:
        """Yield what is in a folder and in all below it."""
        try:
            status = root.stat()
            names = {e.name: e.is_dir() for e in os.scandir(root)}
        except OSError as error:
            yield Found(RunFolder.of(root), f"cannot be read: {error.strerror}", "broken")
            return
        if (status.st_dev, status.st_ino) in self.seen:
            yield Found(RunFolder.of(root), "a link to a folder that is listed", "foreign")
            return
        self.seen.add((status.st_dev, status.st_ino))
        here = _here(root, names)
        if here is not None:
            yield here
        own = OWN_FOLDERS if here is not None else frozenset()
        for name, is_dir in sorted(names.items()):
            if is_dir and not name.startswith((".", "__")) and name not in own:
                yield from self.below(root / name)


def find_experiments(root: Path) -> list[Found]:
    """Find every experiment below a folder, and each direct sub-folder that holds none.

    A folder with a config, with what a run records, or with results is one. Folders that a run
    writes and hidden ones are not looked into. Of a project, only `experiments/` is.

    Args:
        root: A folder of experiments, a project, or one experiment.
    """
    inner = root / EXPERIMENTS
    start = inner if inner.is_dir() and not (root / CONFIG_NAME).exists() else root
    search = _Search()
    found = list(search.below(start))
    if any(one.folder.root == start for one in found):
        return found
    known = {one.folder.root.relative_to(start).parts[0] for one in found}
    others = [path for path in sorted(start.iterdir()) if _is_other(path, known)]
    return found + [
        Found(RunFolder.of(path), "no experiment in it (no config)", "foreign") for path in others
    ]


def _is_other(path: Path, known: set[str]) -> bool:
    return path.is_dir() and not path.name.startswith((".", "__")) and path.name not in known


def _here(root: Path, names: dict[str, bool]) -> Found | None:
    configs = sorted(n for n, is_dir in names.items() if n.endswith(CONFIG_NAME) and not is_dir)
    if CONFIG_NAME in configs or len(configs) == 1:
        name = CONFIG_NAME if CONFIG_NAME in configs else configs[0]
        return Found(RunFolder(root, root / name))
    folder = RunFolder.of(root)
    if folder.manifest_path.name in names:
        return Found(folder)
    if configs:
        reason = f"expected one config, got {', '.join(configs)}"
        return Found(folder, reason, "broken")
    if names.keys() & {"summary.yaml"} or {"metrics", "weights"} <= names.keys():
        return Found(folder, "results without a config", "foreign")
    return None
