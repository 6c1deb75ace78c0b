"""Types of the keys that say what becomes of predictions; they alter nothing that is trained."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema

from fivefold.config.fields import NullMeans, one_of
from fivefold.core.threshold_aim import ThresholdAim

DECISION_KEYS: Final = ("calibration", "thresholds", "smallest_area", "coverage")

_SHARE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
_THRESHOLD: dict[str, Any] = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
_AIM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "f_beta": {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
        "precision": _SHARE,
        "recall": _SHARE,
        "exact_match": {"type": "array", "items": _THRESHOLD, "minItems": 3, "maxItems": 3},
        "per_class": {"type": "boolean"},
    },
    "additionalProperties": False,
}
_SCHEMA = {"anyOf": [_THRESHOLD, {"type": "string"}, _AIM]}


def _aimed(value: Any) -> Any:
    """Keep what can be aimed at as it is written; nothing means one half."""
    given = 0.5 if value is None else value
    ThresholdAim.of(given)
    return given


Calibration: TypeAlias = Annotated[
    Literal["none", "temperature"],
    Field(
        description="`temperature`: divide the logits of each output by a number, chosen on "
        "out-of-fold predictions, so that predictions are as sure as they are right. What is "
        "measured in training stays as it is."
    ),
    NullMeans("none"),
]
Thresholds: TypeAlias = Annotated[
    Any,
    Field(
        description="From which probability on a class of a `sigmoid` output is predicted: a "
        "number for all, or chosen for each class on out-of-fold predictions: `f1` (the highest "
        "F1; also `f2`, …), `{precision: 0.95}` (the highest recall at that precision), `{recall: "
        "0.9}`; with `per_class: false` in the mapping one for all. `exact_match` (or "
        "`{exact_match: [start, stop, step]}`) has one with the most samples without a wrong "
        "answer. Of masks `dice` and `iou` are of all pixels together (as `f1`), `image_dice` and "
        "`image_iou` means over images."
    ),
    PlainValidator(_aimed),
    WithJsonSchema(_SCHEMA),
]
SmallestArea: TypeAlias = Annotated[
    Annotated[int, Field(ge=0)] | Literal["auto"],
    Field(
        description="Of masks: connected parts of fewer pixels are left out of what is predicted, "
        "counted at the size of `shape`. `auto` chooses the area for each class on out-of-fold "
        "masks, by what `thresholds` aims at, or else by dice; 0 keeps all."
    ),
    one_of("'auto' or a whole number of pixels of at least 0"),
    NullMeans(0),
]
Coverage: TypeAlias = Annotated[
    float,
    Field(
        gt=0,
        lt=1,
        description="How often one model's prediction set is to hold the true class; of several "
        "models it is what at least half of them have. `fivefold predict --sets` shows it.",
    ),
    NullMeans(0.9),
]
