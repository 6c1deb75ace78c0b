"""Names of experiments: `002.digits.resnet18-lr5e-4`, number, data, what is tried."""

import re
from pathlib import Path

from fivefold.core.layout import CONFIG_NAME

_NUMBERED = re.compile(r"(\d{3,})\.")
_VAGUE = frozenset({"data", "dataset", "images", "img", "train", "training", "labels"})


def holds_experiments(folder: Path) -> bool:
    """Say whether a folder's sub-folders are experiments, while it is none itself."""
    if not folder.is_dir() or (folder / CONFIG_NAME).exists():
        return False
    return any((entry / CONFIG_NAME).is_file() for entry in folder.iterdir())


def next_name(parent: Path, data_name: str, architecture: str, lr: float) -> str:
    """Propose the name of the next experiment in a folder.

    Args:
        parent: The folder that holds the experiments.
        data_name: What the data is called; see `name_of_data`.
        architecture: The backbone; a tag behind a dot is left out.
        lr: The learning rate that is tried.
    """
    taken = [_NUMBERED.match(entry.name) for entry in parent.iterdir()]
    number = max((int(match.group(1)) for match in taken if match), default=0) + 1
    tried = f"{_plain(architecture.partition('.')[0])}-lr{short_number(lr)}"
    return f"{number:03}.{data_name}.{tried}"


def name_of_data(data: Path) -> str:
    """Call data by its folder or table, or by the folder above when that says more."""
    path = data.resolve()
    names = [path.stem if path.is_file() else path.name, path.parent.name]
    plain = [name for name in map(_plain, names) if name]
    return next((name for name in plain if name not in _VAGUE), plain[0] if plain else "data")


def short_number(value: float) -> str:
    """Write a number as people write learning rates: 5e-4."""
    mantissa, exponent = f"{value:e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _plain(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text.casefold()).strip("-")
