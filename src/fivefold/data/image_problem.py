"""What is wrong with one image."""

from enum import StrEnum

from fivefold.core.errors import DataError


class Reason(StrEnum):
    """Why one image cannot be used."""

    EMPTY = "empty"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_REGULAR_FILE = "not_regular_file"
    FORMAT_NOT_ALLOWED = "format_not_allowed"
    TOO_MANY_PIXELS = "too_many_pixels"
    TRUNCATED = "truncated"
    DECODE_ERROR = "decode_error"
    OUTSIDE = "box_outside"  # what is to be cut out of an image
    BAD_MASK = "mask_not_drawn"  # runs or polygons that are damaged or leave the image
    NO_MASK = "no_mask"
    MASK_UNREADABLE = "mask_unreadable"
    MASK_SIZE = "mask_size"  # another height or width than its image has
    MASK_VALUES = "mask_values"  # values that stand for no class
    MASK_COLOURS = "mask_colours"  # where numbers of classes are expected
    DATASET_ERROR = "dataset_error"  # what the code of a Python data set raised


class ImageProblem(DataError):  # noqa: N818  a fact about one sample; the audit goes on
    """One image cannot be used.

    Attributes:
        reason: The kind of problem.
        detail: What exactly was met.
    """

    default_slug = "data/image"

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"expected a readable image, got {reason}: {detail}")
