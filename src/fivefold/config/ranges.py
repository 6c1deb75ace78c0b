"""Types and ranges of values that keys share."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field

from fivefold.config.fields import Many, Name, NullMeans, one_of


def _with_name(value: dict[str, Any] | None) -> dict[str, Any] | None:
    name = "" if value is None else value.get("name")
    if value is None or (isinstance(name, str) and name):
        return value
    msg = "no name"
    raise ValueError(msg)


LayersToTrain: TypeAlias = Annotated[int, Field(ge=-1, le=100_000)]
Epochs: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
LearningRate: TypeAlias = Annotated[float, Field(gt=0, le=1000)]
BatchSize: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**32)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
GradientBound: TypeAlias = Annotated[float, Field(ge=0, le=1_000_000), NullMeans(0.0)]
Batches: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
LayerDecay: TypeAlias = Annotated[float, Field(gt=0, le=1)]
EpochsOrOff: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]
HeadLayers: TypeAlias = Annotated[
    Many[Annotated[int, Field(ge=1, le=65_536)] | Annotated[float, Field(gt=0, lt=1)]],
    Field(max_length=100),
    one_of("a list of whole numbers of units and fractions below 1 to drop"),
    NullMeans(()),
]
ClassCount: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
Side: TypeAlias = Annotated[int, Field(ge=1, le=16_384)]
Channels: TypeAlias = Annotated[int, Field(ge=1, le=64)]
Negatives: TypeAlias = Annotated[
    Literal["none", "real", "all"] | Annotated[int, Field(ge=0)] | None,
    one_of("'none', 'real', 'all' or a whole number of at least 0"),
]
Share: TypeAlias = Annotated[float, Field(gt=0, le=1), NullMeans(1.0)]
FoldLists: TypeAlias = Annotated[
    Name | Annotated[Many[Annotated[Many[Name], Field(min_length=1)]], Field(min_length=1)] | None,
    one_of("a CSV file, or a list with a list of sample ids for each fold"),
]
DatasetAugmenter: TypeAlias = Annotated[
    dict[str, Any] | None,
    AfterValidator(_with_name),
    one_of("a mapping with a `name`, and options"),
]
NearDuplicates: TypeAlias = Annotated[
    Literal["off"] | Annotated[int, Field(ge=1, le=8)],
    one_of("'off' or a whole number from 1 to 8"),
    NullMeans("off"),
]
Detail: TypeAlias = Annotated[float, Field(ge=1, le=4)]
Views: TypeAlias = Annotated[int, Field(ge=0, le=1000)]
CacheSize: TypeAlias = Annotated[
    bool | Annotated[float, Field(gt=0, le=1_000_000)],
    one_of("true, false, or the most gigabytes to take, above 0"),
]
PredictBatch: TypeAlias = Annotated[
    BatchSize | Literal["auto"], one_of("a whole number from 1 to 65536, or 'auto'")
]
Loss: TypeAlias = Annotated[
    Name | Annotated[Many[Name], Field(min_length=1)] | None,
    one_of("the name of a loss, or a list with one name for each output"),
]

ExampleEpochs: TypeAlias = Annotated[
    int,
    Field(
        ge=0,
        le=1000,
        description="In so many epochs of each stage, from the first to the last evenly, draw the "
        "same validation samples with what is predicted by then into `examples/STAGE/FOLD`; 0: in "
        "none.",
    ),
]
KeepMaps: TypeAlias = Annotated[
    bool,
    Field(
        description="Where masks are predicted: keep the probabilities of all pixels of the "
        "validation folds (`predictions/validation-FOLD.STAGE.maps`) and of the holdout, some "
        "kilobytes for each image; without them `thresholds` and `smallest_area` cannot be chosen, "
        "and the report draws no masks."
    ),
]
