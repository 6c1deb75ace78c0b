"""The keys for editors and for the documentation, from the models and tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from fivefold.config.keys import ExperimentKeys
from fivefold.config.mask_keys import DECODER_OPTIONS
from fivefold.config.musket import EXPERIMENT_KEYS, STAGE_KEYS, SYNONYMS, Legacy
from fivefold.config.problems import spelled
from fivefold.config.sections import DatasetSection
from fivefold.config.stage_keys import StageConfig

_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
}

_FATES = {
    "not-yet": "not yet supported",
    "misplaced": "refused here",
    "refused": "refused",
    "no-effect": "accepted with a warning, without effect",
}


def json_schema() -> dict[str, Any]:
    """Make the JSON Schema of a config, draft 2020-12, for editors."""
    schema = ExperimentKeys.model_json_schema(by_alias=True)
    _add_legacy(schema["properties"], EXPERIMENT_KEYS)
    _add_legacy(schema["$defs"]["StageConfig"]["properties"], STAGE_KEYS)
    for synonym, key in SYNONYMS.items():
        schema["properties"][synonym] = {
            **schema["properties"][key],
            "description": f"The same as `{key}`.",
        }
    for option, meaning in DECODER_OPTIONS.items():
        schema["properties"][option] = {"description": f"{meaning[:1].upper()}{meaning[1:]}."}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "fivefold config"}
    return {**schema, **head}


def reference_markdown() -> str:
    """Write the tables of all keys: type, default, meaning."""
    sections: dict[str, type[BaseModel]] = {
        "Experiment": ExperimentKeys,
        "`stages`: each entry": StageConfig,
        "`dataset`": DatasetSection,
    }
    tables = (f"## {title}\n\n{_table(model)}" for title, model in sections.items())
    return "\n".join(["# Every key of a config\n", *tables])


def musket_markdown() -> str:
    """Write what happens to every key of Musket."""
    rows = [
        *_fates("", ExperimentKeys, EXPERIMENT_KEYS),
        *((key, "works", f"the same as `{meant}`") for key, meant in SYNONYMS.items()),
        *((option, "works", meaning) for option, meaning in DECODER_OPTIONS.items()),
        *_fates("stages.", StageConfig, STAGE_KEYS),
    ]
    rows.sort(key=lambda row: row[0].lower())
    return "# What happens to Musket's keys\n\n" + _markdown(
        ("key", "what happens", "meaning"), rows
    )


def _fates(
    prefix: str, model: type[BaseModel], table: Mapping[str, Legacy]
) -> Iterable[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in table:
            yield f"{prefix}{key}", "works", field.description or ""
    for key, legacy in table.items():
        yield f"{prefix}{key}", _FATES[legacy.fate], legacy.meaning


def _add_legacy(properties: dict[str, Any], table: Mapping[str, Legacy]) -> None:
    for key, legacy in table.items():
        fate = _FATES[legacy.fate].capitalize()
        known = properties.get(key, {})
        properties[key] = {**known, "description": f"{fate}: {legacy.meaning}.", "deprecated": True}


def _table(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    rows = [
        (
            f"`{key}`",
            _type(schema["properties"][key]),
            _default(schema, key),
            field.description or "",
        )
        for key, field in zip(spelled(model), model.model_fields.values(), strict=True)
    ]
    return _markdown(("key", "type", "default", "meaning"), rows)


def _default(schema: Mapping[str, Any], key: str) -> str:
    if key in schema.get("required", ()):
        return "required"
    value = schema["properties"][key].get("default")
    if value is None or value in ({}, []):
        return ""
    # A component without options is written as its name.
    shown = value[0] if isinstance(value, list) and value[1:] == [{}] else value
    return f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


def _type(schema: Mapping[str, Any]) -> str:
    """Say a type in words: `whole number ≥ 1 or list`."""
    if "anyOf" in schema:
        words = [_type(option) for option in schema["anyOf"]]
        return " or ".join(dict.fromkeys(word for word in words if word != "nothing"))
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    names = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true or false",
        "array": "list",
        "null": "nothing",
    }
    word = names.get(schema.get("type", ""), "mapping")
    bounds = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
    return f"{word} {', '.join(bounds)}".strip()


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )
