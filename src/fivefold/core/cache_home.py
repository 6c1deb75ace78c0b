"""Where fivefold keeps what can be made again: outside of every experiment, shared by all.

Deleting the folder loses nothing but time.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from fivefold.core.errors import ConfigError, Problem

VARIABLE = "FIVEFOLD_CACHE"
OFF = frozenset({"off", "no", "none", "false", "0"})
_GB = 1_000_000_000
_USUAL_GB = 20.0


@dataclass(frozen=True)
class CacheHome:
    """A folder with one sub-folder for each kind of thing.

    Attributes:
        root: The folder; need not exist yet.
        num_bytes: The most that all of it may take.
    """

    root: Path
    num_bytes: int

    def folder(self, kind: str) -> Path:
        """Name the folder of a kind, such as "pixels", "features", "stages" or "probes"."""
        return self.root / kind


def cache_home(setting: bool | float) -> CacheHome | None:  # noqa: FBT001  the value of a key
    """Find the cache that a config allows.

    Args:
        setting: Of the config's `cache`: false for none, true for the usual size, or gigabytes.

    Returns:
        None where the config or the environment (`FIVEFOLD_CACHE=off`) wants none.

    Raises:
        ConfigError: If the environment names a home folder of nobody.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if setting is False or named.casefold() in OFF:
        return None
    gigabytes = _USUAL_GB if setting is True else float(setting)
    return CacheHome(_root(named), int(gigabytes * _GB))


def _root(named: str) -> Path:
    if not named:
        return user_cache_path("fivefold")
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError as error:  # ~somebody
        message = f"{VARIABLE}: expected a folder or 'off', got {named!r}: {error}"
        raise ConfigError([Problem("config/bad-value", "", message)]) from error


def blocked_by(home: CacheHome) -> str:
    """Say which setting has named a cache that is a file, or lies below one; else nothing."""
    try:
        there = next((path for path in (home.root, *home.root.parents) if path.exists()), home.root)
        is_file = there.exists() and not there.is_dir()
    except OSError:  # whoever writes there is told what is wrong
        return ""
    if not is_file:
        return ""
    named = os.environ.get(VARIABLE, "").strip()
    if named and _root(named) == home.root:
        return f"{VARIABLE}: expected a folder or 'off', got {str(home.root)!r}: {there} is a file"
    way_out = f"remove it, set `cache: false`, or name a folder by {VARIABLE}"
    return f"cache: expected a folder at {home.root}, its usual place: {there} is a file; {way_out}"
