"""One timed process, and several of them in turn."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import Busy

ROOT = Path(__file__).parents[1]
QUIET = 0.15
"""Cores that others may keep busy before a sample counts as disturbed."""


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Attributes:
        seconds: By the wall clock, from before the process exists until it has ended.
        accuracy: Share of right answers on what was validated; NaN where there is none.
        cpu_seconds: Of the process and its children.
        others: Cores that other processes kept busy meanwhile; None if unknown.
        load: The system's load average before.
        more: Other numbers, such as when the first step was done.
    """

    seconds: float
    accuracy: float = float("nan")
    cpu_seconds: float = 0.0
    others: float | None = None
    load: float = 0.0
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def disturbed(self) -> bool:
        """Whether others were busy."""
        return self.others is not None and self.others > QUIET


class FailedError(Exception):
    """A process that ended with an error; its last lines are the message."""


def run_process(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Sample:
    """Run a command to its end.

    Args:
        command: What to run, from the repository's root.
        log: Where its output goes.
        environment: Set on top of this process's.

    Raises:
        FailedError: If it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    named = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore"}
    load, before = os.getloadavg()[0], Busy.now()
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            list(command),
            cwd=ROOT,
            env={**named, **(environment or {})},
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    after = Busy.now()
    if done.returncode:
        tail = log.read_text("utf-8", "replace").strip().splitlines()[-5:]
        raise FailedError("\n".join([f"exit {done.returncode}", *tail]))
    return Sample(
        seconds=after.at - before.at,
        cpu_seconds=after.own - before.own,
        others=after.others_since(before),
        load=load,
    )


def run_json(command: Sequence[str], log: Path) -> Any:
    """Run a command that prints JSON.

    Raises:
        FailedError: If it fails, or prints none.
    """
    run_process(command, log)
    text = log.read_text("utf-8", "replace")
    try:
        return json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError as error:
        msg = f"expected JSON, got {text[-300:]!r}"
        raise FailedError(msg) from error


def joined(samples: Sequence[Sample], times: float = 1.0) -> Sample:
    """Add up processes that ran one after the other.

    Args:
        samples: What they took; accuracies are of equally many pictures.
        times: What to multiply with where only some of equal processes were run.
    """
    others = [sample.others for sample in samples if sample.others is not None]
    return Sample(
        seconds=sum(sample.seconds for sample in samples) * times,
        accuracy=sum(sample.accuracy for sample in samples) / len(samples),
        cpu_seconds=sum(sample.cpu_seconds for sample in samples) * times,
        others=max(others) if others else None,
        load=max(sample.load for sample in samples),
        more={**samples[0].more, "processes": float(len(samples)), "times": times},
    )


@dataclass
class Arm:
    """A tool in one configuration.

    Attributes:
        name: Such as "timm, tuned".
        measure: Makes one sample; gets the number of the repetition.
        samples: Those made so far.
        failure: Why there are no more.
    """

    name: str
    measure: Callable[[int], Sample]
    samples: list[Sample] = field(default_factory=list)
    failure: str = ""

    @property
    def seconds(self) -> float:
        """The median."""
        return median(sample.seconds for sample in self.samples)

    @property
    def accuracy(self) -> float:
        """The mean over repetitions."""
        return sum(sample.accuracy for sample in self.samples) / len(self.samples)

    def as_json(self) -> dict[str, Any]:
        """All that is known, for the lines of JSON."""
        samples = [asdict(sample) for sample in self.samples]
        return {"arm": self.name, "failure": self.failure, "samples": samples}


def interleave(
    arms: Sequence[Arm], repetitions: int, *, retries: int = 0, say: Callable[[str], None] = print
) -> None:
    """Measure A B C A B C, so that what disturbs the machine for a while disturbs all alike.

    Args:
        arms: Whom to measure; one that fails is left out from then on.
        repetitions: How often each.
        retries: How often a disturbed sample may be thrown away and made again.
        say: Told what happens.
    """
    for number in range(repetitions):
        for arm in arms:
            if arm.failure:
                continue
            try:
                sample = _undisturbed(arm, number, retries, say)
            except FailedError as error:
                arm.failure = str(error)
                say(f"    {arm.name}: failed: {error}")
                continue
            arm.samples.append(sample)
            note = "  (others were busy)" if sample.disturbed else ""
            say(f"    {arm.name}: {sample.seconds:.2f} s{note}")


def _undisturbed(arm: Arm, number: int, retries: int, say: Callable[[str], None]) -> Sample:
    sample = arm.measure(number)
    for _ in range(retries):
        if not sample.disturbed:
            break
        say(f"    {arm.name}: {sample.seconds:.2f} s thrown away: others were busy")
        time.sleep(2)
        sample = arm.measure(number)
    return sample


def read_events(path: Path, started: float) -> dict[str, float]:
    """Read when a peer's events first happened, in seconds since it was started."""
    found: dict[str, float] = {}
    for line in path.read_text("utf-8").splitlines():
        event = json.loads(line)
        found.setdefault(event["event"], round(event["time"] - started, 3))
    return found
