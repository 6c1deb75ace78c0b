"""From what pydantic refuses to problems that name the file, the line and the dotted key."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from fivefold.config.keys import ExperimentKeys
from fivefold.config.mask_keys import DECODER_OPTIONS
from fivefold.config.musket import EXPERIMENT_KEYS, STAGE_KEYS, SYNONYMS
from fivefold.config.nodes import Node, Step, at, walk
from fivefold.config.sections import DatasetSection
from fivefold.config.source import Source, dotted
from fivefold.config.stage_keys import StageConfig
from fivefold.core.errors import Problem, did_you_mean
from fivefold.core.validation import explain

_YAML_1_1 = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_LAST = (True, "", 0, 0)


def spelled(model: type[BaseModel]) -> list[str]:
    """List a model's keys as the YAML spells them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def known_at(path: Sequence[Step]) -> list[str]:
    """List the keys that may stand in the mapping at a path."""
    if not path:
        return [*spelled(ExperimentKeys), *EXPERIMENT_KEYS, *SYNONYMS, *DECODER_OPTIONS]
    if path[0] == "stages":
        return [*spelled(StageConfig), *STAGE_KEYS, *SYNONYMS]
    return spelled(DatasetSection)


def from_pydantic(details: ErrorDetails, source: Source) -> Problem:
    """Word one error with its place."""
    path = tuple(details["loc"])
    complaint = explain(details)
    key = f"{dotted(source.root, path)}: " if path else ""
    slug = f"config/{complaint.kind}"
    message = f"{key}{complaint.message}"
    if complaint.kind == "unknown-key":
        where, hint = _at_key(source, path), _unknown_hint(path)
    else:
        where, hint = source.where(*path), _value_hint(details, complaint.expected)
    return Problem(slug, where, message, hint)


def bad_value(source: Source, path: Sequence[Step], message: str, hint: str = "") -> Problem:
    """Word a problem of a value that is wrong beside others."""
    text = f"{dotted(source.root, tuple(path))}: {message}"
    return Problem("config/bad-value", source.where(*path), text, hint)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort by file, line and column; what came from the command line is last."""
    return sorted(problems, key=_order)


def _order(problem: Problem) -> tuple[bool, str, int, int]:
    parts = problem.where.rsplit(":", 2)
    is_place = len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit()
    return (False, parts[0], int(parts[1]), int(parts[2])) if is_place else _LAST


def _at_key(source: Source, path: tuple[Step, ...]) -> str:
    node: Node = walk(source.root, path)[-1]
    if node.override or not node.key_place:
        return node.where(source.name)
    return at(node.file or source.name, node.key_place)


_PARTS_OF_DATA = ("train", "validation", "holdout")
"""What Musket's `dataset` may hold besides functions."""


def _unknown_hint(path: tuple[Step, ...]) -> str:
    name = str(path[-1])
    if len(path) == 1 and name in known_at(("stages",)):
        return "this key belongs in an entry of `stages`"
    if path[0] == "stages" and name in known_at(()):
        return "this key belongs beside `stages`, not in it"
    otherwise = "`fivefold schema` lists every key"
    if path[0] in ("dataset", "extra_train_data"):
        if name in _PARTS_OF_DATA:
            return "describe all samples together; `folds_from` says which of them are validated"
        otherwise = "write `folder: path`, `csv: path` or `python: file.py:Name`"
    return did_you_mean(name, known_at(path[:-1]), otherwise)


def _value_hint(details: ErrorDetails, expected: str) -> str:
    given = details["input"]
    if not isinstance(given, str):
        return ""
    if expected == "true or false" and given.lower() in _YAML_1_1:
        return f"write {_YAML_1_1[given.lower()]}: in YAML 1.2 {given!r} is text"
    context = details.get("ctx", {})
    if details["type"] == "literal_error" and isinstance(context.get("expected"), str):
        choices = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return did_you_mean(given, choices)
    return ""
