"""Types of the keys that say what the columns of a table are."""

import codecs
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from fivefold.config.fields import Many, Name, one_of

TABLE_KEYS = (
    "images",
    "image_column",
    "label_column",
    "indicator_columns",
    "separator",
    "extension",
    "group_column",
    "weight_column",
    "split_column",
    "fold_column",
)
"""The keys that go with every kind of table."""


def _known(encoding: str) -> str:
    try:
        known = codecs.lookup(encoding)
    except LookupError as error:
        msg = "an encoding of texts such as utf-8, cp1251 or shift_jis"
        raise ValueError(msg) from error
    if not known._is_text_encoding:  # such as rot13, or those of bytes
        msg = "an encoding of texts such as utf-8, cp1251 or shift_jis"
        raise ValueError(msg)
    return encoding


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        msg = "each column once"
        raise ValueError(msg)
    return names


_Names: TypeAlias = Annotated[Many[Name], Field(min_length=1), AfterValidator(_different)]

ImageColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: the column of file names or ids; default found by its cells and "
        "its name."
    ),
]
LabelColumn: TypeAlias = Annotated[
    Name | _Names | None,
    one_of("a column name or a list of different column names"),
    Field(description="With a table: the column of labels; a list has one column for each output."),
]
IndicatorColumns: TypeAlias = Annotated[
    Annotated[Many[Name], Field(min_length=2), AfterValidator(_different)] | None,
    one_of("a list of at least two different column names"),
    Field(
        description="With a table: columns of 0 and 1, one for each class, instead of "
        "`label_column`; default found where all other columns are such."
    ),
]
Separator: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: what stands between several labels in one cell; default found: "
        "`|`, `;`, `$`, `,` or, between numbers, a space."
    ),
]
Extension: TypeAlias = Annotated[
    Name | None,
    Field(description="With a table: what to append to an id for its file name, such as `.png`."),
]
Encoding: TypeAlias = Annotated[
    Annotated[Name, AfterValidator(_known)] | None,
    one_of("an encoding of texts such as utf-8, cp1251 or shift_jis"),
    Field(description="With `csv`: the encoding of the file; default UTF-8."),
]
GroupColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: the column of what must stay in one fold, such as the patient."
    ),
]
WeightColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: the column of how much a sample counts in training; metrics "
        "and `val_loss` count every sample the same."
    ),
]
SplitColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: the column that says train, val or test; test is the holdout, "
        "val needs `folds_count: 1`."
    ),
]
FoldColumn: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With a table: the column of numbers of folds from 0; -1 is the holdout, an "
        "empty cell is always trained on."
    ),
]
