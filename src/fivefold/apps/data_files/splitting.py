"""Tables with a part for testing, with folds, or both; drawn, and written with their seed."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from itertools import compress, repeat
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.apps.data_files.choosing import Kinds, choose, kinds_of
from fivefold.apps.data_files.keeping import NEW, deal, known_folds
from fivefold.apps.data_files.rows import table_rows
from fivefold.apps.data_files.writing import RowFile
from fivefold.core.durable import file_sha256, write_json
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Indices
from fivefold.data import SampleTable, make_splits
from fivefold.experiment.named_data import Opened

TEST = -1
"""The fold of what is tested on, as a config's `folds_from` has it."""
_MOST_FOLDS = 1000
_NOTABLE = 0.02  # of all images


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        test: The fraction of each class to test on, 0-1; rounded up.
        folds: How many folds the rest is dealt into; 0 for none.
        train: Folds of the file `_train`; none writes no file for each part.
        valid: Those of `_valid`; all others if none are given.
        infer: Those of `_infer`.
        seed: What everything is drawn with.
        keep: Where folds of samples stand that are known already; only the others are drawn.
    """

    test: float = 0.0
    folds: int = 0
    train: tuple[int, ...] = ()
    valid: tuple[int, ...] = ()
    infer: tuple[int, ...] = ()
    seed: int = 42
    keep: Path | None = None

    @property
    def column(self) -> str:
        """The column that is added to the table."""
        return "fold" if self.folds else "split"

    def names(self, output: Path) -> dict[str, Path]:
        """Name the files of the parts."""
        found = ["train", "valid"] if self.train else []
        found += ["infer"] if self.infer else []
        found += ["test"] if self.test else []
        found = ["train", *found] if self.test and not self.train else found
        return {part: output.with_name(f"{output.stem}_{part}.csv") for part in found}

    def record(self, output: Path) -> Path:
        """Name the file that tells how the parts were drawn."""
        return output.with_name(f"{output.stem}.split.json")


@dataclass(frozen=True)
class Part:
    """How many images a part has.

    Attributes:
        images: All of them.
        classes: Those of each class.
    """

    images: int
    classes: Mapping[str, int]


@dataclass(frozen=True)
class WrittenSplit:
    """What was written.

    Attributes:
        files: Each file and how many rows it has.
        parts: What each part or fold has.
        tied: How many images were kept together with others, as copies or by their group.
        together: In how many groups of two and more they were.
        warnings: What a user should know.
    """

    files: Mapping[str, int]
    parts: Mapping[str, Part]
    tied: int
    together: int
    warnings: tuple[str, ...]


def check_plan(plan: Plan) -> None:
    """Refuse what contradicts itself.

    Raises:
        ConfigError: If it does.
    """
    if plan.keep is not None and not plan.folds:
        msg = "expected --folds beside it, got it without"
        raise _refusal(msg, "--keep")
    if not (plan.test or plan.folds) or not 0 <= plan.test < 1:
        msg = f"expected a fraction between 0 and 1, got {plan.test:g}"
        raise _refusal(msg, "--test")
    if plan.folds and not 2 <= plan.folds <= _MOST_FOLDS:
        msg = f"expected from 2 to {_MOST_FOLDS} folds, got {plan.folds}"
        raise _refusal(msg, "--folds")
    asked = {"--train-folds": plan.train, "--valid-folds": plan.valid, "--infer-folds": plan.infer}
    seen: dict[int, str] = {}
    for option, folds in asked.items():
        if folds and not (plan.folds and plan.train):
            msg = "expected --folds and --train-folds beside it, got it without them"
            raise _refusal(msg, option)
        for fold in folds:
            if not 0 <= fold < plan.folds:
                msg = f"expected folds from 0 to {plan.folds - 1}, got {fold}"
                raise _refusal(msg, option)
            if fold in seen:
                msg = f"expected each fold once, got {fold} as in {seen[fold]}"
                raise _refusal(msg, option)
            seen[fold] = option
    if plan.train and len({*plan.train, *plan.infer}) == plan.folds and not plan.valid:
        msg = "expected a fold that is left to validate on, got all"
        raise _refusal(msg, "--train-folds")


def write_split(
    opened: Opened, table: SampleTable, plan: Plan, output: Path, *, column: str = ""
) -> WrittenSplit:
    """Draw a split, and write a table of all rows and one of each part.

    Args:
        opened: The data.
        table: Its samples, with the groups that stay together.
        plan: What is asked for.
        output: The table of all rows; the others are named after it.
        column: Another name of the column that is added.

    Raises:
        ConfigError: If the plan contradicts itself, or the column is there already.
        DataError: If there are too few samples.
        ResourceError: If the disk is full, read-only or failing.
    """
    check_plan(plan)
    if opened.source.masks is not None and not plan.folds:
        msg = "expected a number of folds for images with masks, got none"
        raise _refusal(msg, "--folds", "fold -1 is the part of --test; `folds_from` reads both")
    if opened.source.masks is not None and column.strip() not in ("", "fold"):
        msg = f"expected no other name for images with masks, got {column!r}"
        raise _refusal(msg, "--column", "`folds_from` reads the column `fold`")
    name = column.strip() or plan.column
    header, rows = table_rows(opened)
    if name in header:
        msg = f"expected a name that no column has, got {name!r}"
        raise _refusal(msg, "--column", "name another one")
    kinds = kinds_of(table)
    numbers = fold_numbers(table, kinds, plan)
    masks = _masks(plan, numbers)
    files = _write(output, plan.names(output), masks, (*header, name), _marked(rows, plan, numbers))
    parts = {part: Part(int(m.sum()), kinds.of_part(m)) for part, m in masks.items()}
    _, sizes = np.unique(table.units, return_counts=True)
    several = sizes[sizes > 1]
    remarks = (*_remarks(kinds, masks), *_of_test(plan, numbers))
    written = WrittenSplit(files, parts, int(several.sum()), len(several), remarks)
    write_json(plan.record(output), _record(opened, plan, written))
    return written


def _marked(rows: Iterable[Sequence[str]], plan: Plan, numbers: Indices) -> Iterator[Sequence[str]]:
    """Add what stands in the column of the split."""
    words = _words(plan)
    return ((*row, words[number]) for row, number in zip(rows, numbers.tolist(), strict=True))


def _write(
    output: Path,
    names: Mapping[str, Path],
    masks: Mapping[str, AnyArray],
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
) -> dict[str, int]:
    """Write all files in one pass over the rows; they get their names when all are whole."""
    with ExitStack() as stack:
        whole = stack.enter_context(RowFile(output, header))
        parts = {part: stack.enter_context(RowFile(path, header)) for part, path in names.items()}
        holds = zip(*(masks[part].tolist() for part in parts), strict=True)
        for row, held in zip(rows, holds if parts else repeat(()), strict=bool(parts)):
            whole.add(row)
            for file in compress(parts.values(), held):
                file.add(row)
        for file in (whole, *parts.values()):
            file.settle()
        for file in (whole, *parts.values()):
            file.commit()
        return {file.path.name: file.rows for file in (whole, *parts.values())}


def fold_numbers(table: SampleTable, kinds: Kinds, plan: Plan) -> Indices:
    """Draw each sample's fold, or 0 where there are none; TEST for what is tested on [N].

    The order of the samples makes no difference.
    """
    numbers = np.full(len(table), NEW, dtype=np.int64)
    if plan.keep is not None:
        numbers = known_folds(plan.keep, table, plan.folds)
    rest = numbers == NEW
    if plan.test and rest.any():
        own = table.take(rest)
        test = _test_part(kinds if rest.all() else kinds_of(own), own.units, plan)
        numbers[np.flatnonzero(rest)[test]] = TEST
        rest = numbers == NEW
    if plan.keep is not None:
        rng = generator_for(plan.seed, "new samples")
        return deal(kinds, table.units, numbers, plan.folds, rng)
    if not plan.folds:
        return np.where(rest, 0, numbers)
    own = table.take(rest)
    splits = make_splits(own, folds=plan.folds, seed=plan.seed)
    numbers[rest] = splits.numbers(own)[own.ranks]  # they come in the order of the ids
    return numbers


def _test_part(kinds: Kinds, units: Indices, plan: Plan) -> AnyArray:
    """Choose what to test on: a mask [N]."""
    wanted = [math.ceil(round(plan.test * count, 9)) for count in kinds.counts.tolist()]
    test = choose(kinds, wanted, units, generator_for(plan.seed, "test"))
    # Where folds are kept there is more than the new ones.
    if plan.keep is None and (test.all() or not test.any()):
        msg = f"expected images to train and to test on, got {'none' * (not test.any())}"
        msg += "only some to test on" * bool(test.all())
        hint = "copies and groups stay together: take another fraction"
        raise DataError(msg, hint=hint, slug="data/too-few")
    return test


def _words(plan: Plan) -> dict[int, str]:
    """Say what stands in the column for each number."""
    if not plan.folds:
        return {0: "train", TEST: "test"}
    return {number: str(number) for number in range(TEST, plan.folds)}


def _masks(plan: Plan, numbers: Indices) -> dict[str, AnyArray]:
    """Say which samples each part has: those with files of their own, or each fold."""
    masks: dict[str, AnyArray] = {}
    if plan.train:
        others = {*range(plan.folds)} - {*plan.train, *plan.infer}
        masks["train"] = np.isin(numbers, plan.train)
        masks["valid"] = np.isin(numbers, plan.valid or sorted(others))
    elif plan.test:
        masks["train"] = numbers != TEST
    if plan.infer:
        masks["infer"] = np.isin(numbers, plan.infer)
    if plan.test or (numbers == TEST).any():
        masks["test"] = numbers == TEST
    if plan.folds and not plan.train:
        masks |= {f"fold {fold}": numbers == fold for fold in range(plan.folds)}
    return masks


def _remarks(kinds: Kinds, masks: Mapping[str, AnyArray]) -> Iterator[str]:
    for part, mask in masks.items():
        counts = kinds.of_part(mask)
        empty = [name for name in kinds.names if not counts[name]]
        if empty:
            shown = ", ".join(map(repr, empty[:5])) + (", …" if len(empty) > 5 else "")
            yield f"{part} has no image of {shown}"


def _of_test(plan: Plan, numbers: Indices) -> Iterator[str]:
    """Say where the part for testing is not as large as was asked for; kept folds have their own.

    A few images more or less are what rounding up each class gives.
    """
    found = float(np.mean(numbers == TEST))
    if plan.keep is None and plan.test and abs(found - plan.test) > _NOTABLE:
        yield (
            f"test has {found:.1%} of the images where {plan.test:.1%} was asked for: groups are "
            "not divided, and each class is rounded up"
        )


def _record(opened: Opened, plan: Plan, written: WrittenSplit) -> dict[str, Any]:
    """Tell how the parts were drawn, for who wants to draw them again."""
    is_file = opened.path.is_file()
    return {
        "fivefold": version("fivefold"),
        "data": opened.path.name,
        "data_sha256": file_sha256(opened.path) if is_file else None,
        **vars(plan),
        "keep": None if plan.keep is None else plan.keep.name,
        "files": dict(written.files),
        "parts": {name: vars(part) for name, part in written.parts.items()},
        "tied": written.tied,
        "together": written.together,
    }


def _refusal(message: str, option: str, hint: str = "see --help") -> ConfigError:
    return ConfigError([Problem("cli/split-option", option, message, hint)])
