"""Types of the keys that say how a table writes masks in run lengths."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, Strict

from fivefold.config.fields import Name, one_of

RUN_LENGTH_KEYS = ("class_column", "rle", "mask_shape")
"""The keys that go with `rle_column` alone."""
OF_LABELS = ("label_column", "indicator_columns", "separator")
"""The keys of a table that do not go with it."""

_MOST = 100_000_000  # pixels, as of images


def _not_huge(shape: tuple[int, int]) -> tuple[int, int]:
    if shape[0] * shape[1] > _MOST:
        msg = f"height and width of at most {_MOST:,} pixels together"
        raise ValueError(msg)
    return shape


_Side: TypeAlias = Annotated[int, Field(ge=1, strict=True)]

RleColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: the column of masks in run lengths, such as `EncodedPixels`; a "
        "cell that is empty or -1 shows nothing, and an image may have several rows."
    ),
]
ClassColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With `rle_column`: the column that says what each mask shows, or a part of "
        "one such as `ImageId_ClassId`; default: all show the same."
    ),
]
Rle: TypeAlias = Annotated[
    Literal["columns", "rows", "relative"] | None,
    Field(
        description="With `rle_column`: pixels are numbered from 1 down the columns (`columns`, "
        "the default, as on Kaggle) or along the rows (`rows`), or pairs are of gap and length "
        "down the columns (`relative`)."
    ),
]
MaskShape: TypeAlias = Annotated[
    Annotated[tuple[_Side, _Side], Strict(strict=False), AfterValidator(_not_huge)] | None,
    one_of("height and width in pixels, such as [350, 525]"),
    Field(
        description="With `rle_column`: height and width that the runs are written for, where it "
        "is not each image's own; masks are brought to the images' sizes."
    ),
]
