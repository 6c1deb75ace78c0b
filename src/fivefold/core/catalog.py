"""Catalogs: from a name in a config to the component that it means.

A component is a plain function or class. Its positional parameters come from the engine, its
keyword-only parameters from the YAML; that convention is the whole plug-in interface.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.core.own_parts import Guard, Part, is_own
from fivefold.core.validation import Complaint, explain, without_echoes

At: TypeAlias = Callable[..., str]
"""Says where a place in a config stands: `at("rotate")` for an option, `at()` for all of them."""

T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])


@dataclass(frozen=True)
class Component(Generic[T]):
    """One named entry of a catalog.

    Attributes:
        name: The name used in listings and files.
        make: The function or class itself.
        aliases: Other names that mean the same.
        facts: What the catalog's owner recorded about it, such as a metric's direction.
    """

    name: str
    make: Callable[..., T]
    aliases: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.make) or "").partition("\n")[0]

    @cached_property
    def options(self) -> type[BaseModel]:
        """A model of its keyword-only parameters: what a YAML may set.

        Where a user's own function names no type, anything is accepted.
        """
        parameters = inspect.signature(self.make).parameters.values()
        fields: dict[str, Any] = {
            p.name: (
                Any if p.annotation is p.empty else p.annotation,
                ... if p.default is p.empty else p.default,
            )
            for p in parameters
            if p.kind is p.KEYWORD_ONLY
        }
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        # In that module types that are written as text are looked up.
        module = self.make.__module__
        return create_model(f"{self.name}_options", __config__=config, __module__=module, **fields)

    def as_mapping(self, value: object) -> dict[str, Any]:
        """Turn what stands behind the name in a YAML into named options.

        A mapping names them; nothing means the defaults; any other value is the first option.
        """
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return {str(key): item for key, item in value.items()}
        first = next(iter(self.options.model_fields), self.name)
        return {first: value}

    def check(self, value: object) -> tuple[dict[str, Any], list[Complaint]]:
        """Validate options: the accepted ones, and what is wrong with the others."""
        try:
            accepted = self.options.model_validate(self.as_mapping(value))
        except ValidationError as error:
            known = list(self.options.model_fields)
            found = without_echoes(error.errors(), lambda path: [] if path else known)
            return {}, [explain(details, known) for details in found]
        return {name: getattr(accepted, name) for name in self.options.model_fields}, []


def nowhere(*path: str | int) -> str:  # noqa: ARG001  it says the same of every place
    """Stand in for the place of what was not written in a config."""
    return ""


def _origin(make: Callable[..., Any]) -> tuple[str, str]:
    # A module that is loaded twice registers the same function as another object.
    return make.__module__, make.__qualname__


class Catalog(Generic[T]):
    """Names of one kind of component, whatever their case.

    Args:
        kind: What it lists, in the singular: "loss", "metric".
        takes: What the engine gives each function by position; None if that differs.
        guard: What users' own entries are wrapped in, so that their mistakes are told by the line.
    """

    def __init__(
        self, kind: str, takes: Sequence[str] | None = None, guard: Guard | None = None
    ) -> None:
        self.kind = kind
        self._takes = takes
        self._guard = guard
        self._by_name: dict[str, Component[T]] = {}
        self._by_key: dict[str, Component[T]] = {}

    def add(self, *aliases: str, name: str = "", **facts: Any) -> Callable[[M], M]:
        """Register the decorated function or class, under its own name unless one is given.

        Args:
            aliases: Other names that mean the same.
            name: The name to list it under.
            facts: What the catalog's owner wants to know, such as a metric's direction.

        Raises:
            ValueError: If a name is taken by another component.
            ConfigError: If a user's own function or class is none that the engine can call.
        """

        def register(make: M) -> M:
            called = name or make.__name__
            guarded = self._guarded(Part(self.kind, called, make, facts)) if is_own(make) else make
            component = Component[T](called, guarded, aliases, facts)
            for key in (component.name, *aliases):
                holder = self._by_key.get(key.casefold())
                if holder and _origin(holder.make) != _origin(make):
                    msg = f"{self.kind} {key!r} is already the name of {holder.name!r}"
                    raise ValueError(msg)
            self._by_key |= dict.fromkeys(map(str.casefold, (component.name, *aliases)), component)
            self._by_name[component.name] = component
            return make

        return register

    def _guarded(self, part: Part) -> Callable[..., Any]:
        if self._takes is not None:
            part.check_parameters(self._takes)
        made = self._guard(part) if self._guard else part.make
        return made if made is part.make else update_wrapper(made, part.make, updated=())

    def find(self, name: str) -> Component[T] | None:
        """Look up a name or alias in any case."""
        return self._by_key.get(name.strip().casefold())

    def get(self, name: str, where: str = "") -> Component[T]:
        """Look up a name that must exist.

        Raises:
            ConfigError: If it does not; names the closest one.
        """
        component = self.find(name)
        if component is None:
            raise ConfigError([self.unknown(name, where)])
        return component

    def unknown(self, name: str, where: str = "", key: str = "") -> Problem:
        """Word the problem of a name that is not here."""
        prefix = f"{key}: " if key else ""
        kinds = f"{self.kind}es" if self.kind.endswith("s") else f"{self.kind}s"
        everything = f"`fivefold list {kinds}` names all of them"
        hint = did_you_mean(name, self.spellings(), everything)
        message = f"{prefix}expected the name of a known {self.kind}, got {name!r}"
        return Problem("config/unknown-name", where, message, hint)

    def problems(self, name: str, value: object, at: At, key: str) -> list[Problem]:
        """Find what is wrong with a name and what stands behind it in a config.

        Args:
            name: As it was written.
            value: Its options.
            at: Says where the name, or an option of it, stands.
            key: The config's key that holds the name, such as "stages.0.callbacks".
        """
        component = self.find(name)
        if component is None:
            return [self.unknown(name, at(), key)]
        return [
            Problem(
                f"config/{complaint.kind}",
                at(*complaint.path),
                ".".join(map(str, (key, name, *complaint.path))) + f": {complaint.message}",
                complaint.hint,
            )
            for complaint in component.check(value)[1]
        ]

    def names(self) -> list[str]:
        """All names, sorted, without aliases."""
        return sorted(self._by_name, key=str.casefold)

    def spellings(self) -> list[str]:
        """All names and aliases as they were written."""
        return [key for c in self._by_name.values() for key in (c.name, *c.aliases)]

    def components(self) -> list[Component[T]]:
        """All components in the order of their names."""
        return [self._by_name[name] for name in self.names()]
