"""What a run leaves behind: lines of JSON, and a page for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.table import Row, markdown


def write_lines(path: Path, about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write the machine first, then a line for each row with all its samples."""
    first = json.dumps({"about": about}, allow_nan=True)
    lines = [json.dumps({**asdict(row), "goal": str(row.goal)}, default=str) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([first, *lines]) + "\n", encoding="utf-8")


def page(about: Mapping[str, Any], rows: Sequence[Row], left_out: Mapping[str, str]) -> str:
    """Write the record as Markdown.

    Args:
        about: The command, the machine, its limits, the peers' versions.
        rows: What was measured.
        left_out: What was not run, and why.
    """
    parts = [f"# {about['title']}", "", f"`{about['command']}`, {about['date']}.", ""]
    parts += [markdown(rows), "", "A ratio is ours divided by the best peer's. Times include the"]
    parts += ["start of the processes. `limit` is what the arithmetic alone would take.", ""]
    parts += ["## Samples", ""]
    for row in rows:
        parts += [f"**{row.metric}** ({row.unit}): {row.verdict}", ""]
        parts += [*(f"- {note}" for note in row.notes), ""]
    parts += ["## Machine", ""]
    parts += [f"- {key}: {_said(value)}" for key, value in about["machine"].items()]
    parts += ["", "## Limits measured at the start", ""]
    parts += [f"- {key}: {value:g}" for key, value in about["limits"].items()]
    if about["peers"]:
        parts += ["", "## Peers' environments", ""]
        parts += [f"- {name}: {versions}" for name, versions in about["peers"].items()]
    if left_out:
        parts += ["", "## Not run", ""]
        parts += [f"- {name}: {reason}" for name, reason in left_out.items()]
    return "\n".join(parts) + "\n"


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    return str(value)
