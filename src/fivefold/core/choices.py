"""How a run computes: what was chosen for it once, and is kept to until its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

Profile = Literal["exact", "auto", "fast"]
Precision = Literal["float32", "bfloat16"]
Layout = Literal["channels_last", "contiguous"]


@dataclass(frozen=True)
class Choices:
    """What decides the last bits of a run, beside its config.

    The defaults are what runs had before there was a choice.

    Attributes:
        threads: How many threads an operation of a fold's training uses on the CPU.
        profile: The config's, for the record.
        precision: What the backbone computes in; the head, the loss, the optimizer and everything
            that is kept are float32 always.
        layout: The order of images and filters in memory.
        measured: What a probe found: images in a second of all folds that train side by side, for
            each candidate that was tried.
    """

    threads: Annotated[int, Field(ge=1)]
    profile: Profile = "exact"
    precision: Precision = "float32"
    layout: Layout = "channels_last"
    measured: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """Name a candidate, such as "bfloat16, channels_last, 1 thread"."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.precision}, {self.layout}, {threads}"


EXACT = Choices(threads=1)
