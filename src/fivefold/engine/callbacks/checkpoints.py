"""ModelCheckpoint: weights of several epochs beside the best ones that every stage keeps."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from fivefold.core.durable import remove
from fivefold.engine.callbacks.protocol import (
    Callback,
    Control,
    Mode,
    StageInfo,
    callbacks,
    sign_of,
)

logger = logging.getLogger(__name__)


def _idle(options: Mapping[str, Any]) -> Iterator[str]:
    if options["filepath"] is not None:
        yield "filepath: the weights lie in weights/epochs-FOLD.STAGE"
    if options["save_weights_only"] is False:
        yield "save_weights_only: weights and what describes them are written, nothing else"


@callbacks.add(idle=_idle)
@dataclass(kw_only=True)
class ModelCheckpoint(Callback):
    """Keeps the weights of some epochs: all, every `period`-th, or the N best.

    They lie in `weights/epochs-FOLD.STAGE`, each with a JSON file that describes it, and may be
    named in `initial_weights`. The best epoch by `primary_metric` is kept without this callback.

    Attributes:
        monitor: A column of the metrics file, by which epochs are compared.
        save_best_only: Keep the best one.
        save_n_best: Keep so many best ones; more than `save_best_only` says.
        mode: `auto` knows the direction of every metric.
        period: Look only at every so many epochs.
        verbose: 1 tells of each epoch that is kept.
        filepath: Without effect.
        save_weights_only: Without effect.
    """

    monitor: str = "val_loss"
    save_best_only: bool = False
    save_n_best: Annotated[int, Field(ge=1, le=1000)] | None = None
    mode: Mode = "auto"
    period: Annotated[int, Field(ge=1)] = 1
    verbose: Literal[0, 1] = 0
    filepath: Any = None
    save_weights_only: bool | None = None

    def __post_init__(self) -> None:
        self._sign = sign_of(self.mode, self.monitor)
        self._most = self.save_n_best or (1 if self.save_best_only else None)
        self._kept: list[tuple[int, float]] = []
        self._info: StageInfo | None = None

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Name the folder of the weights."""
        return (info.root / "weights" / f"epochs-{info.fold}.{info.stage}",)

    def on_stage_start(self, info: StageInfo) -> None:
        """Remember where to write."""
        self._info = info

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Keep this epoch if it is among the best, and forget what is not any more."""
        value = row[self.monitor]
        if (epoch + 1) % self.period or (self._most is not None and math.isnan(value)):
            return
        # Of equal epochs the first is the better one, as in choosing the best of a stage.
        ranked = sorted([*self._kept, (epoch, value)], key=lambda e: (-self._sign * e[1], e[0]))
        kept = ranked[: self._most] if self._most is not None else ranked
        if (epoch, value) in kept:
            self._save(epoch, row)
        for dropped, _ in set(ranked) - set(kept):
            self._forget(dropped)
        self._kept = kept

    def _save(self, epoch: int, row: Mapping[str, float]) -> None:
        if self._info is None:
            return
        self._info.save(self._stem(self._info, epoch), epoch, row)
        if self.verbose:
            logger.info("epoch %d: weights kept, %s %g", epoch + 1, self.monitor, row[self.monitor])

    def _forget(self, epoch: int) -> None:
        if self._info is None:
            return
        for suffix in (".json", ".safetensors"):
            remove(self._stem(self._info, epoch).with_suffix(suffix))

    def _stem(self, info: StageInfo, epoch: int) -> Path:
        return self.written(info)[0] / f"epoch-{epoch:06d}"

    def state_dict(self) -> dict[str, Any]:
        """The epochs that are kept, and their numbers; NaN has no place in JSON."""
        return {"kept": [[epoch, repr(value)] for epoch, value in self._kept]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with them."""
        self._kept = [(int(epoch), float(value)) for epoch, value in state["kept"]]
