"""Types of the keys that say how much classes count."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from fivefold.config.fields import Many, NullMeans, one_of


def _named(value: Any) -> Any:
    """Read names of classes that YAML takes for numbers, such as those of digits."""
    return (
        {str(name): weight for name, weight in value.items()} if isinstance(value, dict) else value
    )


Weight: TypeAlias = Annotated[float, Field(gt=0, le=1_000_000)]
ByClass: TypeAlias = Annotated[dict[str, Weight], Field(min_length=1), BeforeValidator(_named)]

_FORMULA = (
    "'balanced', 'inverse', 'log', 'none' or a mapping from class names to numbers above 0, "
    "up to 1000000"
)
_POSITIVE = (
    "'balanced', a number above 0, up to 1000000, a list with one for each class, or a mapping by "
    "class"
)

_BALANCE = (
    "'none', 'weights', 'sampler', 'upsampling', 'downsampling', a whole number of images for each "
    "class, or a mapping from class names to numbers above 0"
)

Formula: TypeAlias = Literal["none", "balanced", "inverse", "log"]
Positive: TypeAlias = Weight | Literal["balanced"] | Many[Weight] | ByClass

ClassWeights: TypeAlias = Annotated[Formula | ByClass, one_of(_FORMULA), NullMeans("none")]
StageClassWeights: TypeAlias = Annotated[Formula | ByClass | None, one_of(_FORMULA)]
PosWeight: TypeAlias = Annotated[Positive, one_of(_POSITIVE), NullMeans(1.0)]
StagePosWeight: TypeAlias = Annotated[Positive | None, one_of(_POSITIVE)]
Sampling: TypeAlias = (
    Literal["sampler", "upsampling", "downsampling"] | Annotated[int, Field(ge=1, le=1_000_000)]
)
Balanced: TypeAlias = Literal["none", "weights"] | Sampling | ByClass
BalanceKey: TypeAlias = Annotated[Balanced, one_of(_BALANCE), NullMeans("none")]
StageBalance: TypeAlias = Annotated[Balanced | None, one_of(_BALANCE)]
Penalty: TypeAlias = Annotated[float, Field(ge=0, le=1_000_000), NullMeans(0.0)]
