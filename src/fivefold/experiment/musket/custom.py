"""Musket's ways to add parts of one's own: a dictionary, decorators, and Keras's registry."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import update_wrapper
from inspect import Parameter, Signature, signature, unwrap
from types import SimpleNamespace
from typing import Any, NoReturn, TypeAlias, TypeVar

from fivefold.core.catalog import Catalog
from fivefold.core.own_parts import Part, is_own
from fivefold.core.predictions import Predictions
from fivefold.data import PredictionItem
from fivefold.evaluation import metrics
from fivefold.losses import losses

Make: TypeAlias = Callable[..., Any]
M = TypeVar("M", bound=Make)

_STAYS = "{!r} stays: what a config names cannot be taken away"


class CatalogView(MutableMapping[str, Make]):
    """A catalog's users' own entries as the dictionary that Musket has.

    Args:
        catalog: What is read and added to.
        add: Adds a function or class under a name.
    """

    def __init__(self, catalog: Catalog[Any], add: Callable[[str, Make], object]) -> None:
        self._catalog = catalog
        self._add = add

    def __setitem__(self, name: str, make: Make) -> None:
        self._add(name, make)

    def __getitem__(self, name: str) -> Make:
        found = self._catalog.find(name)
        if found is None or not is_own(found.make):
            raise KeyError(name)
        make: Make = unwrap(found.make)
        return make

    def __delitem__(self, name: str) -> NoReturn:
        raise TypeError(_STAYS.format(name))

    def __iter__(self) -> Iterator[str]:
        return (c.name for c in self._catalog.components() if is_own(c.make))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class CustomObjects(MutableMapping[str, Make]):
    """Keras's registry, as Musket's users fill it: `get_custom_objects()["my_loss"] = my_loss`.

    A function of the truth and the predictions becomes a loss and a metric. It is given torch's
    tensors [N, C], probabilities as predictions; what it gives is averaged.
    """

    def __init__(self) -> None:
        self._objects: dict[str, Make] = {}

    def __setitem__(self, name: str, function: Make) -> None:
        _add_loss(name, function)
        _add_metric(name, function, _direction(name, function))
        self._objects[name] = function

    def __getitem__(self, name: str) -> Make:
        return self._objects[name]

    def __delitem__(self, name: str) -> NoReturn:
        raise TypeError(_STAYS.format(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)


_custom_objects = CustomObjects()


def get_custom_objects() -> CustomObjects:
    """Give the registry that `keras.utils` has under this name."""
    return _custom_objects


utils = SimpleNamespace(get_custom_objects=get_custom_objects)
"""`keras.utils` after nothing but `import keras`."""


def keras_loss(function: M) -> M:
    """Add a loss `def name(y_true, y_pred)`, which may be a metric too; lower is better."""
    _add_loss(function.__name__, function)
    _add_metric(function.__name__, function, "min")
    return function


def keras_metric(function: M) -> M:
    """Add a metric `def name(y_true, y_pred)`; higher is better unless its name tells otherwise."""
    _add_metric(function.__name__, function, _direction(function.__name__, function))
    return function


def registerMetric(name: str, function: M) -> M:
    """Add a metric of the truth and the predictions under a name; see `keras_metric`."""
    _add_metric(name, function, _direction(name, function))
    return function


def final_metric(function: M) -> M:
    """Add a metric `def name(folds_and_stages, predictions)`, one number of a whole data set.

    The predictions are items with `id`, `y` and `prediction`.
    """

    def measure(predictions: Predictions, **options: Any) -> Any:
        places = [(predictions.fold, predictions.stage)]
        return function(places, _items(predictions), **options)

    made = _with_parameters(measure, function, ("predictions",))
    metrics.add(name=function.__name__, best=_direction(function.__name__, function))(made)
    return function


def _add_loss(name: str, function: Make) -> None:
    _check(name, function)

    def loss(probs: Any, targets: Any, **options: Any) -> Any:
        return function(targets, probs, **options)

    made = _with_parameters(loss, function, ("logits", "targets"))
    losses.add(name=name, inputs="probabilities")(made)


def _add_metric(name: str, function: Make, best: str) -> None:
    _check(name, function)

    def measure(predictions: Predictions, **options: Any) -> Any:
        import torch  # noqa: PLC0415  a config is checked without it

        truth, probs = torch.tensor(predictions.truth), torch.tensor(predictions.probs)
        return torch.as_tensor(function(truth, probs, **options)).double().mean()

    made = _with_parameters(measure, function, ("predictions",))
    metrics.add(name=name, best=best)(made)


def _check(name: str, function: Make) -> None:
    """Make sure that it is a function of the truth and the predictions, and no layer."""
    part = Part("loss or metric", name, function, {})
    if isinstance(function, type):
        part.refuse("a function of (y_true, y_pred)", f"the class {function.__name__}")
    part.check_parameters(("y_true", "y_pred"))


def _direction(name: str, function: Make) -> str:
    """Say which way a number is better: by its attribute `best`, else by its name."""
    falls = name.casefold().endswith(("loss", "error", "distance"))
    return str(getattr(function, "best", "min" if falls else "max"))


def _with_parameters(adapter: Make, function: Make, takes: Sequence[str]) -> Make:
    """Let an adapter stand for a user's function: its file, its name, and its options."""
    given = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in takes]
    options = [p for p in signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    made: Any = update_wrapper(adapter, function, updated=())
    made.__signature__ = Signature([*given, *options])
    return adapter


def _items(predictions: Predictions) -> list[PredictionItem]:
    rows = zip(predictions.ids, predictions.truth, predictions.probs, strict=True)
    return [PredictionItem(name, None, truth, probs) for name, truth, probs in rows]


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    msg = (
        f"{name} of Musket's or Keras's is not in fivefold: write it with torch, and add it as "
        "docs/custom-parts.md shows"
    )
    raise ImportError(msg)
