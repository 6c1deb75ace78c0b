"""From the losses that a config names, one for each head, to one number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from fivefold.core.errors import ConfigError
from fivefold.core.optional import late
from fivefold.core.types import Activation, Head, head_slices
from fivefold.losses.classification import losses
from fivefold.losses.expression import parse_expression
from fivefold.losses.fitting import check_fit, check_loss, for_each
from fivefold.losses.weights import HeadWeights

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Parameter, functional
else:  # a config is checked without them
    torch, functional, Tensor = late("torch"), late("torch.nn.functional"), Any
    Parameter = Any

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]


class WeightedLoss(Protocol):
    """A loss in which some samples may count more than others."""

    def __call__(self, logits: Tensor, targets: Tensor, /, weights: Tensor | None = None) -> Tensor:
        """Compute it from logits and targets [N, C] and, if they differ, weights [N].

        Where there are masks, they stand for the targets: see `build_mask_loss`.
        """


@dataclass(frozen=True)
class _Part:
    """One term of one head's loss."""

    columns: slice
    weight: float
    loss: Loss
    adapt: Callable[[Tensor], Tensor] | None
    classes: HeadWeights | None


def build_loss(
    texts: tuple[str, ...],
    heads: tuple[Head, ...],
    weights: Sequence[HeadWeights] = (),
) -> WeightedLoss:
    """Make the function that training minimises: the sum of the heads' losses.

    Where a loss expects something else than a head gives, it gets the logits or probabilities that
    mean the same, so that it sees what Keras would show it. A `linear` head's outputs are used as
    they are.

    Args:
        texts: One expression for each head, one for all, or none: chosen by the activation.
        heads: What the columns mean.
        weights: Of each head's classes; none: all count the same.

    Returns:
        A function of logits and targets, all heads' columns side by side [N, C]; gives a scalar,
        the mean over the samples. With weights of samples [N], each one's loss is multiplied by its
        own before the mean over all N is taken, as in Keras.

    Raises:
        ConfigError: If a text is no known loss, or does not fit the heads.
    """
    problems = [problem for text in texts for problem in check_loss(text)]
    problems = problems or check_fit(texts, heads)
    if problems:
        raise ConfigError(problems)
    return _sum_of([part for parts in _parts_of_heads(texts, heads, weights) for part in parts])


def build_head_losses(texts: tuple[str, ...], heads: tuple[Head, ...]) -> dict[str, Loss]:
    """Make the loss of each head by its name, as Keras shows them; of a single one there is none.

    Args:
        texts: As for `build_loss`, which has taken them.
        heads: What the columns mean.

    Returns:
        Functions of the logits and targets of all heads.
    """
    parts = zip(heads, _parts_of_heads(texts, heads, ()), strict=True)
    return {head.name: _sum_of(own) for head, own in parts} if len(heads) > 1 else {}


def _parts_of_heads(
    texts: tuple[str, ...], heads: tuple[Head, ...], weights: Sequence[HeadWeights]
) -> list[list[_Part]]:
    of_heads = zip(for_each(texts, heads), heads, head_slices(heads), strict=True)
    return [
        _parts(text, head, columns, weights[i] if weights else None)
        for i, (text, head, columns) in enumerate(of_heads)
    ]


def _sum_of(parts: Sequence[_Part]) -> WeightedLoss:
    def objective(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        terms = []
        for part in parts:
            seen, truth = logits[:, part.columns], targets[:, part.columns]
            adapted = part.adapt(seen) if part.adapt else seen
            value = part.loss(adapted, truth)
            if part.classes:
                value = weighted(value, truth, part.classes)
            if weights is not None:
                value = value * (weights if value.ndim == 1 else weights.unsqueeze(1))
            terms.append(part.weight * value.mean())
        return torch.stack(terms).sum()

    return objective


def with_penalty(
    loss: WeightedLoss, named_parameters: Iterable[tuple[str, Parameter]], l1: float, l2: float
) -> WeightedLoss:
    """Add l1 times the sum of |w| and l2 times the sum of w^2 to a loss, as Keras's regularisers.

    Args:
        loss: Of logits, targets and weights of samples.
        named_parameters: As `model.named_parameters()` gives them. Biases, the scales and shifts of
            normalisation, and what is frozen have no part in it.
        l1: At least 0.
        l2: At least 0; both 0: the loss as it is.
    """
    kept = [
        p for n, p in named_parameters if p.requires_grad and p.ndim > 1 and not n.endswith("bias")
    ]
    if not kept or not (l1 or l2):
        return loss

    def penalised(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        total = loss(logits, targets) if weights is None else loss(logits, targets, weights)
        if l1:
            total = total + l1 * torch.stack([w.abs().sum() for w in kept]).sum()
        if l2:
            total = total + l2 * torch.stack([w.square().sum() for w in kept]).sum()
        return total

    return penalised


def weighted(values: Tensor, truth: Tensor, weights: HeadWeights) -> Tensor:
    """Multiply a loss [N] or [N, C] by the weights of the classes that are true [N, C]."""
    true = truth.new_tensor(weights.true)
    if weights.false:
        return values * (truth * true + (1 - truth) * truth.new_tensor(weights.false))
    of_samples = truth @ true
    return values * (of_samples if values.ndim == 1 else of_samples.unsqueeze(1))


def _parts(text: str, head: Head, columns: slice, weights: HeadWeights | None) -> list[_Part]:
    parts = []
    for term in parse_expression(text):
        component = losses.get(term.name)
        options, _ = component.check(term.options)
        adapt = adapter(head.activation, component.facts)
        made = partial(component.make, **options)
        parts.append(_Part(columns, term.weight, made, adapt, weights))
    return parts


def adapter(given: Activation, facts: Mapping[str, Any]) -> Callable[[Tensor], Tensor] | None:
    """Give what makes of a head's outputs [N, C] what a loss with these facts expects, if any."""
    return {
        ("softmax", "sigmoid"): log_odds_of_softmax,
        ("sigmoid", "softmax"): _log_sigmoid,
        ("softmax", "probabilities"): _softmax,
        ("sigmoid", "probabilities"): _sigmoid,
    }.get((given, facts.get("inputs", given)))


def _softmax(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(dim=1)


def _log_sigmoid(logits: Tensor) -> Tensor:
    return functional.logsigmoid(logits.to(torch.promote_types(logits.dtype, torch.float32)))


def _sigmoid(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).sigmoid()


def log_odds_of_softmax(logits: Tensor) -> Tensor:
    """Turn softmax logits into the sigmoid logits of the same probabilities [N, C], C at least 2.

    log(p / (1 - p)) of class i is its logit minus the log-sum-exp of all others'.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    log_probs = functional.log_softmax(logits, dim=-1)
    top = logits.argmax(dim=-1, keepdim=True)
    # Every other class has p <= 1/2, where log(1 - p) is exact; the bound keeps the top's unused
    # value, which may be log(0), out of the gradient.
    bounded = log_probs.clamp(max=-0.5)
    odds = bounded - torch.log(-torch.expm1(bounded))
    others = logits.scatter(-1, top, -torch.inf).logsumexp(dim=-1, keepdim=True)
    return odds.scatter(-1, top, logits.gather(-1, top) - others)
