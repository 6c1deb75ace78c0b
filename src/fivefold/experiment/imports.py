"""Users' own components: Python files beside the config or of its project, run with consent."""

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from fivefold.config import MODULES, SHARED_NAME, ExperimentConfig, find_project
from fivefold.core import musket_imports
from fivefold.core.errors import ConfigError, Problem, UnsafeInputError

_PRIVATE = "fivefold_imports_"


def import_modules(config: ExperimentConfig, *, allowed: bool) -> None:
    """Run the modules of a config's `imports:`, whose decorators add to the catalogs.

    Of a project, everything in `modules/` is run too, by name, after what the config names.

    Each runs once, under a private name: `torch.py` beside a config takes the place of no package.
    Where nothing else has its own name, other modules may import it by that.

    Args:
        config: Each name is a Python file beside it, beside the `common.yaml` of its project, or
            in the project's `modules/`, without the ending.
        allowed: Whether the user has agreed to run them.

    Raises:
        UnsafeInputError: If there are some and the user has not agreed.
        ConfigError: If a file does not exist, or its code raises.
    """
    names, modules = config.imports or (), config.modules
    if (names or modules) and not allowed:
        place = f"{config.where('imports')}: imports" if names else str(modules[0].parent)
        code = ", ".join([*names, *(path.stem for path in modules if path.stem not in names)])
        hint = "if you trust it, run again with --allow-imports"
        msg = f"{place} names code to run: {code}"
        raise UnsafeInputError(msg, hint=hint, slug="unsafe/imports")
    if names or modules:
        musket_imports.install()
    for position, name in enumerate(names):
        _import(name, _path_of(config, name), config.where("imports", position))
    for path in modules:
        if path.stem not in names:
            _import(path.stem, path, str(path.parent))


def modules_of(config: ExperimentConfig) -> Iterator[ModuleType]:
    """Give the modules that `import_modules` has run for a config, in its order."""
    names = config.imports or ()
    paths = {name: _path_of(config, name) for name in names}
    paths |= {path.stem: path for path in config.modules if path.stem not in names}
    for name, path in paths.items():
        module = _loaded(_PRIVATE + name, path) or _loaded(name, path)
        if module:
            yield module


def _path_of(config: ExperimentConfig, name: str) -> Path:
    """Find the file of a name: beside the config, else in its project."""
    project = find_project(config.directory / SHARED_NAME)
    beside = config.directory / f"{name}.py"
    others = [project / f"{name}.py", project / MODULES / f"{name}.py"] if project else []
    if config.directory.name.isdecimal():  # a repeat of the experiment above, see `num_seeds`
        others.insert(0, config.directory.parent / f"{name}.py")
    return next((path for path in (beside, *others) if path.is_file()), beside)


def _import(name: str, path: Path, where: str) -> None:
    spec = importlib.util.spec_from_file_location(_PRIVATE + name, path)
    loader = spec.loader if spec and name.isidentifier() and path.is_file() else None
    if spec is None or loader is None:
        message = f"imports: expected a Python file beside the config, got {name!r}"
        raise ConfigError([Problem("config/no-module", where, message, f"looked for {path}")])
    module = next((m for key in (spec.name, name) if (m := _loaded(key, path))), None)
    module = module or _run(spec, loader, path, where)
    if _is_free(name):
        sys.modules[name] = module


def _loaded(name: str, path: Path) -> ModuleType | None:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    return module if file and Path(file).resolve() == path.resolve() else None


def _is_free(name: str) -> bool:
    if name in sys.modules:  # the file of another experiment gives way
        return sys.modules[name].__name__.startswith(_PRIVATE)
    return importlib.util.find_spec(name) is None


def _run(spec: ModuleSpec, loader: Loader, path: Path, where: str) -> ModuleType:
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    try:
        loader.exec_module(module)
    except ConfigError:  # about a part in it, by the line
        del sys.modules[spec.name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        text = f"{type(error).__name__}: {error}".partition("\n")[0]
        message = f"imports: expected this file to run, got {text}"
        place = f"{path}:{_line(error, path)}"
        hint = f"it is named at {where}"
        raise ConfigError([Problem("config/import-failed", place, message, hint)]) from error
    return module


def _line(error: BaseException, path: Path) -> int:
    """Find where in a file an error came from; 1 where nothing tells."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno or 1 for f in reversed(frames) if f.filename == str(path)), 1)
