"""A key behind which a section of data stands, or the name of data that are registered."""

from typing import Annotated, Any, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from fivefold.config.sections import DatasetSection


class _NameInstead:
    """Let a name stand where a section does; what is wrong in a section is told with its place."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Check a section, and leave a name or nothing as it is."""
        del source  # the protocol's name
        return core_schema.no_info_wrap_validator_function(
            lambda given, check: given if given is None or _is_name(given) else check(given),
            handler.generate_schema(DatasetSection),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell editors that a name is allowed."""
        return {"anyOf": [handler(schema), {"type": "string", "minLength": 1}, {"type": "null"}]}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


SectionOrName: TypeAlias = Annotated[DatasetSection | str | None, _NameInstead()]
