"""What `fivefold list` shows of each catalog."""

import importlib
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic.fields import FieldInfo

from fivefold.cli.console import say, show, show_json, show_pairs
from fivefold.core.catalog import Catalog, Component
from fivefold.core.errors import ConfigError, Problem, did_you_mean


@dataclass(frozen=True)
class _Kind:
    """One catalog: where it lives, and what it is for."""

    singular: str
    module: str
    purpose: str


_KINDS = {
    "sources": _Kind("source", "fivefold.data", "where images and labels come from"),
    "augmenters": _Kind("augmenter", "fivefold.augment", "random changes of training images"),
    "mixers": _Kind("mixer", "fivefold.augment", "what mixes the images of a training batch"),
    "backbones": _Kind("backbone", "fivefold.models.names", "networks, for `architecture:`"),
    "architectures": _Kind(
        "architecture",
        "fivefold.models.architectures",
        "what makes masks, for `architecture:` beside `backbone:`",
    ),
    "losses": _Kind("loss", "fivefold.losses", "what training makes small, for `loss:`"),
    "metrics": _Kind("metric", "fivefold.evaluation", "what is measured, for `metrics:`"),
    "optimizers": _Kind("optimizer", "fivefold.optim", "how weights move, for `optimizer:`"),
    "schedules": _Kind("schedule", "fivefold.optim", "how `lr` changes, for `schedule:`"),
    "callbacks": _Kind("callback", "fivefold.engine.callbacks", "what watches the epochs"),
}


def show_kinds(*, as_json: bool) -> None:
    """Put out the kinds of component."""
    if as_json:
        show_json({name: kind.purpose for name, kind in _KINDS.items()})
        return
    show_pairs([(name, kind.purpose) for name, kind in _KINDS.items()])
    say("more: fivefold list losses")


def show_kind(name: str, text: str, *, everything: bool = False, as_json: bool) -> None:
    """Put out the components of one kind whose names or aliases contain a text.

    Args:
        name: The kind, singular or plural.
        text: What the names contain; empty for any.
        everything: Whether to name also the backbones that are in no table.
        as_json: Whether a script reads it.

    Raises:
        ConfigError: If there is no such kind, or no such component.
    """
    plural = _plural(name)
    if plural == "backbones":
        _show_backbones(text, everything=everything, as_json=as_json)
        return
    catalog = _catalog(plural)
    of_masks = _mask_catalog(plural)
    entries = [*catalog.components(), *(of_masks.components() if of_masks else ())]
    chosen = [c for c in entries if _contains((c.name, *c.aliases), text)]
    chosen.sort(key=lambda c: c.name.casefold())  # what is of masks stays behind its namesake
    beside = _schedules_of_keras(text) if plural == "callbacks" and not as_json else []
    if beside:
        say(f"schedules, which `callbacks:` takes too: {', '.join(beside)}")
    if not chosen and not beside:
        _refuse(plural, text, [name for c in entries for name in (c.name, *c.aliases)])
    if as_json:
        show_json([_record(component, _is_in(of_masks, component)) for component in chosen])
        return
    for component in chosen:
        _show_component(component, ", of masks" if _is_in(of_masks, component) else "")


def _plural(name: str) -> str:
    wanted = name.strip().casefold()
    for plural, kind in _KINDS.items():
        if wanted in (plural, kind.singular):
            return plural
    message = f"expected a kind of component, got {name!r}"
    hint = did_you_mean(name, _KINDS, "`fivefold list` names all of them")
    raise ConfigError([Problem("cli/unknown-kind", "", message, hint)])


def _catalog(plural: str) -> Catalog[Any]:
    found: Catalog[Any] = getattr(importlib.import_module(_KINDS[plural].module), plural)
    return found


def _mask_catalog(plural: str) -> Catalog[Any] | None:
    """Load the catalog of the same kind for masks, where they have one of their own."""
    names = {"losses": "mask_losses", "metrics": "mask_metrics"}
    if plural not in names:
        return None
    found: Catalog[Any] = getattr(importlib.import_module(_KINDS[plural].module), names[plural])
    return found


def _is_in(catalog: Catalog[Any] | None, component: Component[Any]) -> bool:
    return catalog is not None and catalog.find(component.name) is component


def _schedules_of_keras(text: str) -> list[str]:
    """Name what Musket calls callbacks and is a schedule here, so that nobody misses it."""
    from fivefold.optim import is_callback

    components = [c for c in _catalog("schedules").components() if is_callback(c.name)]
    return [c.name for c in components if _contains((c.name, *c.aliases), text)]


def _contains(names: tuple[str, ...], text: str) -> bool:
    return any(text.casefold() in name.casefold() for name in names)


def _refuse(plural: str, text: str, known: list[str]) -> NoReturn:
    message = f"expected a part of the name of a {_KINDS[plural].singular}, got {text!r}"
    hint = did_you_mean(text, known, f"`fivefold list {plural}` shows all of them")
    raise ConfigError([Problem("cli/no-match", "", message, hint)])


def _show_component(component: Component[Any], of: str) -> None:
    aliases = f" ({', '.join(component.aliases)})" if component.aliases else ""
    show(f"{component.name}{aliases}{of}")
    if component.summary:
        show(f"    {component.summary}")
    options = component.options.model_fields
    if options:
        show("    " + ", ".join(_option_text(name, field) for name, field in options.items()))


def _option_text(name: str, field: FieldInfo) -> str:
    return f"{name} (required)" if field.is_required() else f"{name} = {field.default!r}"


def _record(component: Component[Any], of_masks: bool) -> dict[str, Any]:  # noqa: FBT001  a fact
    options = component.options.model_fields
    facts = {name: fact for name, fact in component.facts.items() if not callable(fact)}
    facts |= {"masks": True} if of_masks else {}
    required = [name for name, field in options.items() if field.is_required()]
    return {
        "name": component.name,
        "aliases": component.aliases,
        "summary": component.summary,
        "options": {n: field.default for n, field in options.items() if n not in required},
        "required": required,
        "facts": facts,
    }


def _show_backbones(text: str, *, everything: bool, as_json: bool) -> None:
    """Put out the names in the table, or all that contain a text, or all: there are 1,300."""
    from fivefold.models.names import KERAS_NAMES, backbone_names, backbones

    names = backbone_names()
    short = [*backbones.names(), *KERAS_NAMES]
    chosen = [n for n in names if _contains((n,), text)] if text or everything else short
    if not chosen:
        _refuse("backbones", text, names)
    if as_json:
        show_json(chosen if text else names)
        return
    for name in chosen:
        meaning = KERAS_NAMES.get(name)
        show(f"{name}  (timm: {meaning})" if meaning else name)
    more = "; `fivefold list backbones convnext` shows those with convnext, `--all` all of them"
    say(f"{len(chosen)} of {len(names)} names{'' if text or everything else more}")
