"""Which samples an experiment was measured on, and in which folds: what makes two comparable."""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fivefold.apps.compare.reading import Compared

Relation: TypeAlias = Literal["same folds", "other folds", "other data", "unknown"]

UNKNOWN = -1
_ENDS = 4096  # bytes at the beginning and the end of a file that say what it is
_MEMBER = re.compile(r'  "(fingerprint|num_folds|seal)": (.+?),?')  # samples stand further in
_NEGATIVES = ("validation_negatives", "negatives")


@dataclass(frozen=True)
class Dealt:
    """The folds of one experiment, as `data/folds.json` has them.

    Attributes:
        path: The file.
        seal: What tells its content from any other; empty if there is none.
        fingerprint: Of the samples with their contents, labels and weights.
        num_folds: How many folds there are.
        negatives: Which negative samples are validated, as the config says.
    """

    path: Path
    seal: str
    fingerprint: str
    num_folds: int
    negatives: str = ""

    @cached_property
    def digests(self) -> tuple[str, str]:
        """Of the samples with contents and labels, and of the samples with their folds."""
        samples = _record(self.path)["samples"]
        marks = sorted((name, value[1:]) for name, value in samples.items())
        folds = sorted((name, value[0]) for name, value in samples.items())
        return _digest(marks), _digest(folds)

    def relation(self, other: "Dealt") -> Relation:
        """Say what two experiments have in common."""
        if self.negatives != other.negatives:
            return "other data"
        if self.seal and self.seal == other.seal:
            return "same folds"
        try:
            return self._looked_through(other)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):  # damaged
            return "unknown"

    def _looked_through(self, other: "Dealt") -> Relation:
        if self.fingerprint != other.fingerprint and self.digests[0] != other.digests[0]:
            return "other data"
        is_same = self.num_folds == other.num_folds and self.digests[1] == other.digests[1]
        return "same folds" if is_same else "other folds"


def dealt_of(one: Compared) -> Dealt | None:
    """Read which folds an experiment has; None where that is not known or damaged.

    Of the file only the ends are read: it may list a million samples.
    """
    if one.folder is None:
        return None
    path = one.folder.folds_path
    try:
        head, tail = _ends(path)
        fingerprint, count, seal = _named(head, tail) or _whole(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Dealt(path, seal, fingerprint, count, _negatives(one.config))


def data_groups(experiments: Sequence[Compared]) -> tuple[int, ...]:
    """Number the data that finished experiments were measured on: the same number, the same data.

    Those of which nothing is known are all of the data UNKNOWN.
    """
    known: list[Dealt] = []
    numbers = []
    for one in experiments:
        own = dealt_of(one) if one.status == "finished" else None
        numbers.append(UNKNOWN if own is None else _group_of(own, known))
    return tuple(numbers)


def _group_of(own: Dealt, known: list[Dealt]) -> int:
    """Find the first that was measured on the same data; adds one that there is none for."""
    # first by what needs no file to be read as a whole
    for is_quick in (True, False):
        for number, other in enumerate(known):
            is_same = own.seal == other.seal != "" and own.negatives == other.negatives
            if is_same if is_quick else own.relation(other) in ("same folds", "other folds"):
                return number
    known.append(own)
    return len(known) - 1


def _ends(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(_ENDS)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _ENDS))
        return head.decode("ascii"), file.read().decode("ascii")


def _named(head: str, tail: str) -> tuple[str, int, str] | None:
    """Read what stands before and after the samples, each on a line; None if it does not."""
    found: dict[str, Any] = {}
    for line in (*head.partition('  "samples"')[0].splitlines(), *tail.splitlines()):
        match = _MEMBER.fullmatch(line)
        if match:
            found[match[1]] = json.loads(match[2])
    if not {"fingerprint", "num_folds", "seal"} <= found.keys():
        return None
    return str(found["fingerprint"]), int(found["num_folds"]), str(found["seal"])


def _whole(path: Path) -> tuple[str, int, str]:
    record = _record(path)
    return str(record["fingerprint"]), int(record["num_folds"]), str(record.get("seal", ""))


def _record(path: Path) -> dict[str, Any]:
    record = json.loads(path.read_text("utf-8"))
    if not isinstance(record, dict):
        msg = f"{path}: expected folds, got {type(record)}"
        raise ValueError(msg)  # noqa: TRY004 - as of any other wrong JSON
    return record


def _digest(rows: object) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _negatives(config: Mapping[str, Any]) -> str:
    """Say which negative samples the last stage is validated on; empty for all."""
    stages = config.get("stages")
    last = stages[-1] if isinstance(stages, list) and stages else {}
    known = (last.get(key) for key in _NEGATIVES) if isinstance(last, dict) else ()
    return str(next((value for value in known if value is not None), ""))
