"""The only door for configs: a file or a text becomes an ExperimentConfig, or all its problems."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from fivefold.config.consistency import contradictions, without_effect
from fivefold.config.document import MAX_BYTES, read, refuse
from fivefold.config.mask_keys import gathered
from fivefold.config.musket import DIALECTS, EXPERIMENT_KEYS, STAGE_KEYS, SYNONYMS
from fivefold.config.nodes import Node, at, plain
from fivefold.config.overrides import apply
from fivefold.config.partial import InvalidConfigError, usable_part
from fivefold.config.problems import from_pydantic, in_order, known_at, spelled
from fivefold.config.schema import ExperimentConfig
from fivefold.config.shared_keys import find_shared, merged, taken_over
from fivefold.config.source import Source, dotted
from fivefold.config.stage_keys import StageConfig
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.validation import shown, without_echoes

logger = logging.getLogger(__name__)

_HOW_TO_BEGIN = "`fivefold new EXPERIMENT --data DATA` writes a commented config"


def load(path: Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Read a config, with what it takes from the `common.yaml` of its project if it has one.

    Args:
        path: A YAML file, or an experiment's folder with a `config.yaml`.
        overrides: `KEY=VALUE` each, as after `--set`; the value is YAML.

    Raises:
        InvalidConfigError: With every problem of the file and the overrides.
        UnsafeInputError: If the YAML has tags or is beyond the limits.
    """
    file = RunFolder.of(path).config_path
    return _build(_read_text(path, file), file, overrides, find_shared(file))


def parse(text: str, name: str = CONFIG_NAME, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Read a config from its text; see `load`.

    Args:
        text: The YAML.
        name: What messages call it; relative paths start at its folder.
        overrides: `KEY=VALUE` each.
    """
    return _build(text, Path(name), overrides, None)


def _read_text(path: Path, file: Path) -> str:
    if not file.is_file():
        if path.is_dir():
            _fail("config/no-file", str(path), f"expected a {CONFIG_NAME} in this folder, got none")
        got = "something else" if path.exists() else "nothing"
        _fail("config/no-file", str(path), f"expected a config file, got {got}")
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or repr(error)
        _fail("config/no-file", str(file), f"expected a readable file, got {reason!r}")
    if len(data) > MAX_BYTES:
        refuse(str(file), f"at most {MAX_BYTES:,} bytes", "more")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}"
        _fail("config/syntax", f"{file}:{line}:1", message, "save the file as UTF-8")


def _build(
    text: str, file: Path, overrides: Sequence[str], shared: Path | None
) -> ExperimentConfig:
    text = text.removeprefix("\ufeff")
    root, problems = _read_mapping(text, str(file), may_be_empty=shared is not None)
    if shared:
        common, further = _read_mapping(_read_text(shared, shared), str(shared), may_be_empty=True)
        own = root.value if isinstance(root.value, dict) else ()
        root = merged(root, taken_over(common, shared, file.parent, own))
        problems += further
    root, misplaced = apply(root, overrides)
    source = Source(str(file), text, file.parent, root)
    problems += [*misplaced, *_dialect_problems(source)]
    config, wrong = _validated(_honoured(root), source)
    if config is not None:
        config._source = source
        problems += [] if wrong else contradictions(config, source)
        if not wrong and not config.runs_code:  # which may bring what makes masks
            problems += config.unfit_decisions()
    if config is None or problems or wrong:
        raise InvalidConfigError(in_order([*problems, *wrong]), usable=config)
    _warn(config, source)
    return config


def _read_mapping(
    text: str, name: str, *, may_be_empty: bool = False
) -> tuple[Node, list[Problem]]:
    """Read the keys of a file, their synonyms renamed."""
    root, problems = read(text, name)
    if may_be_empty and root.value is None:
        return root, problems
    if not isinstance(root.value, dict):
        got = "nothing" if root.value is None else shown(plain(root))
        where = name if root.value is None else root.where(name)
        message = f"expected a mapping of keys to values, got {got}"
        raise ConfigError([*problems, Problem("config/syntax", where, message, _HOW_TO_BEGIN)])
    root, doubled = _canonical(root, name)
    root, given = gathered(root, name)
    return root, [*problems, *doubled, *given]


def _validated(
    values: dict[str, Any], source: Source
) -> tuple[ExperimentConfig | None, list[Problem]]:
    """Make a config of all values, else of those that are right."""
    try:
        return ExperimentConfig.model_validate(values), []
    except ValidationError as error:
        details = error.errors()
        problems = [from_pydantic(found, source) for found in without_echoes(details, known_at)]
        return usable_part(values, [found["loc"] for found in details]), problems


def _canonical(root: Node, name: str) -> tuple[Node, list[Problem]]:
    """Rename synonyms in the experiment and in its stages."""
    root, problems = _renamed(root, name)
    stages = root.value.get("stages") if isinstance(root.value, dict) else None
    if stages is None or not isinstance(stages.value, list) or not isinstance(root.value, dict):
        return root, problems
    items = []
    for stage in stages.value:
        renamed, doubled = _renamed(stage, name)
        items.append(renamed)
        problems += doubled
    stages = stages.with_children(items)
    return root.with_children({**root.value, "stages": stages}), problems


def _renamed(node: Node, name: str) -> tuple[Node, list[Problem]]:
    if not isinstance(node.value, dict):
        return node, []
    children: dict[str, Node] = {}
    problems = []
    for key, child in node.value.items():
        meant = SYNONYMS.get(key, key)
        if meant in children and child.key_place:
            first = children[meant]
            line = f" on line {first.key_place.line}" if first.key_place else ""
            hint = f"{first.key!r}{line} means the same"
            where = at(name, child.key_place)
            problems.append(Problem("config/duplicate-key", where, f"{key}: set twice", hint))
            continue
        children[meant] = child
    return replace(node, value=children), problems


def _honoured(root: Node) -> dict[str, Any]:
    """Take out Musket's keys that no field honours; they have their own table."""
    values: dict[str, Any] = plain(root)
    legacy = EXPERIMENT_KEYS.keys() - set(spelled(ExperimentConfig))
    stage_legacy = STAGE_KEYS.keys() - set(spelled(StageConfig))
    if isinstance(values.get("stages"), list):
        values["stages"] = [_without(stage, stage_legacy) for stage in values["stages"]]
    return {key: value for key, value in values.items() if key not in legacy}


def _without(stage: Any, keys: set[str]) -> Any:
    if not isinstance(stage, dict):
        return stage
    return {key: value for key, value in stage.items() if key not in keys}


def _dialect_problems(source: Source) -> list[Problem]:
    if not source.dialect or source.dialect.casefold() in DIALECTS:
        return []
    message = f"expected a dialect of Musket, got {source.dialect!r}"
    hint = did_you_mean(source.dialect, ["Classification", "Segmentation"], "remove the line")
    return [Problem("config/bad-value", f"{source.name}:1:1", message, hint)]


def _warn(config: ExperimentConfig, source: Source) -> None:
    """Say once which keys are accepted and change nothing."""
    for path, legacy in source.legacy():
        if legacy.fate == "no-effect":
            key = dotted(source.root, path)
            logger.warning("%s: %s: has no effect: %s", source.where(*path), key, legacy.meaning)
    for key, reason in without_effect(config):
        logger.warning("%s: %s: has no effect: %s", source.where(key), key, reason)


def _fail(slug: str, where: str, message: str, hint: str = _HOW_TO_BEGIN) -> NoReturn:
    raise ConfigError([Problem(slug, where, message, hint)])
