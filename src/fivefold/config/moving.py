"""A config for another folder, with the same meaning."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from fivefold.config.nodes import plain
from fivefold.config.schema import ExperimentConfig
from fivefold.config.shared_keys import taken_over


def text_for(config: ExperimentConfig, directory: Path, changes: Mapping[str, Any]) -> str:
    """Write a config for another folder: overrides and `common.yaml` are in it, paths lead on.

    Args:
        config: As it was loaded.
        directory: The other folder.
        changes: Keys with other values; None leaves a key out.

    Returns:
        YAML, without the comments of the file.
    """
    root = taken_over(config.root, config.directory / "config.yaml", directory)
    values = {key: value for key, value in (plain(root) | changes).items() if value is not None}
    text = io.StringIO()
    YAML(pure=True).dump(values, text)  # which keeps the order, unlike the safe one
    return text.getvalue()
