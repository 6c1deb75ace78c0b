"""Callbacks that write numbers for other tools: TensorBoard, CSVLogger, StepLogger."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from fivefold.core.durable import write_text
from fivefold.engine.callbacks.protocol import Callback, Control, StageInfo, callbacks

_LONGEST = 200  # of 255 that file systems take; the fold's and stage's numbers follow
_OWN = {
    *("weights", "metrics", "predictions", "examples", "pictures", "data", "state"),
    *("config.yaml", "manifest.json", "summary.yaml", "report.html"),
}


def _inside(path: str) -> str:
    """Keep a config from writing where it has no business."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        msg = "a path inside the experiment's folder"
        raise ValueError(msg)
    if not path.isprintable() or max(len(os.fsencode(part)) for part in parts) > _LONGEST:
        msg = f"a path of printable characters, each part of at most {_LONGEST} bytes"
        raise ValueError(msg)
    return path


def _apart(folder: str) -> str:
    """Keep what is written for other tools out of fivefold's own files."""
    if Path(folder).parts[0] in _OWN:
        msg = "a folder that has no other files of the experiment, such as 'logs'"
        raise ValueError(msg)
    return folder


def _of_stage(filename: str, info: StageInfo) -> Path:
    name = Path(filename)
    own = name.with_name(f"{name.stem}-{info.fold}.{info.stage}{name.suffix}")
    return info.root / "logs" / own


_UNSUPPORTED = (
    "histogram_freq",
    "batch_size",
    "write_graph",
    "write_grads",
    "write_images",
    "embeddings_freq",
    "embeddings_layer_names",
    "embeddings_metadata",
    "embeddings_data",
)


def _idle_of_tensorboard(options: Mapping[str, Any]) -> Iterator[str]:
    for name in _UNSUPPORTED:
        if options[name]:
            yield f"{name}: only numbers are written"


@callbacks.add(idle=_idle_of_tensorboard)
@dataclass(kw_only=True)
class TensorBoard(Callback):
    """Writes every number of every epoch for TensorBoard, into a folder for each fold and stage.

    Attributes:
        log_dir: Where, below the experiment's folder.
        update_freq: `batch` writes the loss and the learning rate of every step too, into a folder
            `steps` of its own.
        histogram_freq: Like those that follow, Keras's and without effect.
    """

    log_dir: Annotated[str, AfterValidator(_inside), AfterValidator(_apart)] = "logs"
    update_freq: Literal["epoch", "batch"] = "epoch"
    histogram_freq: Any = None
    batch_size: Any = None
    write_graph: Any = None
    write_grads: Any = None
    write_images: Any = None
    embeddings_freq: Any = None
    embeddings_layer_names: Any = None
    embeddings_metadata: Any = None
    embeddings_data: Any = None

    def __post_init__(self) -> None:
        self._writer: Any = None
        self._of_steps: Any = None

    def on_stage_start(self, info: StageInfo) -> None:
        """Open the events file; after a resume, drop what lies beyond it."""
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  costs a second

        folder, first = self.folder(info), info.first_epoch
        self._writer = SummaryWriter(str(folder), purge_step=first)
        if self.update_freq == "batch":
            self._of_steps = SummaryWriter(str(folder / "steps"), purge_step=first * info.steps)

    def folder(self, info: StageInfo) -> Path:
        """Name the folder that a stage's events are in."""
        return info.root / self.log_dir / f"{info.fold}.{info.stage}"

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Name that folder."""
        return (self.folder(info),)

    def on_step(self, step: int, loss: float, lr: float) -> None:
        """Write a step's numbers, if that was asked for."""
        if self._of_steps is not None:
            self._of_steps.add_scalar("batch_loss", loss, step)
            self._of_steps.add_scalar("batch_lr", lr, step)

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Write one point for each number."""
        for name, value in sorted(row.items()):
            self._writer.add_scalar(name, value, epoch)
        for writer in (self._writer, self._of_steps):
            if writer is not None:
                writer.flush()

    def on_stage_end(self) -> None:
        """Close the events files."""
        for writer in (self._writer, self._of_steps):
            if writer is not None:
                writer.close()


def _idle_of_csv(options: Mapping[str, Any]) -> Iterator[str]:
    if options["append"] is not None:
        yield "append: a run that goes on always appends, and one that begins never does"


@callbacks.add()
@dataclass(kw_only=True)
class StepLogger(Callback):
    """Writes a table of every step's loss and learning rate; `logAll` of a stage is short for it.

    Attributes:
        filename: Of the table in the folder `logs`; fold and stage are put before its ending.
    """

    filename: Annotated[str, Field(min_length=1), AfterValidator(_inside)] = "steps.csv"

    def __post_init__(self) -> None:
        self._path = Path()
        self._lines: list[str] = []
        self._per_epoch = 1

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Name the table."""
        return (_of_stage(self.filename, info),)

    def on_stage_start(self, info: StageInfo) -> None:
        """Keep the steps of the epochs that are done, and no later ones."""
        (self._path,) = self.written(info)
        self._per_epoch = info.steps
        if info.first_epoch and self._path.exists():
            lines = self._path.read_text("utf-8").splitlines()[1:]
            self._lines = lines[: info.first_epoch * info.steps]

    def on_step(self, step: int, loss: float, lr: float) -> None:
        """Remember a step."""
        numbers = (step // self._per_epoch, step, repr(float(loss)), repr(float(lr)))
        self._lines.append(",".join(map(str, numbers)))

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Write the table anew."""
        write_text(self._path, "\n".join(["epoch,step,loss,lr", *self._lines, ""]))


@callbacks.add(idle=_idle_of_csv)
@dataclass(kw_only=True)
class CSVLogger(Callback):
    """Writes a table of every epoch's numbers, beside the one in `metrics/`.

    Columns are `epoch` and all numbers by name; what is not known is `NA`.

    Attributes:
        filename: Of the table in the folder `logs`; fold and stage are put before its ending, so
            `log.csv` becomes `logs/log-0.1.csv`.
        separator: What stands between two cells.
        append: Without effect.
    """

    filename: Annotated[str, Field(min_length=1), AfterValidator(_inside)] = "log.csv"
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    append: Any = None

    def __post_init__(self) -> None:
        self._path = Path()
        self._rows: list[Mapping[str, float]] = []

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Name the table."""
        return (_of_stage(self.filename, info),)

    def on_stage_start(self, info: StageInfo) -> None:
        """Begin with the epochs that are done."""
        (self._path,) = self.written(info)
        self._rows = list(info.rows)

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Write the table anew."""
        self._rows.append(row)
        names = sorted({name for known in self._rows for name in known})
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.separator, lineterminator="\n")
        writer.writerow(["epoch", *names])
        for number, known in enumerate(self._rows):
            cells = (repr(float(known[name])) if name in known else "NA" for name in names)
            writer.writerow([number, *cells])
        write_text(self._path, text.getvalue())
