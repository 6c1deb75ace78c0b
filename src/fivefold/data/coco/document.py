"""A COCO file as it is written: its shape is checked here, its meaning is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from fivefold.core.errors import DataError
from fivefold.core.validation import expectation, shown
from fivefold.data.coco.outlines import read_outline
from fivefold.data.coco.places import place_of
from fivefold.data.decode import Limits, read_bytes
from fivefold.data.image_problem import ImageProblem

MAX_BYTES = 1024**3
"""The largest file that is read: about 5 million annotations."""
_SHOWN = 10
_FAR = 1e15  # in pixels; NaN is not below it either
_STRICT = ConfigDict(strict=True)
_BOM = b"\xef\xbb\xbf"

Id: TypeAlias = Annotated[int, Field(strict=True)]
_Finite: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""


def _bounds(given: Any) -> Any:
    """Reduce polygons to the box around them, and a mask in run lengths to the whole image."""
    if isinstance(given, dict) and isinstance(given.get("size"), list) and len(given["size"]) == 2:
        height, width = given["size"]
        return (0, 0, width, height)
    if not isinstance(given, list) or not all(isinstance(ring, list) for ring in given):
        return given
    xs = [x for ring in given for x in ring[::2]]
    ys = [y for ring in given for y in ring[1::2]]
    if not all(type(number) in (int, float) and abs(number) < _FAR for number in xs + ys):
        return given
    return (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)) if xs and ys else None


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One entry of `images`.

    Attributes:
        id: What annotations name it by.
        file_name: Relative to the folder of images.
        path: The same, and used first where it is there.
    """

    __pydantic_config__ = _STRICT

    id: Id
    file_name: str | None = None
    path: str | None = None

    @property
    def name(self) -> str:
        """Where it lies, or nothing."""
        return self.path or self.file_name or ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One entry of `annotations`.

    Attributes:
        image_id: Which image it is about.
        id: Its own, if it has one.
        category_id: What it says about the image.
        bbox: Where; without an area it is about the whole image.
        segmentation: The box around its polygons.
        caption: Deprecated: labels separated by commas.
        type: Beside captions: what they are.
    """

    __pydantic_config__ = _STRICT

    image_id: Id
    id: Id | None = None
    category_id: Id | None = None
    bbox: tuple[_Finite, _Finite, _Finite, _Finite] | None = None
    segmentation: Annotated[
        tuple[_Finite, _Finite, _Finite, _Finite] | None, BeforeValidator(_bounds)
    ] = None
    caption: str | None = None
    type: str | None = None

    @property
    def box(self) -> Box | None:
        """Which part of the image it is about; None for the whole one."""
        for box in (self.bbox, self.segmentation):
            if box is not None and box[2] > 0 and box[3] > 0:
                return box
        return None


@dataclass(frozen=True, slots=True)
class Category:
    """One entry of `categories`.

    Attributes:
        id: What annotations name it by.
        name: What people call it.
        supercategory: The next larger one, or nothing.
    """

    __pydantic_config__ = _STRICT

    id: Id
    name: Annotated[str, Field(min_length=1)]
    supercategory: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file's three lists; everything else in it is left alone."""

    __pydantic_config__ = _STRICT

    images: list[ImageRecord]
    annotations: list[Annotation]
    categories: Annotated[list[Category], Field(default_factory=list)]


@dataclass(frozen=True, slots=True)
class Outlined(Annotation):
    """One entry of `annotations` where masks are wanted.

    Attributes:
        segmentation: What it draws.
        iscrowd: Whether it is a region with many of a kind, of which none is outlined.
    """

    __pydantic_config__ = _STRICT

    segmentation: Annotated[Any, BeforeValidator(read_outline)] = None
    iscrowd: Annotated[int, Field(strict=False, ge=0, le=1)] = 0

    @property
    def box(self) -> Box | None:
        """Which part of the image it is about, where it says so by a box."""
        return self.bbox if self.bbox is not None and min(self.bbox[2:]) > 0 else None


@dataclass(frozen=True, slots=True)
class SizedImage(ImageRecord):
    """One entry of `images` where masks are wanted.

    Attributes:
        height: In pixels.
        width: In pixels.
    """

    __pydantic_config__ = _STRICT

    height: Annotated[int, Field(ge=1)] | None = None
    width: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class OutlinedDocument(Document):
    """A file's three lists where masks are wanted."""

    __pydantic_config__ = _STRICT

    images: list[SizedImage]  # type: ignore[assignment]  # lists that are only read
    annotations: list[Outlined]  # type: ignore[assignment]


_DOCUMENT = TypeAdapter(Document)
_OUTLINED = TypeAdapter(OutlinedDocument)


def read_document(path: Path, *, outlined: bool = False) -> Document:
    """Read a COCO file.

    Args:
        path: The file.
        outlined: Whether what annotations draw is wanted; then it is an `OutlinedDocument`.

    Raises:
        DataError: If there is no such file, or it is not one of COCO; names up to ten places.
    """
    data = file_bytes(path)
    try:
        return (_OUTLINED if outlined else _DOCUMENT).validate_json(data)
    except ValidationError as error:
        raise _refusal(path, data, error) from error


def file_bytes(path: Path) -> bytes:
    """Read a file of JSON whole, without the mark that some programs put before it.

    Raises:
        DataError: If it cannot be read or is too large.
    """
    try:
        return read_bytes(path, limits=Limits(max_bytes=MAX_BYTES)).removeprefix(_BOM)
    except ImageProblem as problem:
        reason = getattr(problem.__cause__, "strerror", None) or problem.detail
        msg = f"{path}: expected a readable COCO file, got {reason}"
        raise DataError(msg, hint="check the path", slug="data/missing-coco") from problem


def refuse_wrong(path: Path, found: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
    """Refuse a file whose entries contradict each other.

    Args:
        path: The file.
        found: Places such as ("annotations", 3, "image_id"), each with what is wrong there.

    Raises:
        DataError: If there are any.
    """
    if found:
        raise _wrong(path, file_bytes(path), found)


def _refusal(path: Path, data: bytes, error: ValidationError) -> DataError:
    problems = error.errors(include_url=False, include_context=False)
    if problems[0]["type"] == "json_invalid":
        text = problems[0]["msg"].removeprefix("Invalid JSON: ")
        msg = f"{path}: expected JSON, got a file that is not: {text}"
        return DataError(msg, hint="was it cut off or edited by hand?", slug="data/not-json")
    if any(problem["loc"] in {(), ("images",), ("annotations",)} for problem in problems):
        msg = f"{path}: expected a COCO file with the lists images and annotations, got another"
        hint = "`images: [{id, file_name}]`, `annotations: [{image_id, category_id}]`, `categories`"
        return DataError(msg, hint=hint, slug="data/not-coco")
    # Each side of a box comes by itself, and would be told in the same words.
    found = dict.fromkeys((_place(p["loc"]), _words(p)) for p in problems[:1000])
    return _wrong(path, data, list(found))


def _place(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return loc[:3]  # below that pydantic names the parts of a type


def _words(problem: Any) -> str:
    given = "nothing" if problem["type"] == "missing" else shown(problem["input"])
    keys = [_EXPECTED[part] for part in problem["loc"] if part in _EXPECTED]
    return f"expected {keys[0] if keys else expectation(problem)}, got {given}"


_EXPECTED = {
    "id": "a whole number",
    "image_id": "the id of an image",
    "category_id": "the id of a category",
    "bbox": "[left, top, width, height] in pixels",
    "segmentation": "polygons, or a mask in run lengths",
    "name": "a name",
}


def _wrong(
    path: Path, data: bytes, found: Sequence[tuple[tuple[str | int, ...], str]]
) -> DataError:
    lines = [f"{place_of(path, data, where)}: {text}" for where, text in found[:_SHOWN]]
    more = f"\n  and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    count = f"{path}: {len(found):,} entries cannot be used:\n  " if lines[1:] else ""
    msg = count + "\n  ".join(lines) + more
    return DataError(msg, hint="mend the file, or write it anew", slug="data/coco-entry")
