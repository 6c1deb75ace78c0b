"""Types of config values that Musket lets people write in more than one way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeAlias, TypeVar

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import core_schema

T = TypeVar("T")
Steps: TypeAlias = tuple[tuple[str, Any], ...]
Many: TypeAlias = Annotated[tuple[T, ...], Strict(strict=False)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]


@dataclass(frozen=True)
class NullMeans:
    """Let a key without a value mean something, so that no `None` is left behind."""

    value: Any

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Put the value in place before the type is checked."""
        return core_schema.no_info_before_validator_function(
            lambda given: self.value if given is None else given, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell editors that null is allowed."""
        return {"anyOf": [handler(schema), {"type": "null"}]}


class Choice(NamedTuple):
    """One component by name, with its options."""

    name: str
    options: Mapping[str, Any]


def one_of(expected: str) -> WrapValidator:
    """Say in one sentence what a value with several allowed types must be."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError(expected) from error

    return WrapValidator(check)


def read_steps(value: Any) -> Steps:
    """Read `{Name: options, …}` or `[Name, Name: options, …]`; nothing means none.

    Raises:
        ValueError: If it is neither.
    """
    if value is None:
        return ()
    if isinstance(value, dict):
        return tuple(value.items())
    if isinstance(value, list) and all(map(_is_step, value)):
        return tuple(
            (item, None) if isinstance(item, str) else next(iter(item.items())) for item in value
        )
    msg = "a mapping of names, or a list of names and single mappings"
    raise ValueError(msg)


def read_chain(value: Any) -> Steps:
    """Read one name, or steps as `read_steps` does.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, str) and value:
        return ((value, None),)
    return read_steps(value)


def read_names(value: Any) -> tuple[str, ...]:
    """Read one name, a list of names, or nothing.

    Raises:
        ValueError: If it is none of them.
    """
    if value is None:
        return ()
    names = value if isinstance(value, list) else [value]
    if all(isinstance(name, str) and name for name in names):
        return tuple(names)
    msg = "a name or a list of names"
    raise ValueError(msg)


def read_choice(value: Any) -> Choice:
    """Read `Name` or `{Name: {option: value}}`.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, str) and value:
        return Choice(value, {})
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
        if options is None or isinstance(options, dict):
            return Choice(name, options or {})
    msg = "a name, or one name with a mapping of its options"
    raise ValueError(msg)


def _is_step(item: Any) -> bool:
    return isinstance(item, str) or (isinstance(item, dict) and len(item) == 1)


_OPTIONS: dict[str, Any] = {"type": "object"}
_STEPS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        _OPTIONS,
        {
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {**_OPTIONS, "maxProperties": 1}]},
        },
        {"type": "null"},
    ]
}
_NAMES_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]
}
_CHOICE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {**_OPTIONS, "minProperties": 1, "maxProperties": 1}]
}

StepsField: TypeAlias = Annotated[Steps, PlainValidator(read_steps), WithJsonSchema(_STEPS_SCHEMA)]
ChainField: TypeAlias = Annotated[
    Steps,
    PlainValidator(read_chain),
    WithJsonSchema({"anyOf": [{"type": "string"}, *_STEPS_SCHEMA["anyOf"]]}),
]
OptionalStepsField: TypeAlias = Annotated[
    Steps | None, PlainValidator(read_steps), WithJsonSchema(_STEPS_SCHEMA)
]
ChoiceField: TypeAlias = Annotated[
    Choice, PlainValidator(read_choice), WithJsonSchema(_CHOICE_SCHEMA)
]
OptionalChoiceField: TypeAlias = Annotated[
    Choice | None, PlainValidator(read_choice), WithJsonSchema(_CHOICE_SCHEMA)
]
NamesField: TypeAlias = Annotated[
    tuple[str, ...], PlainValidator(read_names), WithJsonSchema(_NAMES_SCHEMA)
]
