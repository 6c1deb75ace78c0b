"""What a COCO file says beside images and their classes, which no other file gets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fivefold.apps.data_files.coco_writing import INFO
from fivefold.data.coco.document import file_bytes
from fivefold.experiment.named_data import Opened

_OF_IMAGES = {"id", "file_name", "path", "width", "height"}
_OF_LABELS = {
    *("id", "image_id", "category_id", "caption", "type"),
    *("bbox", "area", "segmentation", "iscrowd"),
}
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_SHOWN = 5


def left_behind(opened: Opened) -> Iterator[str]:
    """Say in a line what is not written anew; nothing where there is no more than classes.

    Args:
        opened: Any data; only COCO files have such a rest.
    """
    if opened.kind != "coco":
        return
    document: Mapping[str, Any] = json.loads(file_bytes(opened.path))
    labels = document["annotations"]
    found = [name for name in ("info", "licenses") if document.get(name) not in (*_EMPTY, INFO)]
    if any(one.get("supercategory") for one in document.get("categories") or ()):
        found.append("supercategories")
    for word, count in (("box", _boxes(labels)), ("outline", _count(labels, "segmentation"))):
        if count:
            plural = "" if count == 1 else "es" if word.endswith("x") else "s"
            found.append(f"{count:,} {word}{plural}")
    found += _further("images", document["images"], _OF_IMAGES)
    found += _further("annotations", labels, _OF_LABELS)
    if found:
        yield f"left behind of {opened.path.name}: {', '.join(found)}"


def _boxes(labels: Sequence[Mapping[str, Any]]) -> int:
    """Count boxes with an area: all others are about whole images."""
    boxes = [one["bbox"] for one in labels if one.get("bbox")]
    return sum(box[2] > 0 and box[3] > 0 for box in boxes)


def _count(labels: Sequence[Mapping[str, Any]], key: str) -> int:
    return sum(bool(one.get(key)) for one in labels)


def _further(name: str, entries: Sequence[Mapping[str, Any]], known: set[str]) -> Iterator[str]:
    keys = sorted({key for one in entries for key in one} - known)
    if keys:
        more = ", …" if len(keys) > _SHOWN else ""
        yield f"{', '.join(map(repr, keys[:_SHOWN]))}{more} of {name}"
