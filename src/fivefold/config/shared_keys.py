"""`common.yaml` of a project: keys that all configs in its `experiments/` share."""

import os
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from fivefold.config.nodes import Node

SHARED_NAME = "common.yaml"
EXPERIMENTS = "experiments"
MODULES = "modules"
MERGED = frozenset({"declarations", "callbacks", "datasets", "decoder", "tasks"})
"""Keys whose mappings are joined; of every other one the experiment's value counts alone."""

_MARKS = (SHARED_NAME, "project.yaml")
_OF_DATA = frozenset({"dataset", "datasets", "extra_train_data"})
PATHS_OF_DATA = frozenset(
    {
        "folder",
        "csv",
        "parquet",
        "coco",
        "coco_validation",
        "category_map",
        "images",
        "masks",
        "python",
        "shards",
        "corrections",
    }
)
"""Keys of a data set's section that may be paths."""
_START = "datasets_path"


def find_project(config_path: Path) -> Path | None:
    """Find the project of a config: what holds the `experiments` folder that it lies in.

    Args:
        config_path: A YAML file; need not exist.

    Returns:
        The folder, relative to the working folder if the path was; None outside of projects.
    """
    for folder in config_path.absolute().parents:
        if folder.name == EXPERIMENTS:
            project = folder.parent
            return project if config_path.is_absolute() else Path(os.path.relpath(project))
    return None


def find_shared(config_path: Path) -> Path | None:
    """Find the `common.yaml` that a config takes keys from; None where there is none."""
    project = find_project(config_path)
    shared = project / SHARED_NAME if project else None
    # What is there and is no file is no reason to do without it: reading it tells.
    return shared if shared and os.path.lexists(shared) else None


def project_modules(directory: Path) -> tuple[Path, ...]:
    """List the Python files in `modules/` of the project that an experiment's folder is in.

    Any folder may have an `experiments` and a `modules` beside it: only one with a `common.yaml`
    or Musket's `project.yaml` is taken for a project whose modules belong to every experiment.

    Args:
        directory: The folder of the config.
    """
    project = find_project(directory / SHARED_NAME)
    is_marked = project and any((project / name).is_file() for name in _MARKS)
    files = (project / MODULES).glob("*.py") if project and is_marked else ()
    return tuple(sorted(path for path in files if not path.stem.startswith((".", "__"))))


def merged(own: Node, shared: Node) -> Node:
    """Add what an experiment leaves out.

    As in Musket: a key of the experiment wins. Of the keys in MERGED the sub-keys that it lacks
    are added, or all of them if it has none; lists are never joined.

    Args:
        own: The mapping of the experiment.
        shared: The mapping of `common.yaml`, each node with its file.
    """
    children = _mapping(own)
    for key, theirs in _mapping(shared).items():
        ours = children.get(key)
        if ours is None or (key in MERGED and ours.value in (None, {}, [])):
            children[key] = theirs
        elif key in MERGED and isinstance(ours.value, dict) and isinstance(theirs.value, dict):
            added = {k: child for k, child in theirs.value.items() if k not in ours.value}
            children[key] = ours.with_children({**ours.value, **added})
    return own.with_children(children)


def taken_over(root: Node, shared_path: Path, directory: Path, own: Collection[str] = ()) -> Node:
    """Make the mapping of `common.yaml` one of another folder.

    Every value remembers its file, and paths, which start at the folder of `common.yaml`, are
    written so that they start at the experiment's.

    Args:
        root: As it was read, its synonyms renamed.
        shared_path: The file.
        directory: The experiment's folder.
        own: Keys of the experiment.
    """

    def moved(node: Node) -> Node:
        return _moved(node, shared_path.parent, directory)

    root = _from_file(root, str(shared_path))
    children = dict(_mapping(root))
    # Where data have a start of their own, only code and corrections are beside what names them.
    has_start = _START in children or _START in own
    paths = frozenset({"python", "corrections"}) if has_start else PATHS_OF_DATA
    for key in _OF_DATA & children.keys():
        children[key] = _data_paths(children[key], paths, moved)
    if _START in children:
        children[_START] = moved(children[_START])
    folds = children.get("folds_from")
    if folds and isinstance(folds.value, str):
        children["folds_from"] = moved(folds)
    weights = children.get("weights")
    if weights and isinstance(weights.value, str):
        is_path = (shared_path.parent / weights.value).is_file()
        children["weights"] = moved(weights) if is_path else weights
    stages = children.get("stages")
    if stages and isinstance(stages.value, list):
        items = [_with_child(stage, "initial_weights", moved) for stage in stages.value]
        children["stages"] = stages.with_children(items)
    return root.with_children(children)


def _data_paths(node: Node, paths: Collection[str], moved: Callable[[Node], Node]) -> Node:
    """Move the paths of a data section, or of several by name."""
    children = _mapping(node)
    for name, child in children.items():
        if name in paths:
            children[name] = moved(child)
        elif isinstance(child.value, dict):
            children[name] = _data_paths(child, paths, moved)
    return node.with_children(children) if children else node


def _with_child(node: Node, key: str, change: Callable[[Node], Node]) -> Node:
    children = _mapping(node)
    if key not in children:
        return node
    return node.with_children({**children, key: change(children[key])})


def _moved(node: Node, start: Path, directory: Path) -> Node:
    path = node.value
    if not isinstance(path, str) or not path or path.startswith("~") or Path(path).is_absolute():
        return node
    return replace(node, value=Path(os.path.relpath(start / path, directory)).as_posix())


def _from_file(node: Node, file: str) -> Node:
    value = node.value
    if isinstance(value, dict):
        return replace(node, file=file, value={k: _from_file(v, file) for k, v in value.items()})
    if isinstance(value, list):
        return replace(node, file=file, value=[_from_file(item, file) for item in value])
    return replace(node, file=file)


def _mapping(node: Node) -> dict[str, Node]:
    return dict(node.value) if isinstance(node.value, dict) else {}
