"""What decides results and stands in no config: first weights, machine, switches, own code."""

import hashlib
import inspect
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from fivefold.augment import augmenters
from fivefold.config import ExperimentConfig
from fivefold.core.catalog import Catalog
from fivefold.core.choices import Choices
from fivefold.data.source import sources
from fivefold.engine.callbacks import callbacks
from fivefold.engine.checkpoint import Bundle
from fivefold.engine.device import device_name
from fivefold.engine.tensors import model_tensors
from fivefold.evaluation import metrics
from fivefold.losses import losses
from fivefold.models import Classifier
from fivefold.models.names import backbones
from fivefold.optim import optimizers, schedules

_CATALOGS: tuple[Catalog[Any], ...] = (
    augmenters,
    backbones,
    callbacks,
    losses,
    metrics,
    optimizers,
    schedules,
    sources,
)

# Read by torch's libraries; each of them chooses other kernels.
_SWITCHES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
)


def incoming_of_model(model: Classifier) -> str:
    """Compute a digest of the weights that a first stage starts from, in hex.

    Args:
        model: As training finds it.
    """
    hasher = hashlib.sha256(model.encoder_digest().encode())
    hasher.update(repr(asdict(model.origin)).encode())
    for name, tensor in sorted(model_tensors(model.head).items()):
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        hasher.update(tensor.numpy().tobytes())
    return hasher.hexdigest()


def incoming_of_bundle(bundle: Bundle) -> str:
    """Compute a digest of the weights that the next stage starts from, in hex."""
    facts = (bundle.sha256, bundle.encoder_sha256, asdict(bundle.input_spec), asdict(bundle.origin))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def surroundings(choices: Choices) -> dict[str, Any]:
    """Collect, as JSON values, what makes one machine's results differ from another's.

    Args:
        choices: How the run computes.
    """
    return {
        "profile": choices.profile,
        "precision": choices.precision,
        "layout": choices.layout,
        "threads": choices.threads,
        "matmul": torch.get_float32_matmul_precision(),
        "torch": [torch.__version__, torch.version.cuda, torch.backends.cudnn.version()],  # type: ignore[no-untyped-call]
        "device": device_name(),
        "switches": {name: os.environ[name] for name in _SWITCHES if name in os.environ},
        "own_code": own_code(),
    }


def is_code_known(config: ExperimentConfig) -> bool:
    """Tell whether a key can speak for all code that computes an experiment's results.

    Own code that `imports` names may do anything and lie in many files, which no key can tell; a
    component without a file could change unseen.
    """
    return not config.imports and own_code() is not None


def own_code() -> list[str] | None:
    """Digest the files of all components that fivefold does not bring.

    Returns:
        Module and SHA-256 of its file, each once, sorted; None where a component has no file, such
        as what was typed into a notebook.
    """
    found, read = set[str](), dict[Path, str]()
    for make in (component.make for catalog in _CATALOGS for component in catalog.components()):
        if make.__module__.partition(".")[0] == "fivefold":
            continue
        try:
            path = Path(inspect.getfile(inspect.unwrap(make)))
            if path not in read:
                read[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, TypeError):
            return None
        found.add(f"{make.__module__} {read[path]}")
    return sorted(found)
