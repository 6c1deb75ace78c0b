"""The commands of `fivefold data`, and how they are explained."""

from collections.abc import Callable

import typer

from fivefold.cli.data.check import check
from fivefold.cli.data.convert import convert
from fivefold.cli.data.labels import labels
from fivefold.cli.data.resize import resize
from fivefold.cli.data.sample import sample
from fivefold.cli.data.split import split
from fivefold.cli.data.stats import stats

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_COMMANDS: tuple[tuple[str, Callable[..., None], tuple[str, ...]], ...] = (
    (
        "check",
        check,
        (
            "fivefold data check flowers",
            "fivefold data check photos -o found    pictures of what is wrong",
            "fivefold data check labels.csv --images photos --headers-only",
        ),
    ),
    (
        "stats",
        stats,
        (
            "fivefold data stats photos",
            "fivefold data stats labels.csv --images photos -o classes.png",
        ),
    ),
    (
        "labels",
        labels,
        (
            "fivefold data labels photos -o labels.csv",
            "fivefold data labels photos more-photos -o labels.csv --recursive",
            "fivefold data labels photos -o all.csv --columns filepath,tag --class-map tags.json",
            "fivefold data labels tags.csv --separator '$' -o labels.csv",
        ),
    ),
    (
        "split",
        split,
        (
            "fivefold data split all.csv --images photos -o part.csv --test 0.2",
            "fivefold data split photos -o dataset.csv --folds 5 --train-folds 0,1,2,3",
            "fivefold data split scans.csv -o scans5.csv --folds 5 --group-column patient",
            "fivefold data split photos -o all.csv --test 0.1 --folds 5 --seed 7",
            "fivefold data split photos -o more.csv --folds 5 --keep all.csv",
        ),
    ),
    (
        "convert",
        convert,
        (
            "fivefold data convert photos -o photos.json",
            "fivefold data convert coco.json --images photos -o labels.csv --new-separator '$'",
            "fivefold data convert labels.csv -o by-class --link hard",
            "fivefold data convert breeds.json --category-map map.json -o cats-and-dogs.csv",
        ),
    ),
    (
        "sample",
        sample,
        (
            "fivefold data sample photos -o small.csv --per-class 50",
            "fivefold data sample labels.csv -o balanced.csv    as many as the rarest class has",
            "fivefold data sample labels.csv -o tenth.csv --fraction 0.1 --seed 1",
        ),
    ),
    (
        "resize",
        resize,
        (
            "fivefold data resize photos -o small --max-size 256",
            "fivefold data resize photos -o grey --max-size 224 --grayscale --jobs 4",
        ),
    ),
)


@group.callback()
def _data() -> None:
    """Prepare data: tables, splits, conversions; what is read stays."""


for _name, _function, _examples in _COMMANDS:
    _epilog = "\b\nExamples:\n  " + "\n  ".join(_examples)
    group.command(_name, epilog=_epilog)(_function)
