"""Users' own components: Python files beside the config, run only with consent."""

import importlib.util
import sys

from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, Problem, UnsafeInputError


def import_modules(config: ExperimentConfig, *, allowed: bool) -> None:
    """Run the modules of a config's `imports:`, whose decorators add to the catalogs.

    Args:
        config: Each name is a Python file beside it, without the ending.
        allowed: Whether the user has agreed to run them.

    Raises:
        UnsafeInputError: If there are some and the user has not agreed.
        ConfigError: If a file does not exist.
    """
    names = config.imports or ()
    if names and not allowed:
        msg = f"{config.where('imports')}: imports names code to run: {', '.join(names)}"
        hint = "if you trust it, run again with --allow-imports"
        raise UnsafeInputError(msg, hint=hint, slug="unsafe/imports")
    for position, name in enumerate(names):
        _import(config, name, config.where("imports", position))


def _import(config: ExperimentConfig, name: str, where: str) -> None:
    path = config.directory / f"{name}.py"
    if not name.isidentifier() or not path.is_file():
        message = f"imports: expected a Python file beside the config, got {name!r}"
        raise ConfigError([Problem("config/no-module", where, message, f"looked for {path}")])
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        message = f"imports: expected a Python file beside the config, got {name!r}"
        raise ConfigError([Problem("config/no-module", where, message)])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
