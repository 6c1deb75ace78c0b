"""Metrics by name, of whatever was predicted: classes of images, or masks."""

from collections.abc import Sequence

from fivefold.core.errors import ConfigError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.evaluation.mask_metrics import mask_metrics
from fivefold.evaluation.mask_names import find_mask_metric, mask_metric_problem
from fivefold.evaluation.metrics import compute as compute_of_images
from fivefold.evaluation.metrics import is_known


def is_metric(name: str, *, of_masks: bool) -> bool:
    """Say whether there is a metric of this name, of masks or of whole images.

    Whether a class of `iou_<class>` is one shows where the classes are known.
    """
    return find_mask_metric(name) is not None if of_masks else is_known(name)


def compute(
    found: Predictions | MaskScores, names: Sequence[str], *, prefix: str = ""
) -> dict[str, float]:
    """Compute metrics under the names that they were asked for.

    Args:
        found: For all samples that count: predictions with targets, or what masks have in common
            with the truth.
        names: Metrics of what was predicted, in any spelling.
        prefix: Put before each name, such as `val_`.

    Returns:
        Each name's value, and what belongs beside it: several heads each give `<head>_<name>`, of
        which the plain name is the mean. NaN where a number of masks is undefined.

    Raises:
        ConfigError: With every name that is no metric of these.
        DataError: If there are no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    if isinstance(found, Predictions):
        return compute_of_images(found, names, prefix=prefix)
    head = found.heads[0]
    problems = [p for p in (mask_metric_problem(name, head) for name in names) if p is not None]
    if problems:
        raise ConfigError(problems)
    components = [find_mask_metric(name, head) or mask_metrics.get(name) for name in names]
    return {
        f"{prefix}{name}": component.make(found)
        for name, component in zip(names, components, strict=True)
    }
