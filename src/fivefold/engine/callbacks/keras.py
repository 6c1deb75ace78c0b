"""Other callbacks that Keras has: one that ends stages, some that do nothing here, some refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fivefold.core.errors import NumericError
from fivefold.engine.callbacks.protocol import Callback, callbacks

REFUSED: Mapping[str, str] = {
    "LearningRateScheduler": "it calls a Python function; `fivefold list schedules` names what "
    "`schedule:` can do, and `imports:` brings a schedule of your own",
    "LambdaCallback": "it calls Python functions; `imports:` brings a callback of your own",
    "RemoteMonitor": "fivefold sends nothing over the network; `metrics/` has all numbers",
}
"""Keras's callbacks that cannot be honoured, each with the reason."""


@callbacks.add()
@dataclass(kw_only=True)
class TerminateOnNaN(Callback):
    """Ends a stage when its loss is no number, with the weights of its best epoch so far.

    Without it, or in the first epoch of a stage, such a loss is an error that ends the fold.
    """

    def ends_on(self, error: NumericError) -> bool:
        """Say so of a loss; a metric that is no number in any epoch is another matter."""
        return error.slug == "numeric/loss"


def _idle(reason: str) -> Any:
    def of(options: Mapping[str, Any]) -> Iterator[str]:  # noqa: ARG001  asked like the others
        yield reason

    return of


@callbacks.add(idle=_idle("`metrics/` has the numbers of every epoch"))
@dataclass(kw_only=True)
class History(Callback):
    """Does nothing: the history is always written."""


@callbacks.add(idle=_idle("every number is of all samples of an epoch"))
@dataclass(kw_only=True)
class BaseLogger(Callback):
    """Does nothing: numbers are over all samples of an epoch, not averages over batches.

    Attributes:
        stateful_metrics: Without effect.
    """

    stateful_metrics: Any = None


@callbacks.add(idle=_idle("bars are always shown on a terminal"))
@dataclass(kw_only=True)
class ProgbarLogger(Callback):
    """Does nothing: bars are always shown on a terminal.

    Attributes:
        count_mode: Without effect.
        stateful_metrics: Without effect.
    """

    count_mode: Any = None
    stateful_metrics: Any = None
