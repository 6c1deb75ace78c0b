"""What decides results and stands in no config: first weights, machine, switches, own code."""

import hashlib
import os
from dataclasses import asdict
from typing import Any

import torch

from fivefold.core.choices import Choices
from fivefold.engine.checkpoint import Bundle
from fivefold.engine.device import device_name
from fivefold.engine.tensors import model_tensors
from fivefold.experiment.own_code import own_code
from fivefold.models import Classifier

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
