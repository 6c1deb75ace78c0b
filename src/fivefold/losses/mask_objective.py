"""From the loss that a config names to one number for a batch of masks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError
from fivefold.core.optional import late
from fivefold.core.types import Head
from fivefold.losses.each_pixel import of_each_pixel
from fivefold.losses.expression import parse_expression
from fivefold.losses.fitting import for_each
from fivefold.losses.mask_fitting import MASKS, check_mask_fit, check_mask_loss
from fivefold.losses.mask_losses import mask_losses
from fivefold.losses.mask_pixels import MaskPixels
from fivefold.losses.weights import HeadWeights

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:  # a config is checked without it
    torch, Tensor = late("torch"), Any

_Term: TypeAlias = tuple[float, Callable[[MaskPixels], Tensor]]


class MaskLoss(Protocol):
    """A loss of masks in which some images may count more than others."""

    def __call__(self, logits: Tensor, masks: Tensor, weights: Tensor | None = None) -> Tensor:
        """Compute it from logits [B, K, H, W], uint8 masks [B, P, H, W] and weights [B]."""


def build_mask_loss(
    texts: tuple[str, ...], head: Head, weights: Sequence[HeadWeights] = ()
) -> MaskLoss:
    """Make the function that training minimises where each pixel has a truth.

    Losses see what the head's activation makes of the logits, as for images as a whole
    (`build_loss`). What `IGNORED` marks has no part in any of them, and no gradient.

    Args:
        texts: One expression, or none: chosen by the activation.
        head: What the classes are; how masks are written follows from it (`MaskKind.of_head`).
        weights: Of its classes; none: all count the same.

    Returns:
        A function of logits [B, K, H, W], masks uint8 [B, P, H, W] and weights of images [B] or
        None; gives a scalar, the mean over the images of what each one's loss is by itself. An
        image of which no pixel counts has a loss of 0.

    Raises:
        ConfigError: If a text is no known loss, or does not fit the head.
    """
    problems = [problem for text in texts for problem in check_mask_loss(text)]
    problems = problems or check_mask_fit(texts, head)
    if problems:
        raise ConfigError(problems)
    terms = _terms(for_each(texts, [head])[0])
    of_classes = weights[0] if weights else None

    def objective(logits: Tensor, masks: Tensor, weights: Tensor | None = None) -> Tensor:
        pixels = MaskPixels(logits, masks, head, of_classes)
        values = torch.stack([weight * term(pixels) for weight, term in terms]).sum(dim=0)
        values = _of_counted(values, pixels)
        return (values if weights is None else values * weights).mean()

    return objective


def _of_counted(values: Tensor, pixels: MaskPixels) -> Tensor:
    """Put 0 for images of which no pixel counts [B]: some losses have a value there."""
    if pixels.counted is None:
        return values
    return torch.where(pixels.counted.any(dim=1)[:, 0], values, 0)


def _terms(text: str) -> list[_Term]:
    return [(term.weight, _term(term.name, term.options)) for term in parse_expression(text)]


def _term(name: str, written: Mapping[str, Any]) -> Callable[[MaskPixels], Tensor]:
    component: Component[Tensor] = MASKS.get(name)
    options, _ = component.check(written)
    if mask_losses.find(component.name) is component:
        return partial(component.make, **options)
    return partial(of_each_pixel, component, options)
