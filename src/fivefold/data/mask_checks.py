"""Whether a mask says something about each pixel of its image, in the classes that there are."""

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind, counts_of, histogram
from fivefold.core.types import Image, Indices
from fivefold.data.decode import Decoded
from fivefold.data.image_problem import ImageProblem, Reason


def mask_of(decoded: Decoded, kind: MaskKind) -> Image:
    """Give the mask [h, w, P] that was decoded beside an image; see `counted_mask`."""
    return counted_mask(decoded, kind)[0]


def counted_mask(decoded: Decoded, kind: MaskKind) -> tuple[Image, Indices]:
    """Give the mask [h, w, P] that was decoded beside an image, and the pixels of each class [C].

    Raises:
        ImageProblem: If there is none, or it is no mask of that image in those classes.
    """
    mask = decoded.mask
    if mask is None:
        raise ImageProblem(Reason.NO_MASK, "the data set gives no mask for this image")
    size = (decoded.height, decoded.width)
    if mask.shape[:2] != size:
        raise wrong_size(mask.shape[:2], size)
    if mask.ndim != 3 or mask.shape[2] != kind.planes or mask.dtype != np.uint8:
        wanted = f"uint8 of shape {(*size, kind.planes)}"
        detail = f"expected a mask of {wanted}, got {mask.dtype} of shape {mask.shape}"
        raise ImageProblem(Reason.MASK_VALUES, detail)
    return mask, check_values(mask, kind)


def check_values(mask: Image, kind: MaskKind) -> Indices:
    """Count the pixels of each class [classes] in a mask [H, W, P] that holds nothing else.

    Raises:
        ImageProblem: If it holds other values.
    """
    counts = counts_of(mask, kind)
    others = np.count_nonzero(mask == IGNORED)
    others += 0 if kind.exclusive else np.count_nonzero(mask == 0)
    if counts.sum() + others != mask.size:
        raise _wrong_values(mask, kind)
    return counts


def _wrong_values(mask: Image, kind: MaskKind) -> ImageProblem:
    found = histogram(mask)
    last = kind.num_classes - 1 if kind.exclusive else 1
    wrong = [value for value in np.flatnonzero(found).tolist() if last < value != IGNORED]
    what = f"classes 0 to {last}" if kind.exclusive else "0 or 1"
    values = ", ".join(map(str, wrong[:5])) + ", …" * (len(wrong) > 5)
    pixels = int(found[wrong].sum())
    detail = f"expected {what} or {IGNORED} for what is ignored, got {values} ({pixels} pixels)"
    return ImageProblem(Reason.MASK_VALUES, detail)


def wrong_size(mask: tuple[int, ...], image: tuple[int, int], where: str = "") -> ImageProblem:
    """Word the problem of a mask whose height and width are not its image's.

    Args:
        mask: Height and width of the mask.
        image: Of its image.
        where: What the detail begins with, such as the mask's path.
    """
    detail = f"expected the height and width of the image, {image[0]} x {image[1]}, got a mask of "
    return ImageProblem(Reason.MASK_SIZE, f"{where}{detail}{mask[0]} x {mask[1]}")


def empty_masks(where: str, count: int) -> DataError:
    """Word the error of masks none of which shows anything.

    Args:
        where: What the message begins with.
        count: How many there are.
    """
    msg = f"{where}: expected masks that show something, got {count:,} that are all empty"
    hint = "there is nothing to learn; check the masks, or `mask_classes`"
    return DataError(msg, hint=hint, slug="data/empty-masks")
