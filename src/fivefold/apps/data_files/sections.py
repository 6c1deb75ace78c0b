"""The `dataset` section that reads what was written, to be pasted into a config."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fivefold.experiment.named_data import Opened

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*")


def section_for(
    kind: str,
    path: Path,
    images_dir: Path | None = None,
    **options: str | Sequence[str] | bool | None,
) -> str:
    """Word a `dataset` section for a config beside what was written.

    Args:
        kind: `folder`, `csv`, `coco`, or `images` of a folder with `masks` beside it.
        path: What was written.
        images_dir: Where paths in it start.
        options: Further keys; those without a value are left out.
    """
    name = f"{path.parent.name}/{path.name}" if kind == "images" else path.name
    found: dict[str, str | Sequence[str] | bool] = {kind: name}
    if images_dir is not None and (below := _relative(images_dir, path.parent)) != ".":
        found["images"] = below
    found |= {key: value for key, value in options.items() if value is not None}
    return f"dataset: {{{', '.join(_pairs(found))}}}"


def columns_asked(opened: Opened) -> dict[str, str | Sequence[str] | None]:
    """Give the keys of columns that were asked for by name; a table keeps its names."""
    labels = opened.reading.label_column
    asked = labels[0] if len(labels) == 1 else labels or None
    return {"image_column": opened.reading.image_column, "label_column": asked}


def _relative(folder: Path, start: Path) -> str:
    real, here = os.path.realpath(folder), os.path.realpath(start)
    try:
        return Path(os.path.relpath(real, here)).as_posix()
    except ValueError:  # another drive
        return Path(real).as_posix()


def _pairs(found: Mapping[str, str | Sequence[str] | bool]) -> list[str]:
    """Write pairs; text that YAML may take for something else stands in quotes."""
    return [
        f"{key}: {str(value).lower() if isinstance(value, bool) else _written(value)}"
        for key, value in found.items()
    ]


def _written(value: str | Sequence[str]) -> str:
    return _quoted(value) if isinstance(value, str) else f"[{', '.join(map(_quoted, value))}]"


def _quoted(value: str) -> str:
    is_number = value.replace(".", "").isdigit() or value.casefold() in ("no", "yes", "null", "on")
    plain = _PLAIN.fullmatch(value) and not is_number
    return value if plain else json.dumps(value, ensure_ascii=False)
