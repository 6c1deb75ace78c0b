"""From the logits of a batch to what its masks have in common with the truth.

Sums are of whole numbers: probabilities are rounded to 2^-24, which is their own precision near
one, and logarithms likewise. So neither the order of images nor how they are put into batches can
change a sum (but of an image whose logarithms add up to 2^29, the last digits).
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.types import AnyArray, Head

_UNIT = 2.0**24
_CELLS = 2**25  # probabilities looked at together where images are not taken one by one
_WHOLE = ("hits", "said", "true", "pixels")


def measured(logits: Tensor, masks: Tensor, head: Head) -> dict[str, AnyArray]:
    """Count what the masks of B images have in common with the truth.

    Args:
        logits: Of a segmenter [B, K, H, W].
        masks: uint8 [B, P, H, W]; see `core.masks`. A pixel that any plane ignores does not count.
        head: What the K classes are.

    Returns:
        The arrays of `MaskScores` by their names, on the CPU: `hits`, `said`, `true` int64 [B, K],
        `pixels` int64 [B], `soft_hits`, `soft_said` float64 [B, K], `log_losses` float64 [B].
    """
    with torch.no_grad():
        parts = [_counted(*part, head) for part in _parts(logits.detach(), masks)]
        found = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        return _on_cpu(found)


def _parts(logits: Tensor, masks: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Give some images at a time: on a CPU one, whose pixels stay in its cache."""
    at_once = 1 if logits.device.type == "cpu" else max(1, _CELLS // logits[0].numel())
    for start in range(0, len(logits), at_once):
        chosen = slice(start, start + at_once)
        yield logits[chosen], masks[chosen]


def _counted(logits: Tensor, masks: Tensor, head: Head) -> dict[str, Tensor]:
    """Count in images of which everything fits into memory."""
    # pixels of a class side by side: of few classes that is many times as fast
    logits = logits.float().contiguous()
    counted = (masks != IGNORED).all(dim=1, keepdim=True)
    shows = _shown(masks, counted, head)
    said = _said(logits, head) & counted
    probs, lost = _answered(logits, masks, shows, head)
    pixels = counted.sum(dim=(1, 2, 3))
    over = pixels.clamp(min=1).double() * (lost.shape[1] * _UNIT)
    # products, since torch takes ten times as long to choose
    return {
        "hits": (said & shows).sum(dim=(2, 3)),
        "said": said.sum(dim=(2, 3)),
        "true": shows.sum(dim=(2, 3)),
        "pixels": pixels,
        "soft_hits": _total(probs * shows, (2, 3)) / _UNIT,
        "soft_said": _total(probs * counted, (2, 3)) / _UNIT,
        "log_losses": _total(lost * counted, (1, 2, 3)) / over,
    }


def _shown(masks: Tensor, counted: Tensor, head: Head) -> Tensor:
    """Say where each class is true, bool [B, K, H, W]."""
    if not MaskKind.of_head(head).exclusive:
        return (masks == 1) & counted
    return masks == _numbers(head, masks)


def _said(logits: Tensor, head: Head) -> Tensor:
    """Say where each class is answered, bool [B, K, H, W]; of equal classes the first is."""
    if head.activation == "softmax":
        # To compare with the highest is five times as fast, but of equal classes says each.
        if logits.device.type == "cpu":
            said = logits == logits.amax(dim=1, keepdim=True)
            if int(said.sum()) == logits[:, 0].numel():
                return said
        best = logits.max(dim=1, keepdim=True).indices
        return best.to(torch.uint8) == _numbers(head, logits)
    # The logit is compared, whose probability may round to one half.
    return logits > (0 if head.activation == "sigmoid" else 0.5)


def _numbers(head: Head, like: Tensor) -> Tensor:
    numbers = torch.arange(head.num_classes, dtype=torch.uint8, device=like.device)
    return numbers[:, None, None]


def _answered(logits: Tensor, masks: Tensor, shows: Tensor, head: Head) -> tuple[Tensor, Tensor]:
    """Give probabilities [B, K, H, W] and minus the logarithms of what the truth was given."""
    if head.activation == "softmax":
        log_probs = logits.log_softmax(dim=1)
        known = masks.masked_fill(masks == IGNORED, 0).long()
        return log_probs.exp(), -log_probs.gather(1, known)
    truth = shows.to(logits.dtype)
    if head.activation == "sigmoid":
        lost = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        return logits.sigmoid(), lost
    probs = logits.clamp(0, 1)
    return probs, functional.binary_cross_entropy(probs, truth, reduction="none")


def _total(values: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Add up values in units of 2^-24, exactly."""
    return (values * _UNIT).round_().sum(dim=dims, dtype=torch.float64)


def _on_cpu(found: Mapping[str, Tensor]) -> dict[str, AnyArray]:
    """Bring everything to the CPU at one time."""
    columns = [
        values.double().flatten(1) if values.ndim > 1 else values.double()[:, None]
        for values in found.values()
    ]
    together = torch.cat(columns, dim=1).cpu().numpy()
    edges = np.cumsum([column.shape[1] for column in columns])[:-1]
    arrays: dict[str, AnyArray] = {}
    for (name, values), part in zip(found.items(), np.split(together, edges, axis=1), strict=True):
        kind = np.int64 if name in _WHOLE else np.float64
        arrays[name] = np.ascontiguousarray(part if values.ndim > 1 else part[:, 0], dtype=kind)
    return arrays
