"""A stage that another experiment has trained alike is taken from there."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fivefold.config import ExperimentConfig
from fivefold.core import durable
from fivefold.core.cache_home import cache_home
from fivefold.core.choices import Choices
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.engine.checkpoint import load_bundle, load_trained, save_bundle
from fivefold.engine.stage_job import StageJob
from fivefold.engine.stage_results import forget_later, forget_running
from fivefold.engine.tensors import load_model_tensors
from fivefold.experiment.own_code import is_code_known, own_code, without_file
from fivefold.experiment.register import Found, Register, name_of
from fivefold.experiment.stage_key import StageFacts, data_digest, stage_key
from fivefold.experiment.surroundings import (
    incoming_of_bundle,
    incoming_of_model,
    surroundings,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    """What `Reuse.take` has asked for and not found."""

    key: str
    own_code: list[str] | None


@dataclass(eq=False)
class Reuse:
    """Takes finished stages for one experiment, and gives its own to others.

    Args:
        register: Of finished stages; None neither takes nor gives.
        directory: Where relative paths of the config start.
        choices: How the run computes.
    """

    register: Register | None
    directory: Path
    choices: Choices
    _asked: dict[tuple[int, int], _Asked] = field(default_factory=dict, init=False)

    def take(self, job: StageJob) -> bool:
        """Take a stage from where it was trained alike, and say so.

        Everything is then as if it had been trained here: the files, the model's weights, and that
        no commit is left.

        Args:
            job: About to be trained, with the weights to start from.

        Returns:
            False if there is nothing to take: the stage is still to be trained.

        Raises:
            ResourceError: If a file cannot be written.
        """
        if self.register is None:
            return False
        asked = _Asked(stage_key(self._facts(job)), own_code())
        found = self.register.find(asked.key)
        if found is None or not adopt(found, job.folder, job.config):
            self._asked[job.fold, job.stage.index] = asked
            return False
        weights = job.folder.weights(found.fold, found.stage)
        load_model_tensors(job.model, load_trained(weights, found.bundle))
        job.model.head.shift_by(found.bundle.prior_shift)
        job.pace.skip(job.stage.index, job.stage.epochs)
        job.progress.line(
            f"fold {found.fold}, stage {found.stage}: taken from {_shown(found.folder.root)}, "
            "trained there with the same config, data, seed and versions; "
            "`--no-reuse` trains it again"
        )
        return True

    def key(self, job: StageJob) -> str:
        """Name all that decides how a stage ends that is to be trained; see `stage_key`.

        Returns:
            Empty where nothing is taken or given.
        """
        asked = self._asked.get((job.fold, job.stage.index))
        return asked.key if asked else ""

    def give(self, job: StageJob, key: str) -> None:
        """Make a stage known to others, if the key that `take` has looked for says all of it.

        It does not where epochs were committed under another key, such as by another version, nor
        where own code was edited or loaded while the stage was trained.

        Args:
            job: Trained to its end.
            key: The one of all its epochs, as its commits say.
        """
        asked = self._asked.pop((job.fold, job.stage.index), None)
        if self.register and asked and key and asked == _Asked(key, own_code()):
            self.register.add(key, job.folder, job.fold, job.stage)

    def _facts(self, job: StageJob) -> StageFacts:
        index, data = job.stage.index, job.data
        if index:
            incoming = incoming_of_bundle(load_bundle(job.folder.bundle(job.fold, index - 1)))
        else:
            incoming = incoming_of_model(job.model)
        return StageFacts(
            stage=job.stage,
            spec=job.spec,
            fold=job.fold,
            seed=job.seed,
            data=data_digest(data.table, data.train_rows, data.val_rows, data.left_out),
            incoming=incoming,
            directory=self.directory,
            surroundings=surroundings(self.choices),
        )


def open_reuse(config: ExperimentConfig, choices: Choices, *, wanted: bool = True) -> Reuse:
    """Find out whether an experiment takes and gives finished stages.

    Args:
        config: Its `cache` is obeyed. With code that no key can tell, an experiment neither takes
            nor gives.
        choices: How the run computes.
        wanted: Whether the user wants stages to be reused.
    """
    home = cache_home(config.cache) if wanted else None
    if home and not config.runs_code and without_file():
        text = "stages are neither taken from other experiments nor given: %r is in no file"
        logger.warning(text, without_file())
    register = Register(home) if home and is_code_known(config) else None
    return Reuse(register, config.directory, choices)


def adopt(found: Found, folder: RunFolder, config: Mapping[str, Any]) -> bool:
    """Copy a finished stage; its bundle, which makes it a finished one here too, comes last.

    Args:
        found: What to take; it is only read.
        folder: Where the stage is wanted.
        config: The experiment's config, for the bundle.

    Returns:
        False if the files changed at this moment: then the stage is still to be trained.

    Raises:
        ResourceError: If a file cannot be written.
    """
    described = name_of(found.folder, found.folder.bundle(found.fold, found.stage))
    try:
        for name, sha256 in found.files.items():
            if name != described and not durable.holds(folder.root / name, sha256):
                data = durable.read_verified(found.folder.root / name, sha256)
                durable.write_bytes(folder.root / name, data)
    except StateError as error:
        logger.info("%s changed while it was read: %s", found.folder.root, error)
        return False
    forget_later(folder, found.fold, found.stage)
    bundle = replace(found.bundle, config=config, reused_from=as_text(found.folder.root))
    save_bundle(folder.bundle(found.fold, found.stage), bundle)
    forget_running(folder.state(found.fold), found.stage)
    return True


def as_text(path: Path) -> str:
    """Write a path as text that any file can hold; bytes that are none become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _shown(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):  # elsewhere, or this folder is gone
        return path
