"""What the audit and the manifest say, in words and counts for the page."""

import re
from collections.abc import Mapping
from typing import Any

from fivefold.core.durations import exactly
from fivefold.data.reasons import words_for

_ERROR = re.compile(r"^\w*Error: ")  # a class of Python's, which tells people nothing
_ELSEWHERE = (
    "config",
    "found_in_data",
    "seconds",
    "sessions",
    "warnings",
)  # parts of the page of their own
_BEFORE_A_NAME = {"frozen_views": "stage "}


def data_facts(audit: Mapping[str, Any]) -> dict[str, Any]:
    """Count what the audit found: samples by status, and reasons of what is not used, in words."""
    names = ("listed", "used", "quarantined", "excluded")
    counts = {name: audit[name] for name in names if isinstance(audit.get(name), int)}
    listed = audit.get("rows")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    unused = [
        {
            **row,
            "reason": words_for(str(row.get("reason") or "no reason given")),
            "detail": _ERROR.sub("", str(row.get("detail") or "")),
        }
        for row in rows
        if row.get("status") in ("quarantined", "excluded")
    ]
    reasons: dict[str, int] = {}
    for row in unused:
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    return {"counts": counts, "reasons": reasons, "unused": unused[:10], "num_unused": len(unused)}


def found_in_data(manifest: Mapping[str, Any]) -> list[str]:
    """List what a run has found by looking at the data, where its config said nothing."""
    return _texts(manifest.get("found_in_data"))


def all_warnings(audit: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """List every warning once: a manifest repeats those of the audit."""
    texts = _texts(audit.get("warnings")) + _texts(manifest.get("warnings"))
    return list(dict.fromkeys(texts))


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return [str(value)] if value else []


def environment(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Sort the manifest into groups of plain facts: heading to name to value."""
    groups: dict[str, dict[str, str]] = {"run": {}}
    for key, value in manifest.items():
        if key in _ELSEWHERE:
            continue
        if isinstance(value, dict):
            flat = sorted(_flat(value).items())
            before = _BEFORE_A_NAME.get(key, "")
            groups[_heading(key)] = {before + name: _worded(name, item) for name, item in flat}
        else:
            groups["run"][key] = _worded(key, value)
    return {heading: facts for heading, facts in groups.items() if facts}


def _heading(key: str) -> str:
    return key.replace("_", " ")


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else None
        flat.update(inner if inner is not None else {f"{prefix}{key}": value})
    return flat


def _worded(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or ("no GPU" if name == "gpus" else "none")
    return str(value)


def duration(manifest: Mapping[str, Any]) -> str:
    """Say how long reading data and training took in all; nothing where it is not known."""
    seconds = manifest.get("seconds")
    if not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        return ""
    return exactly(seconds)
