"""Types of the keys that go with COCO files."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from fivefold.config.fields import Name, one_of

COCO_KEYS = (
    "images",
    "coco_validation",
    "masks",
    "boxes",
    "box_margin",
    "smallest_box",
    "category_map",
    "level",
    "background",
)
"""The keys that go with a COCO file."""
OF_CROPS = ("box_margin", "smallest_box")
"""Those of them that go with `boxes: crops` alone."""
OF_IMAGES = ("coco_validation", "background")
"""Those that do not go with it."""

CocoValidation: TypeAlias = Annotated[
    Name | None,
    Field(
        description="With `coco`: a second file, whose images are validated on; needs "
        "`folds_count: 1`."
    ),
]
Masks: TypeAlias = Annotated[
    Name | Literal[True] | None,
    one_of("true with `coco`, or a folder of masks with `images`"),
    Field(
        description="A folder of masks with the names of the images in the folder `images`. With "
        "`coco`: `true` draws masks from the polygons and run lengths of the annotations; crowds "
        "and boxes without an outline are ignored."
    ),
]
Boxes: TypeAlias = Annotated[
    Literal["labels", "crops"] | None,
    Field(
        description="With `coco`: annotations with an area are labels of their images (`labels`), "
        "or each is cut out as a sample (`crops`); without this key they are refused."
    ),
]
BoxMargin: TypeAlias = Annotated[
    Annotated[float, Field(ge=0, le=10)],
    Field(
        description="With `boxes: crops`: what to add on each side, as a part of the box.",
    ),
]
SmallestBox: TypeAlias = Annotated[
    Annotated[float, Field(ge=1)],
    Field(description="With `boxes: crops`: the shortest side in pixels that is cut out."),
]
CategoryMap: TypeAlias = Annotated[
    Name
    | Annotated[dict[str | int, Annotated[int, Field(ge=0)] | Name], Field(min_length=1)]
    | None,
    one_of("a JSON file, or a mapping from categories to classes"),
    Field(
        description="With `coco`: the class of each category, by id or name: `{1: 0, 2: 0, 3: 1}` "
        "or `{lakeland: dog, siamese: cat}`, or a JSON file with that; others have no class."
    ),
]
Level: TypeAlias = Annotated[
    Annotated[int, Field(ge=0, le=100)],
    Field(
        description="With `coco`: how many steps up the chain of `supercategory` a class lies.",
    ),
]
Background: TypeAlias = Annotated[
    Name | None,
    Field(
        description='With `coco`: the class that means "nothing": true where no other is, and '
        "only there; with masks of exclusive classes also with `rle_column`, default `background`."
    ),
]
