"""What one number over all pixels hides, in sentences with counts."""

from collections.abc import Iterator

import numpy as np

from fivefold.core.types import AnyArray
from fivefold.evaluation.mask_assessment import ClassMasks, MaskAssessment

_BELOW = 0.1  # between two means
_SHARE = 0.05  # of images
_FEWEST = 3  # images; fewer are chance


def weak_points(masks: MaskAssessment) -> list[str]:
    """Say what people should know before they trust the dice of all pixels.

    Large shapes decide a number over all pixels, so it may be high where small ones, or whole
    images, are wrong. Told are: a mean over images that is far below; images that show a class of
    which no pixel is found; and images without a class in which some is said to be. Of several
    classes that with the most such images is named; of exclusive ones the first has no part in it.

    Args:
        masks: Of any images.

    Returns:
        Sentences, the means first; none where nothing is notable.
    """
    return [*_by_image(masks), *_lost(masks), *_invented(masks)]


def _by_image(masks: MaskAssessment) -> Iterator[str]:
    first = "foreground_" if _first_class(masks) else ""
    pixels, images = (masks.headline.get(f"{first}{name}") for name in ("dice", "image_dice"))
    if pixels is None or images is None or not (pixels.is_defined and images.is_defined):
        return
    if pixels.value - images.value >= _BELOW:
        own = " of what is not background" if first else ""
        yield (
            f"Image by image it is worse: a mean dice{own} of {images.value:.3f}, "
            f"against {pixels.value:.3f} over all pixels together."
        )


def _lost(masks: MaskAssessment) -> Iterator[str]:
    scores = masks.scores
    lost = ((scores.true > 0) & (scores.hits == 0)).sum(axis=0)
    own, count = _worst(masks, lost)
    if _is_notable(count, own.images):
        yield (
            f"In {_of(count, own.images)} images with {own.name}, no pixel of it is found (IoU 0)"
            f"{_and_others(masks)}."
        )


def _invented(masks: MaskAssessment) -> Iterator[str]:
    own, count = _worst(masks, np.array([each.without - each.quiet for each in masks.classes]))
    if _is_notable(count, own.without):
        yield (
            f"In {_of(count, own.without)} images without {own.name}, some is found all the same"
            f"{_and_others(masks)}."
        )


def _worst(masks: MaskAssessment, counts: AnyArray) -> tuple[ClassMasks, int]:
    first = _first_class(masks)
    place = first + int(np.argmax(counts[first:]))
    return masks.classes[place], int(counts[place])


def _first_class(masks: MaskAssessment) -> int:
    """Of exclusive classes the first is the background."""
    return int(masks.head.activation == "softmax" and len(masks.classes) > 1)


def _and_others(masks: MaskAssessment) -> str:
    several = len(masks.classes) - _first_class(masks) > 1
    return "; of no other class in more" if several else ""


def _of(count: int, whole: int) -> str:
    return f"all {count:,}" if count == whole else f"{count:,} of {whole:,}"


def _is_notable(count: int, of: int) -> bool:
    return count >= _FEWEST and count >= _SHARE * of
