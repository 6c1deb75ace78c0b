"""Pictures of where models look, each written as soon as it is drawn, and the table of them."""

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from fivefold.apps.explain.panels import draw_panels
from fivefold.core import durable
from fivefold.evaluation.tables import csv_bytes
from fivefold.experiment.explaining import Explanation

TABLE = "explanations.csv"

_HEADER = ("file", "id", "head", "class", "probability", "true", "folds", "layer")
_NO_TEXT = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # not the bytes of file names
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Look:
    """How pictures look.

    Attributes:
        alpha: How opaque the colours are, 0-1.
        max_side: Pixels along the longer side of an image at most; 0 is its own size.
    """

    alpha: float = 0.6
    max_side: int = 1_024


@dataclass
class Written:
    """What was written.

    Attributes:
        rows: File, id, head, class, probability, truth, folds and layer of each map.
        pictures: How many files.
        without: Images for which no class was likely enough.
    """

    rows: list[dict[str, Any]]
    pictures: int = 0
    without: int = 0


def write_explanations(found: Generator[Explanation], output: Path, look: Look) -> Written:
    """Write a picture for each explanation, and at the end the table.

    Whatever ends it early, an interrupt too, leaves the pictures that there are and their table.

    Args:
        found: One by one; none is kept. It is closed at the end.
        output: The folder.
        look: How they look.

    Raises:
        ResourceError: If the disk is full, read-only or failing.
    """
    written = Written([])
    try:
        with closing(found):
            for explanation in found:
                _write(explanation, output, look, written)
    finally:
        if written.rows:
            written.rows.sort(key=itemgetter("file"))  # those by the same models come together
            cells = [[_cell(row[name]) for name in _HEADER] for row in written.rows]
            durable.write_bytes(output / TABLE, csv_bytes([_HEADER, *cells]))
    return written


def _write(explanation: Explanation, output: Path, look: Look, written: Written) -> None:
    if not explanation.maps:
        written.without += 1
        return
    name = file_name(explanation.number + 1, explanation.sample_id)
    durable.write_bytes(output / name, draw_panels(explanation, look.alpha, look.max_side))
    written.pictures += 1
    for one in explanation.maps:
        values = (
            name,
            explanation.sample_id,
            one.head,
            one.class_name,
            f"{one.probability:.6f}",
            {None: "", True: "yes", False: "no"}[one.is_true],
            " ".join(map(str, explanation.folds)),
            explanation.layer,
        )
        written.rows.append(dict(zip(_HEADER, values, strict=True)))


def _cell(value: object) -> str:
    """Write a value; what no file can hold, as Python's data sets may have it, is replaced."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", str(value))


def file_name(number: int, sample_id: str) -> str:
    """Name a picture by its number, so that no two are the same, and what is plain of the id."""
    stem = sample_id.replace("\\", "/").rstrip("/").rpartition("/")[2].rpartition(".")
    plain = _UNUSUAL.sub("_", stem[0] or stem[2]).strip("._-")[:60]
    return f"{number:05}-{plain}.png" if plain else f"{number:05}.png"
