"""The small overlays of a run folder: which sample and class each shows; read without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import Field

from fivefold.core import durable
from fivefold.core.layout import RunFolder
from fivefold.core.sealed import read_sealed, write_sealed

_FORMAT = 1
_AGAIN = "delete the folder; `fivefold report --explain` makes its pictures again"

_Name: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]+\.jpg$")]


@dataclass(frozen=True)
class Overlay:
    """A picture of one sample, with the places that speak for a class laid over it.

    Attributes:
        file: Its name in the folder of `explanations.json`; a JPEG.
        sha256: Of its bytes, in hex.
        head: The name of the head; "" where there is only one.
        class_name: The class that the places speak for: the wrong answer, or the label that was
            left out.
        probability: What the model gave to it, 0-1.
        fold: Whose model looked: the one that has not seen the sample.
    """

    file: _Name
    sha256: str
    head: str
    class_name: str
    probability: Annotated[float, Field(ge=0, le=1)]
    fold: int


@dataclass(frozen=True)
class Overlays:
    """All small overlays of a run.

    Attributes:
        method: How they were made, such as "gradcam".
        layer: Of the backbone; "" for a method that takes all.
        stage: Whose weights looked.
        samples: Sample id to its overlay, the most confident mistake first.
    """

    method: str
    layer: str
    stage: Annotated[int, Field(ge=0)]
    samples: Mapping[str, Overlay]


def write_overlays(folder: RunFolder, overlays: Overlays, pictures: Sequence[bytes]) -> None:
    """Replace the small overlays of a run; pictures that no longer belong to it are removed.

    Args:
        folder: The run.
        overlays: What they show.
        pictures: The files, in the order of the samples.

    Raises:
        ResourceError: If the disk refuses.
    """
    place = folder.explanations_path.parent
    samples = overlays.samples.items()
    for (_, each), data in zip(samples, pictures, strict=True):
        durable.write_bytes(place / each.file, data)
    # JSON written here sorts keys, so the order is kept in a list.
    record = {**asdict(overlays), "samples": [[name, asdict(each)] for name, each in samples]}
    write_sealed(folder.explanations_path, record, version=_FORMAT)
    own = {each.file for _, each in samples}
    for path in sorted(place.glob("[0-9]*.jpg")):
        if path.name not in own:
            durable.remove(path)


def read_overlays(folder: RunFolder) -> Overlays | None:
    """Read what `write_overlays` wrote; None where there is nothing.

    Raises:
        StateError: If the record is damaged.
    """
    if not folder.explanations_path.exists():
        return None
    found = read_sealed(folder.explanations_path, _Saved, version=_FORMAT, hint=_AGAIN)
    return Overlays(found.method, found.layer, found.stage, dict(found.samples))


def read_picture(folder: RunFolder, overlay: Overlay) -> bytes:
    """Read the JPEG of an overlay.

    Raises:
        StateError: If it is missing or damaged.
    """
    path: Path = folder.explanations_path.parent / overlay.file
    return durable.read_verified(path, overlay.sha256, _AGAIN)


@dataclass(frozen=True)
class _Saved:
    method: str
    layer: str
    stage: Annotated[int, Field(ge=0)]
    samples: list[tuple[str, Overlay]]
