"""What thresholds and smallest parts a run of masks has chosen, and what they are worth."""

import math
from typing import TYPE_CHECKING

from fivefold.cli.console import show, show_pairs, show_table
from fivefold.core.digits import few_digits
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.experiment.decisions import Decisions

_CHOSEN = ("thresholds", "smallest parts")
_SHOWN = ("dice", "iou", "image_dice", "image_specificity")


def show_decided_masks(folder: RunFolder, *, measure: bool) -> None:
    """Put out what was chosen, and the numbers with it beside those without.

    Args:
        folder: A finished experiment; nothing is put out where it changes no masks.
        measure: Whether to measure too, which reads all maps.

    Raises:
        StateError: If a file is damaged.
    """
    if not folder.decisions_path.exists():
        return
    from fivefold.experiment.applying import decision_rows
    from fivefold.experiment.decisions import read_decisions

    decisions = read_decisions(folder)
    if decisions.wishes.counted_at is None or decisions.wishes.changes_nothing:
        return
    show("")
    show_pairs([row for row in decision_rows(decisions) if row[0] in _CHOSEN])
    if measure:
        _show_change(folder, decisions)
    show("")


def _show_change(folder: RunFolder, decisions: "Decisions") -> None:
    from fivefold.experiment.mask_decided import change_by_decisions

    found = change_by_decisions(folder, decisions, Terminal())
    names = [f"foreground_{n}" if f"foreground_{n}" in found else n for n in _SHOWN]
    known = {name: found[name] for name in names if name in found}
    rows = [
        [name, *("-" if math.isnan(value) else few_digits(value) for value in pair)]
        for name, pair in known.items()
    ]
    if rows:
        own = "\nchosen on other folds" if decisions.without else ""
        show_table(["out of fold", "without these", f"with these{own}"], rows)
