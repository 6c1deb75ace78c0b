"""What is made for classes of whole images says so to an experiment on masks."""

from fivefold.config import ExperimentConfig
from fivefold.core.errors import DataError


def refuse_masks(config: ExperimentConfig, what: str, instead: str) -> None:
    """Refuse an experiment on masks.

    Args:
        config: Of the experiment.
        what: Was asked for.
        instead: What there is for masks.

    Raises:
        DataError: If the experiment makes masks.
    """
    if config.makes_masks:
        name = config.architecture
        msg = f"{config.where()}: {what}: expected classes of images, got {name!r} with its masks"
        raise DataError(msg, hint=instead, slug="data/masks-predicted")
