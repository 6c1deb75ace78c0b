"""Do losses and weights of classes fit the heads? All that can be said before training."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fivefold.core.catalog import At, Catalog, Component, nowhere
from fivefold.core.errors import Problem, did_you_mean
from fivefold.core.types import Activation, Head
from fivefold.losses.classification import losses
from fivefold.losses.expression import ExpressionError, parse_expression
from fivefold.losses.weights import OFF, Balance

Where: TypeAlias = Callable[[str], str]
"""Says where a key stands: "config.yaml:14:7"."""

BY_ACTIVATION: Mapping[Activation, str] = {
    "softmax": "categorical_crossentropy",
    "sigmoid": "binary_crossentropy",
}
"""The loss of a head for which the config names none."""

_A_METRIC = "it is a metric that is better when it is higher; "
REFUSED: Mapping[str, str] = {
    "macro_f1": _A_METRIC + "write `f1_loss`",
    "matthews_correlation": _A_METRIC + "write `f1_loss`",
    "dice": _A_METRIC + "write `dice_loss`",
    "iou": _A_METRIC + "write `jaccard_loss`",
    "iou_coef": _A_METRIC + "write `jaccard_loss`",
    "iot": _A_METRIC + "write `jaccard_loss`",
    "crf_loss": "it labels the words of a text",
    "crf_nll": "it labels the words of a text",
    "regression": "it belongs to gradient boosting",
    "multiclass": "it belongs to gradient boosting; write `categorical_crossentropy`",
}
"""Musket's names that nothing can be trained with, and why."""


@dataclass(frozen=True)
class Scope:
    """What losses are taken over.

    Attributes:
        catalogs: Where their names are looked up, the first one first.
        one: What has an answer of its own.
        got: What a loss has one number for, by its fact `gives`, if for more than one answer.
    """

    catalogs: tuple[Catalog[Any], ...]
    one: str
    got: Mapping[str, str]

    def catalog_of(self, name: str) -> Catalog[Any]:
        """Say which catalog has a name; of a name that none has, the last."""
        found = (catalog for catalog in self.catalogs if catalog.find(name) is not None)
        return next(found, self.catalogs[-1])

    def get(self, name: str) -> Component[Any]:
        """Look up a name that must exist."""
        return self.catalog_of(name).get(name)


IMAGES = Scope(
    (losses,), "sample", {"": "one for a whole batch", "sample": "one for a whole sample"}
)


def check_loss(
    text: str, at: At = nowhere, key: str = "loss", scope: Scope = IMAGES
) -> list[Problem]:
    """Find what is wrong with one expression: its form, its names, their options."""
    try:
        terms = parse_expression(text)
    except ExpressionError as error:
        return [Problem("config/bad-value", at(), f"{key}: {error}")]
    problems = []
    for term in terms:
        reason = REFUSED.get(term.name.casefold())
        if reason and losses.find(term.name) is None:
            message = f"{key}: expected a loss to train with, got {term.name!r}"
            problems.append(Problem("config/refused-loss", at(), message, reason))
        else:
            problems += scope.catalog_of(term.name).problems(term.name, term.options, at, key)
    return problems


def weigh_nothing(texts: Sequence[str]) -> bool:
    """Say whether losses, right by themselves, leave nothing to learn: all their terms count 0."""
    terms = [term for text in texts for term in parse_expression(text)]
    return bool(terms) and not any(term.weight for term in terms)


def check_fit(
    texts: Sequence[str],
    heads: Sequence[Head],
    balance: Balance | None = None,
    where: Where = nowhere,
    scope: Scope = IMAGES,
) -> list[Problem]:
    """Find losses that no head can have, and weights that a loss or a head cannot.

    Args:
        texts: Right by themselves: one for each head, one for all, or none.
        heads: Of the model.
        balance: What the classes are to weigh.
        where: Says where `loss`, `class_weights` and `pos_weight` stand.
        scope: What the losses are taken over.
    """
    problems = list(_of_heads(texts, heads, where))
    if problems:
        return problems
    balance = balance or Balance()
    problems += _unknown_weights(balance, heads, where)
    for text, head in zip(for_each(texts, heads), heads, strict=True):
        for term in parse_expression(text):
            facts = scope.get(term.name).facts
            problems += _classes_problems(term.name, facts, head, where)
            if _is_weighted(balance, head):
                key = _key_of(balance)
                problems += _unweighted(term.name, (scope, facts), head, where, key)
    return list(dict.fromkeys(problems))


def check_sample_weights(
    texts: Sequence[str], heads: Sequence[Head], where: Where = nowhere
) -> list[Problem]:
    """Find losses of a whole batch, in which no sample can count more than another.

    Args:
        texts: As for `check_fit`, which has found nothing.
        heads: Of the model.
        where: Says where `loss` stands.
    """
    problems = []
    for text, head in zip(for_each(texts, heads), heads, strict=True):
        for term in parse_expression(text):
            if not losses.get(term.name).facts.get("gives"):
                message = (
                    "loss: expected one with a number for each sample, since the data weigh them, "
                    f"got {term.name!r}, which has one for a whole batch"
                )
                instead = BY_ACTIVATION.get(head.activation, "mse")
                hint = f"`{instead}` has one; or leave out `weight_column`"
                problems.append(Problem("config/sample-weights", where("loss"), message, hint))
    return list(dict.fromkeys(problems))


def for_each(texts: Sequence[str], heads: Sequence[Head]) -> list[str]:
    """Give every head its loss: its own, that of all, or the one of its activation."""
    if not texts:
        return [BY_ACTIVATION[head.activation] for head in heads]
    return list(texts) if len(texts) > 1 else [texts[0]] * len(heads)


def _of_heads(texts: Sequence[str], heads: Sequence[Head], where: Where) -> Iterator[Problem]:
    if len(texts) not in (0, 1, len(heads)):
        wanted = (
            f"1 or {len(heads)} (one for each head)" if len(heads) > 1 else "1 for the one head"
        )
        message = f"loss: expected {wanted}, got {len(texts)}"
        yield Problem("config/loss-count", where("loss"), message)
    for head in heads:
        if head.activation == "softmax" and head.num_classes == 1:
            only = repr(head.class_names[0])
            message = f"activation: expected 'sigmoid' for the only class {only}, got 'softmax'"
            hint = "a softmax over one class is always 1, so there is nothing to learn"
            yield Problem("config/one-class-softmax", where("activation"), message, hint)
        if head.activation not in BY_ACTIVATION and not texts:
            message = f"loss: required for a head with activation {head.activation!r}, but not set"
            yield Problem("config/missing-key", where("loss"), message)


def _classes_problems(
    name: str, facts: Mapping[str, Any], head: Head, where: Where
) -> Iterator[Problem]:
    count = head.num_classes
    most, fewest = facts.get("max_classes", count), facts.get("min_classes", count)
    if fewest <= count <= most:
        return
    at_most = "1 class" if most == 1 else f"at most {most} classes"
    wanted = f"at least {fewest} classes" if count < fewest else at_most
    hint = "`f1_loss` and `jaccard_loss` take any number of classes"
    if count < fewest:
        hint = "it is the same whatever the only class gets; write `binary_crossentropy`"
    message = f"loss: {name}: expected a head with {wanted}, got {count}"
    yield Problem("config/loss-classes", where("loss"), message, hint)


def _is_weighted(balance: Balance, head: Head) -> bool:
    if balance.class_weights not in (OFF, {}):
        return True
    return balance.pos_weight != 1 and head.activation == "sigmoid"


def _key_of(balance: Balance) -> str:
    return "pos_weight" if balance.class_weights in (OFF, {}) else "class_weights"


def _unweighted(
    name: str, known: tuple[Scope, Mapping[str, Any]], head: Head, where: Where, key: str
) -> Iterator[Problem]:
    scope, facts = known
    gives = facts.get("gives", "")
    fits = ("class",) if head.activation == "sigmoid" else ("class", "sample")
    if gives in fits:
        return
    each = f"each class of a {scope.one}" if head.activation == "sigmoid" else f"each {scope.one}"
    got = f"{name!r}, which has {scope.got[gives]}"
    message = f"{key}: expected a loss with a number for {each}, got {got}"
    instead = BY_ACTIVATION.get(head.activation, "categorical_crossentropy")
    hint = f"`fivefold list losses` names all; `{instead}` has one"
    yield Problem("config/class-weights", where(key), message, hint)


def _unknown_weights(balance: Balance, heads: Sequence[Head], where: Where) -> Iterator[Problem]:
    yield from _unknown_names("class_weights", balance.class_weights, heads, where)
    sigmoids = [head for head in heads if head.activation == "sigmoid"]
    wanted = balance.pos_weight
    if wanted != 1 and not sigmoids:
        found = ", ".join(dict.fromkeys(repr(head.activation) for head in heads))
        message = f"pos_weight: expected a head with activation 'sigmoid', got {found}"
        hint = "a softmax head has no false answers to weigh against; use `class_weights`"
        yield Problem("config/class-weights", where("pos_weight"), message, hint)
        return
    yield from _unknown_names("pos_weight", wanted, sigmoids, where)
    for head in sigmoids if isinstance(wanted, tuple) else ():
        if isinstance(wanted, tuple) and len(wanted) != head.num_classes:
            message = (
                f"pos_weight: expected {head.num_classes} numbers, one for each class, "
                f"got {len(wanted)}"
            )
            hint = "a mapping from class names to numbers may leave classes out"
            yield Problem("config/class-weights", where("pos_weight"), message, hint)
    for head in heads if balance.class_weights not in (OFF, {}) else ():
        if head.activation == "linear":
            message = "class_weights: expected activation 'softmax' or 'sigmoid', got 'none'"
            yield Problem("config/class-weights", where("class_weights"), message)


def _unknown_names(
    key: str, weights: object, heads: Iterable[Head], where: Where
) -> Iterator[Problem]:
    known = [name for head in heads for name in head.class_names]
    for name in weights if isinstance(weights, Mapping) else ():
        if name not in known:
            message = f"{key}: expected the name of a class, got {name!r}"
            hint = did_you_mean(name, known, f"the classes are {', '.join(known[:8])}")
            yield Problem("config/class-weights", where(key), message, hint)
