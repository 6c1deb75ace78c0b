"""The options that say how data are read, for every command that opens some."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fivefold.cli.arguments import column_names
from fivefold.cli.data import options

_PARAMETER = "reading"
_OPTIONS: Mapping[str, tuple[Any, object]] = {
    "images": (options.Images, None),
    "image_column": (options.ImageColumn, None),
    "label_column": (options.LabelColumn, None),
    "separator": (options.Separator, None),
    "encoding": (options.Encoding, None),
    "boxes_as_labels": (options.BoxesAsLabels, False),
    "category_map": (options.CategoryMap, None),
    "level": (options.Level, 0),
    "background": (options.Background, None),
}
"""Each with its type for the command line and its default: the attributes of `Reading`."""


def with_reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options in place of its parameter `reading`, a `Reading` made of them.

    Args:
        command: Whose parameter `reading` has no default.
    """

    @functools.wraps(command)
    def run(**given: Any) -> None:
        from fivefold.experiment.named_data import Reading

        asked = {name: given.pop(name) for name in _OPTIONS}
        columns = column_names(asked.pop("label_column"), "--label-column")
        command(**given, reading=Reading(**asked, label_column=columns))

    parameters = list(inspect.signature(command).parameters.values())
    at = [parameter.name for parameter in parameters].index(_PARAMETER)
    parameters[at : at + 1] = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in _OPTIONS.items()
    ]
    keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    # typer reads the signature's order and defaults, and the annotations' types
    vars(run)["__signature__"] = inspect.Signature(keyword_only)
    run.__annotations__ = {p.name: p.annotation for p in keyword_only} | {"return": None}
    return run
