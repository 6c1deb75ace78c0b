"""A callback that draws what the network is trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fivefold.core.durable import write_bytes
from fivefold.core.layout import RunFolder
from fivefold.engine.callbacks.protocol import Callback, Control, StageInfo, callbacks


@callbacks.add()
@dataclass(kw_only=True)
class TrainExamples(Callback):
    """Draws training samples of each epoch, augmented; `showDataExamples` is short for it."""

    def __post_init__(self) -> None:
        self._info: StageInfo | None = None

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Name the folder of the pictures, beside those of validation samples."""
        return (RunFolder.of(info.root).examples(info.fold, info.stage) / "train",)

    def on_stage_start(self, info: StageInfo) -> None:
        """Remember where pictures come from and go to."""
        self._info = info

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Draw the epoch's first batch."""
        if self._info is None:
            return
        picture = self._info.draw(epoch)
        if picture:
            (folder,) = self.written(self._info)
            write_bytes(folder / f"epoch-{epoch:06d}.png", picture)
