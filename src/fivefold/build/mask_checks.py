"""What a config says of masks, against what there is; no torch."""

from collections.abc import Iterator

from fivefold.config import ExperimentConfig
from fivefold.core.errors import Problem
from fivefold.models.names import backbone_problem


def mask_problems(config: ExperimentConfig) -> Iterator[Problem]:
    """Find what is wrong with the architecture and the backbone of what makes masks."""
    where = config.where("backbone")
    if not config.makes_masks:
        if config.backbone:
            message = (
                f"backbone: expected nothing, since {config.architecture!r} classifies images, "
                f"got {config.backbone!r}"
            )
            hint = "a classifier's backbone is its `architecture`; `Unet` and others make masks"
            yield Problem("config/backbone", where, message, hint)
        return
    if config.backbone is None:
        hint = "for example `backbone: ResNet34`"
        message = f"backbone: required by {config.architecture!r}, but not set"
        yield Problem("config/missing-key", config.where(), message, hint)
    elif problem := backbone_problem(config.backbone, where, "backbone"):
        yield problem
