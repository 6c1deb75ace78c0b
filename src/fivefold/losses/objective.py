"""From the losses that a config names, one for each head, to one number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from fivefold.core.catalog import At, nowhere
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.optional import late
from fivefold.core.types import Activation, Head, head_slices
from fivefold.losses.classification import losses
from fivefold.losses.expression import ExpressionError, parse_expression

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:  # a config is checked without them
    torch, functional, Tensor = late("torch"), late("torch.nn.functional"), Any

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_BY_ACTIVATION: Mapping[Activation, str] = {
    "softmax": "categorical_crossentropy",
    "sigmoid": "binary_crossentropy",
}


@dataclass(frozen=True)
class _Part:
    """One term of one head's loss."""

    columns: slice
    weight: float
    loss: Loss
    adapt: Callable[[Tensor], Tensor] | None


def build_loss(texts: tuple[str, ...], heads: tuple[Head, ...]) -> Loss:
    """Make the function that training minimises: the sum of the heads' losses.

    Where a loss expects logits of another kind than a head gives, it gets the logits whose
    probabilities are the head's, so that it sees what Keras would show it. A `linear` head's
    outputs are used as they are.

    Args:
        texts: One expression for each head, one for all, or none: chosen by the activation.
        heads: What the columns mean.

    Returns:
        A function of logits and targets, all heads' columns side by side [N, C]; gives a scalar.

    Raises:
        ConfigError: If a text is no known loss, or does not fit the heads.
    """
    problems = _problems_of(texts, heads)
    if problems:
        raise ConfigError(problems)
    if not texts:
        texts = tuple(_BY_ACTIVATION[head.activation] for head in heads)
    elif len(texts) == 1:
        texts = texts * len(heads)
    parts = [
        part
        for text, head, columns in zip(texts, heads, head_slices(heads), strict=True)
        for part in _parts(text, head, columns)
    ]

    def objective(logits: Tensor, targets: Tensor) -> Tensor:
        terms = []
        for part in parts:
            seen = logits[:, part.columns]
            adapted = part.adapt(seen) if part.adapt else seen
            terms.append(part.weight * part.loss(adapted, targets[:, part.columns]))
        return torch.stack(terms).sum()

    return objective


def check_loss(text: str, at: At = nowhere, key: str = "loss") -> list[Problem]:
    """Find what is wrong with one expression: its form, its names, their options."""
    try:
        terms = parse_expression(text)
    except ExpressionError as error:
        return [Problem("config/bad-value", at(), f"{key}: {error}")]
    return [
        problem for term in terms for problem in losses.problems(term.name, term.options, at, key)
    ]


def _problems_of(texts: tuple[str, ...], heads: tuple[Head, ...]) -> list[Problem]:
    problems = [problem for text in texts for problem in check_loss(text)]
    if len(texts) not in (0, 1, len(heads)):
        message = f"loss: expected 1 or {len(heads)} (one for each head), got {len(texts)}"
        problems.append(Problem("config/loss-count", "", message))
    for head in heads:
        if head.activation == "softmax" and head.num_classes == 1:
            only = repr(head.class_names[0])
            message = f"activation: expected 'sigmoid' for the only class {only}, got 'softmax'"
            hint = "a softmax over one class is always 1, so there is nothing to learn"
            problems.append(Problem("config/one-class-softmax", "", message, hint))
        if head.activation not in _BY_ACTIVATION and not texts:
            message = f"loss: required for a head with activation {head.activation!r}, but not set"
            problems.append(Problem("config/missing-key", "", message))
    return problems


def _parts(text: str, head: Head, columns: slice) -> list[_Part]:
    parts = []
    for term in parse_expression(text):
        component = losses.get(term.name)
        options, _ = component.check(term.options)
        adapt = _adapter(head.activation, component.facts)
        parts.append(_Part(columns, term.weight, partial(component.make, **options), adapt))
    return parts


def _adapter(given: Activation, facts: Mapping[str, Any]) -> Callable[[Tensor], Tensor] | None:
    return {
        ("softmax", "sigmoid"): log_odds_of_softmax,
        ("sigmoid", "softmax"): functional.logsigmoid,
    }.get((given, facts.get("inputs", given)))


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
