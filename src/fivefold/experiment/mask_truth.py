"""New images with masks for trained models: how good the models' masks are, at the images' size."""

from collections.abc import Iterator

import numpy as np

from fivefold.core.arguments import refuse_argument
from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.types import AnyArray, Head, Image
from fivefold.data import Source
from fivefold.data.image_problem import ImageProblem
from fivefold.evaluation.mask_assessment import MaskAssessment, assess_masks
from fivefold.evaluation.mask_counting import ImageCounts, scores_of_counts
from fivefold.experiment.new_truth import groups_among
from fivefold.experiment.predicted_masks import PredictedMasks


def refuse_tiles(tiles: float | bool) -> None:  # noqa: FBT001  the user's value
    """Refuse tiles where masks that were predicted in training are measured.

    Raises:
        ConfigError: If there are any.
    """
    if tiles is not False:
        refuse_argument("tiles", "none without new images", tiles)


def check_known_masks(head: Head, source: Source) -> AnyArray:
    """Make sure that models know all classes that masks may show, before they are predicted.

    Args:
        head: Of the models.
        source: With masks.

    Returns:
        Of each class of the source its number among those of the head [classes].

    Raises:
        DataError: If it has no masks, writes them in another way, or has classes that no model
            knows.
    """
    kind = source.masks
    if kind is None:
        msg = "expected images with masks, got none with a mask"
        raise DataError(msg, hint="`fivefold predict` needs none", slug="data/no-labels")
    own = MaskKind.of_head(head)
    names = source.labels[0].class_names
    if kind.exclusive != own.exclusive:
        ways = {True: "one class for every pixel", False: "a plane for each class"}
        msg = f"expected masks of {ways[own.exclusive]}, as trained on, got {ways[kind.exclusive]}"
        raise DataError(msg, slug="data/other-classes")
    if len(names) == head.num_classes == 1:
        return np.zeros(1, dtype=np.int64)
    unknown = [name for name in names if name not in head.class_names]
    if unknown:
        known = ", ".join(map(repr, head.class_names))
        msg = f"expected only classes that the model knows, {known}, got {unknown[0]!r} too"
        hint = did_you_mean(unknown[0], list(head.class_names), "name classes as in training")
        raise DataError(msg, hint=hint, slug="data/other-classes")
    return np.array([head.class_names.index(name) for name in names], dtype=np.int64)


def assess_new_masks(masks: PredictedMasks, source: Source, seed: int) -> MaskAssessment:
    """Assess the masks of a source's images, at their own size; groups are resampled as wholes.

    Args:
        masks: The models' of these images, by no thresholds but one half.
        source: With the truth.
        seed: Of the resampling.

    Raises:
        DataError: If the classes do not fit, a mask cannot be used, or no image could be read.
    """
    head, numbers = masks.head, check_known_masks(masks.head, source)
    found = scores_of_counts(head, _counted(masks, source, numbers))
    return assess_masks(found, groups=groups_among(source, found.ids), seed=seed)


def _counted(
    masks: PredictedMasks, source: Source, numbers: AnyArray
) -> Iterator[tuple[str, ImageCounts]]:
    places = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
    for one in masks:
        place = places[one.sample_id]
        truth = _truth(source, place, numbers, masks.head)
        if truth.shape[:2] != one.size:
            size, own = (f"{each[0]} x {each[1]}" for each in (one.size, truth.shape))
            name = source.name_of(place)
            msg = f"{name}: expected a mask of {size} pixels, as its image, got {own}"
            raise DataError(msg, slug="data/image")
        counts, top = ImageCounts(masks.head), 0
        for probs in one.probs.strips():
            counts.add(probs, truth[top : top + len(probs)])
            top += len(probs)
        yield one.sample_id, counts


def _truth(source: Source, place: int, numbers: AnyArray, head: Head) -> Image:
    """Read a mask in the columns of the head."""
    try:
        mask = source.mask(place)
    except ImageProblem as problem:
        msg = f"{source.name_of(place)}: expected a mask, got {problem.reason}: {problem.detail}"
        raise DataError(msg, slug="data/image") from problem
    if head.activation == "softmax":
        table = np.full(256, IGNORED, dtype=np.uint8)
        table[: len(numbers)] = numbers
        found: Image = table[mask]
        return found
    planes = np.zeros((*mask.shape[:2], head.num_classes), dtype=np.uint8)
    planes[..., numbers] = mask
    return planes
