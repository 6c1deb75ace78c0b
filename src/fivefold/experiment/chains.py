"""What the user's own functions make of data sets: `preprocessing` and `pretrain_transform`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fivefold.config import ExperimentConfig, read_chain
from fivefold.core.errors import ConfigError, DataError, FivefoldError, Problem
from fivefold.core.progress import Progress
from fivefold.core.types import Indices
from fivefold.core.validation import shown
from fivefold.data import PythonSource, Source
from fivefold.data.datasets import CompositeDataSet, SourceDataSet, SubDataSet, source_of
from fivefold.experiment.datasets import wrap
from fivefold.experiment.functions import call, find_function

_PREPROCESSING = "preprocessing"
_A_CHAIN = "a list of functions, or `parameters` with such a list as `body`"


def preprocessed(config: ExperimentConfig, source: Source, progress: Progress) -> Source:
    """Send a data set that a config describes through its `preprocessing`.

    Raises:
        ConfigError: If a function is not there.
        DataError: If one does not make a data set.
    """
    if not config.preprocessing:
        return source
    dataset = as_dataset(source)
    for name, value in _expanded(config, config.preprocessing, ()):
        function = find_function(config, name, _PREPROCESSING)
        dataset = made(function, [dataset], value, f"{_PREPROCESSING}: {name}")
    return _labelled_alike(dataset, source, progress)


def transformed(
    config: ExperimentConfig, source: Source, held_out: Indices, progress: Progress
) -> Source:
    """Send a data set without its holdout through `pretrain_transform`; the holdout comes last.

    Args:
        config: It names the function.
        source: The whole data set.
        held_out: Positions of the holdout.
        progress: Who watches.

    Raises:
        ConfigError: If the function is not there.
        DataError: If it does not make a data set.
    """
    name = str(config.pretrain_transform)
    function = find_function(config, name, "pretrain_transform")
    out, whole = held_out.tolist(), as_dataset(source)
    rest = np.setdiff1d(np.arange(len(source)), held_out).tolist()
    given = SubDataSet(whole, rest) if out else whole
    dataset = made(function, [given], None, f"pretrain_transform: {name}")
    count = len(dataset)
    parts = CompositeDataSet([dataset, SubDataSet(whole, out)]) if out else dataset
    found = _labelled_alike(parts, source, progress)
    if out:
        found.held_out = range(count, len(found))
    return found


def _labelled_alike(dataset: Any, before: Source, progress: Progress) -> Source:
    """Open a changed data set; its vectors mean what they meant before, if they still can."""
    known = dataset if isinstance(dataset, Source) else source_of(dataset)
    if known is not None or isinstance(before, PythonSource):
        return known or wrap(dataset, progress)
    try:
        return PythonSource(dataset, before.labels, progress=progress)
    except DataError:  # it has other classes now
        return wrap(dataset, progress)


def as_dataset(source: Source) -> Any:
    """Give a source as an object with items: the user's own where there is one."""
    return source.dataset if isinstance(source, PythonSource) else SourceDataSet(source)


def made(function: Any, first: Sequence[Any], value: Any, where: str) -> Any:
    """Call the user's function, which has to give a data set; see `call`.

    Raises:
        DataError: If it raises, or gives something else.
    """
    try:
        found = call(function, first, value)
    except (FivefoldError, MemoryError):
        raise
    except Exception as error:
        msg = f"{where}: expected a data set, got {type(error).__name__}: {error}"
        hint = "the error is in the function of this name"
        raise DataError(msg, hint=hint, slug="data/python-code") from error
    if not (hasattr(found, "__len__") and hasattr(found, "__getitem__")):
        msg = f"{where}: expected a data set, got {type(found).__name__}"
        hint = "a function of single samples needs the decorator `dataset_preprocessor`"
        raise DataError(msg, hint=hint, slug="data/not-a-dataset")
    return found


def _expanded(
    config: ExperimentConfig, steps: Sequence[tuple[str, Any]], around: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """Put chains of `declarations` in the place of their names."""
    for name, value in steps:
        if name not in config.declarations:
            yield name, value
            continue
        if name in around:
            names = " -> ".join([*around, name])
            message = f"declarations: expected chains that end, got {names}"
            where = config.where("declarations", name)
            raise ConfigError([Problem("config/bad-value", where, message)])
        yield from _expanded(config, _body(config, name, value), (*around, name))


def _body(config: ExperimentConfig, name: str, value: Any) -> Sequence[tuple[str, Any]]:
    """Read a chain of `declarations`, its parameters replaced by what it is called with.

    Raises:
        ConfigError: If it is no chain, or is called with something else.
    """
    declared = config.declarations[name]
    parts = dict(declared) if isinstance(declared, Mapping) else {"body": declared}
    body, names = parts.pop("body", None), parts.pop("parameters", None) or []
    try:
        steps = read_chain(None if parts else body)
        given = _arguments(names if steps else None, value)
    except ValueError as error:
        message = f"declarations.{name}: expected {error}, got {shown(declared)}"
        where = config.where("declarations", name)
        raise ConfigError([Problem("config/bad-declaration", where, message)]) from error
    return [(step, _replaced(options, given)) for step, options in steps]


def _arguments(names: Any, value: Any) -> dict[str, Any]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(_A_CHAIN)
    if isinstance(value, Mapping):
        given = {str(key): item for key, item in value.items()}
    else:
        values = [] if value is None else value if isinstance(value, list) else [value]
        given = dict(zip(names, values, strict=False)) if len(values) <= len(names) else {}
    if given.keys() != set(names):
        msg = f"to be called with {names}"
        raise ValueError(msg)
    return given


def _replaced(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, given) for item in value]
    return given.get(value, value) if isinstance(value, str) else value
