"""The audit's reasons in plain words, with the first samples that they concern."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

ASKED_RULES = frozenset({"filtered", "not-taken", "corrections"})
"""Rules by which the user leaves samples out."""
QUIET_RULES = frozenset({"hidden", "system-file"}) | ASKED_RULES
"""These, and rules that leave out what no one takes for an image."""
TOLD_RULES = frozenset({"no-mask", "mask-without-image"})
"""Rules of which a source itself tells what they leave out."""

_WORDS = {
    "empty": "empty",
    "missing": "missing",
    "unreadable": "not readable",
    "too_large": "too large",
    "not_regular_file": "not a regular file",
    "format_not_allowed": "not an image",
    "too_many_pixels": "with too many pixels",
    "truncated": "cut off",
    "decode_error": "damaged",
    "box_outside": "box outside of its image",
    "small-box": "box too small",
    "no-box": "label without a box",
    "mask_not_drawn": "with a mask that cannot be drawn",
    "no-mask": "without a mask",
    "mask-without-image": "masks without an image",
    "no_mask": "without a mask",
    "mask_unreadable": "with an unreadable mask",
    "mask_size": "with a mask of another size",
    "mask_values": "with a mask of unknown values",
    "mask_colours": "with a mask of unknown colours",
    "dataset_error": "refused by the data set's code",
    "label_conflict": "same image with different labels",
    "hidden": "hidden",
    "system-file": "of the operating system",
    "link-to-folder": "link to a folder",
    "not-an-image-name": "not an image by its name",
    "outside-class-folders": "outside the class folders",
    "no-id": "row without an image",
    "no-label": "without a label",
    "repeated-row": "repeated row",
    "no-image": "without an image",
    "damaged-label": "with a damaged label",
    "damaged-shard": "tar file damaged or cut off",
    "filtered": "left out by a filter",
    "not-taken": "beyond those that were taken",
    "corrections": "left out by corrections",
}
_SHOWN = 3


def words_for(reason: str) -> str:
    """Say a reason in plain words."""
    return _WORDS.get(reason, reason)


def counted(counts: Mapping[str, int]) -> str:
    """Word how many samples each reason concerns: "1 empty, 2 cut off"."""
    return ", ".join(f"{counts[reason]} {words_for(reason)}" for reason in sorted(counts))


def first_of(ids: Sequence[str]) -> str:
    """Name the first three ids."""
    shown = ", ".join(map(repr, ids[:_SHOWN]))
    return f"such as {shown}, …" if len(ids) > _SHOWN else f"namely {shown}"


def by_reason(pairs: Iterable[tuple[str, str]]) -> Counter[str]:
    """Count samples by reason, from pairs of an id and its reason."""
    return Counter(reason for _, reason in pairs)


def left_out(excluded: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Word a warning about what rules have left out, unless nobody takes it for an image.

    Args:
        excluded: Ids, each with its rule.
    """
    loud = [pair for pair in excluded if pair[1] not in QUIET_RULES | TOLD_RULES]
    if loud:
        yield f"left out: {counted(by_reason(loud))}; {first_of([name for name, _ in loud])}"
