"""Sections that Musket lacks: they make the command line need no Python."""

from difflib import get_close_matches
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fivefold.config.coco_keys import (
    COCO_KEYS,
    OF_CROPS,
    OF_IMAGES,
    Background,
    Boxes,
    BoxMargin,
    CategoryMap,
    CocoValidation,
    Level,
    Masks,
    SmallestBox,
)
from fivefold.config.fields import Many, Name, one_of
from fivefold.config.mask_folder_keys import MASK_KEYS, IgnoreValue, MaskClasses
from fivefold.config.run_length_keys import (
    OF_LABELS,
    RUN_LENGTH_KEYS,
    ClassColumn,
    MaskShape,
    Rle,
    RleColumn,
)
from fivefold.config.stored_keys import (
    HUB_KEYS,
    SHARD_KEYS,
    Hub,
    Revision,
    Shards,
    Split,
    Streamed,
)
from fivefold.config.table_keys import (
    TABLE_KEYS,
    Encoding,
    Extension,
    FoldColumn,
    GroupColumn,
    ImageColumn,
    IndicatorColumns,
    LabelColumn,
    Separator,
    SplitColumn,
    WeightColumn,
)

_WITH_RUNS = ("rle_column", *RUN_LENGTH_KEYS, "background")
_BELONGING = {
    "folder": (),
    "csv": (*TABLE_KEYS, *_WITH_RUNS, "encoding"),
    "parquet": (*TABLE_KEYS, *_WITH_RUNS),
    "coco": COCO_KEYS,
    "masks": MASK_KEYS,
    "shards": SHARD_KEYS,
    "hub": HUB_KEYS,
    "python": ("args",),
    "function": ("args",),
}
"""What kinds of data there are, each with the keys that go with it alone."""
_WITH_ALL = ("corrections",)
"""Keys that go with every kind of data."""
_PYTHON = r"^.+\.py:[A-Za-z_][A-Za-z_0-9]*$"

_ALIKE = 0.7  # of difflib: from there on a name is taken for a mistyped key

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DatasetSection(BaseModel):
    """Where the images and labels are: exactly one key says the kind of data, such as `folder`.

    Relative paths start at the folder of the config, or at its `datasets_path`; `python` and
    `corrections` always at the config's.
    """

    model_config = STRICT

    folder: Name | None = Field(None, description="A folder with one folder of images per class.")
    csv: Name | None = Field(
        None, description="A CSV or TSV table with a column of images and of labels."
    )
    parquet: Name | None = Field(
        None, description="Such a table in a Parquet file; needs the extra `tables`."
    )
    coco: Name | None = Field(
        None, description="A JSON file with the lists images, annotations and categories."
    )
    shards: Shards = None
    hub: Hub = None
    images: Name | None = Field(
        None,
        description="With a table and `coco`: the folder of the images; default that of the file. "
        "With `masks`: the folder of images whose masks have the same names.",
    )
    image_column: ImageColumn = None
    label_column: LabelColumn = None
    indicator_columns: IndicatorColumns = None
    separator: Separator = None
    extension: Extension = None
    encoding: Encoding = None
    group_column: GroupColumn = None
    weight_column: WeightColumn = None
    split_column: SplitColumn = None
    fold_column: FoldColumn = None
    rle_column: RleColumn = None
    class_column: ClassColumn = None
    rle: Rle = None
    mask_shape: MaskShape = None
    split: Split = None
    revision: Revision = None
    streamed: Streamed = False
    coco_validation: CocoValidation = None
    masks: Masks = None
    mask_classes: MaskClasses = None
    ignore_value: IgnoreValue = None
    boxes: Boxes = None
    box_margin: BoxMargin = 0.0
    smallest_box: SmallestBox = 8.0
    category_map: CategoryMap = None
    level: Level = 0
    background: Background = None
    python: Annotated[Annotated[str, Field(pattern=_PYTHON)] | None, one_of("'file.py:Name'")] = (
        Field(
            None,
            description="`file.py:Name`: a class or function that gives a dataset; needs consent.",
        )
    )
    function: Name | None = Field(
        None,
        description="A class or function that gives a dataset, by its name in a module of "
        "`imports` or of the project; Musket's `{name: arguments}` means the same.",
    )
    args: Annotated[
        dict[str, Any] | Many[Any], one_of("a mapping of arguments, or a list of them")
    ] = Field(
        default_factory=dict,
        description="With `python` and `function`: what it is called with; a list only with "
        "`function`.",
    )
    corrections: Name | None = Field(
        None,
        description="A table that gives samples other labels or leaves them out, while the data "
        "stay as they are: columns `id`, `corrected` and `keep`, as `fivefold suspects` writes it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_musket(cls, given: Any) -> Any:
        """Read `{name: arguments}`, unless the name may be a mistyped key."""
        if not isinstance(given, dict) or len(given) != 1:
            return given
        ((name, args),) = given.items()
        known = list(cls.model_fields)
        if not str(name).isidentifier() or get_close_matches(name, known, n=1, cutoff=_ALIKE):
            return given
        if not isinstance(args, dict | list):
            args = [] if args is None else [args]
        return {"function": name, "args": args}

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        *others, last = _BELONGING
        chosen = [kind for kind in _BELONGING if getattr(self, kind) is not None]
        if self.coco is not None and self.masks is not None:
            chosen.remove("masks")
        if chosen == ["masks"] and (self.images is None or self.masks is True):
            msg = "both `images` and `masks`, a folder each, or `masks: true` with coco"
            raise ValueError(msg)
        if not chosen and self.images is not None:
            msg = "`masks` beside `images`, or a table or `coco` that lists them"
            raise ValueError(msg)
        if len(chosen) != 1:
            msg = f"exactly one of the keys {', '.join(others)} and {last}"
            raise ValueError(msg)
        stray = self.model_fields_set - {*_BELONGING, *_WITH_ALL, *_BELONGING[chosen[0]]}
        if stray:
            msg = f"only keys that go with {chosen[0]!r}, not {', '.join(sorted(stray))}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _has_named_arguments(self) -> Self:
        if self.kind != "function" and not isinstance(self.args, dict):
            msg = "`args` that are a mapping"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _has_one_output(self) -> Self:
        if self.kind in ("shards", "hub") and not isinstance(self.label_column, str | None):
            msg = f"one name in label_column with {self.kind!r}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fits_boxes(self) -> Self:
        crops = self.boxes == "crops"
        stray = self.model_fields_set & set(OF_IMAGES if crops else OF_CROPS)
        if stray:
            kind = "with" if crops else "without"
            msg = f"no {', '.join(sorted(stray))} {kind} 'boxes: crops'"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fits_outlines(self) -> Self:
        if self.coco is not None and self.masks not in (None, True):
            msg = f"`masks: true` with coco, not the folder {self.masks!r}"
            raise ValueError(msg)
        if self.coco is not None and self.masks and self.boxes is not None:
            msg = "only one of boxes and masks"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _has_one_kind_of_labels(self) -> Self:
        if self.label_column is not None and self.indicator_columns is not None:
            msg = "only one of label_column and indicator_columns"
            raise ValueError(msg)
        if self.separator is not None and self.indicator_columns is not None:
            msg = "no separator with indicator_columns"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fits_runs(self) -> Self:
        with_runs = self.rle_column is not None
        of_runs = (*RUN_LENGTH_KEYS, *(("background",) if self.coco is None else ()))
        stray = self.model_fields_set & set(OF_LABELS if with_runs else of_runs)
        if stray:
            kind = "with" if with_runs else "without"
            msg = f"no {', '.join(sorted(stray))} {kind} rle_column"
            raise ValueError(msg)
        return self

    @property
    def gives_folds(self) -> bool:
        """Whether a column of a table says what is trained on."""
        return self.split_column is not None or self.fold_column is not None

    @property
    def runs_code(self) -> bool:
        """Whether it names code of the user's."""
        return self.kind in ("python", "function")

    @property
    def kind(self) -> str:
        """What kind of data it is: the name of that key."""
        return next(kind for kind in _BELONGING if getattr(self, kind) is not None)
