"""Types of the keys that go with a folder of masks."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from fivefold.config.fields import Many, Name, one_of

MASK_KEYS = ("images", "mask_classes", "ignore_value")
"""The keys that go with a folder of masks."""

_MOST = 250  # numbers beyond are for what is no class

_Byte: TypeAlias = Annotated[int, Field(ge=0, le=255)]
_Colour: TypeAlias = Annotated[Many[_Byte], Field(min_length=3, max_length=3)]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        msg = "each class once"
        raise ValueError(msg)
    return names


def _alike(classes: dict[str, int | tuple[int, ...]]) -> dict[str, int | tuple[int, ...]]:
    values = list(classes.values())
    if len({isinstance(value, int) for value in values}) > 1:
        msg = "numbers for all classes, or colours for all of them"
        raise ValueError(msg)
    if len(set(values)) < len(values):
        msg = "another value for each class"
        raise ValueError(msg)
    return classes


MaskClasses: TypeAlias = Annotated[
    Annotated[Many[Name], Field(min_length=1, max_length=_MOST), AfterValidator(_distinct)]
    | Annotated[
        dict[Name, _Byte | _Colour], Field(min_length=1, max_length=_MOST), AfterValidator(_alike)
    ]
    | None,
    one_of(
        "a list of different class names, or a mapping from them to different numbers 0-255 or to "
        "different colours [red, green, blue]"
    ),
    Field(
        description="With a folder of `masks`: names of the classes, of 0, 1, … with `softmax` and "
        "of 1, 2, … with `sigmoid`, or a mapping from names to numbers or colours [red, green, "
        "blue]; default found by looking."
    ),
]
IgnoreValue: TypeAlias = Annotated[
    _Byte | _Colour | None,
    one_of("a number 0-255 or a colour [red, green, blue]"),
    Field(
        description="With a folder of `masks`: the number or colour of pixels that do not count; "
        "default 255 where no class has it."
    ),
]
