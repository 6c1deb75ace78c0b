"""Opens an experiment: its config is checked before torch is loaded."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.experiment.loading import load_checked
from fivefold.experiment.run_record import recorded_warnings

if TYPE_CHECKING:
    from fivefold.experiment.experiment import Experiment


def open_experiment(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    allow_imports: bool = False,
    progress: Progress | None = None,
) -> "Experiment":
    """Read and check an experiment; see `Experiment.load`.

    Raises:
        ConfigError: With every problem of the config.
        UnsafeInputError: If the config names code and that was not allowed.
    """
    folder = RunFolder.of(path)
    with _nothing_is_garbage():
        with recorded_warnings() as said:
            config = load_checked(folder.config_path, overrides, allow_imports=allow_imports)
        from fivefold.experiment.experiment import Experiment  # noqa: PLC0415  takes seconds

    return Experiment(config, folder, allow_imports=allow_imports, progress=progress, warnings=said)


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """Search for no garbage while large modules are imported.

    That is a tenth of the time of importing torch and timm.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
