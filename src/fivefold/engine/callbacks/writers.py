"""Callbacks that write numbers as tables: CSVLogger, StepLogger."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from fivefold.core.durable import write_text
from fivefold.engine.callbacks.places import inside
from fivefold.engine.callbacks.protocol import Callback, Control, StageInfo, callbacks


def _of_stage(filename: str, info: StageInfo) -> Path:
    name = Path(filename)
    own = name.with_name(f"{name.stem}-{info.fold}.{info.stage}{name.suffix}")
    return info.root / "logs" / own


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

    filename: Annotated[str, Field(min_length=1), AfterValidator(inside)] = "steps.csv"

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

    filename: Annotated[str, Field(min_length=1), AfterValidator(inside)] = "log.csv"
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
