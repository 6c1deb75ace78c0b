"""Where tensors live, and how pixels and targets get there."""

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from fivefold.core.choices import EXACT, Choices, Precision
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.types import Floats, Indices
from fivefold.data.batches import Batch
from fivefold.engine.allocator import keep_memory
from fivefold.models import Classifier
from fivefold.models.classifier import memory_format

logger = logging.getLogger(__name__)


@cache
def accelerator() -> Accelerator:
    """Make the one accelerator of this process.

    Raises:
        ConfigError: If the process was started as one of several.
    """
    keep_memory()
    made = Accelerator(mixed_precision="no")
    if made.num_processes > 1:
        message = f"expected one process, got {made.num_processes}: not yet supported"
        hint = "start fivefold without `accelerate launch`"
        raise ConfigError([Problem("config/not-yet", "", message, hint)])
    if made.device.type == "cuda":
        _make_exact()
    return made


def _make_exact() -> None:
    """Choose kernels that give the same bits each time; torch warns where there are none.

    TF32, which torch allows for convolutions, is a third precision that nobody has asked for.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.use_deterministic_algorithms(True, warn_only=True)


def on_device(model: Classifier, choices: Choices = EXACT) -> Classifier:
    """Move a model to the device; from now on it computes as was chosen.

    Nothing else has to be done for the precision: the model's `forward` and `features` look at it.
    Channels-last order, the usual one, is 2 to 3 times faster on CPUs for most nets.

    Args:
        model: Changed, and returned.
        choices: Of the run that the model belongs to. Where the device cannot compute in its
            precision, it is float32, and that is said.
    """
    model.choices = choices = possible_here(choices)
    return model.to(device=accelerator().device, memory_format=memory_format(choices))  # type: ignore[call-overload,no-any-return]  # torch's types lack it


def possible_here(choices: Choices) -> Choices:
    """Give what of a run's choices this device can do: another precision than float32 it may lack.

    That is said; the last digits then differ from those of the device that made the choice.
    """
    if choices.precision in precisions():
        return choices
    here = accelerator().device
    logger.warning("%s cannot compute in %s, float32 instead", here, choices.precision)
    return replace(choices, precision="float32")


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Give torch's operations so many threads on the CPU; the number before comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def precisions() -> tuple[Precision, ...]:
    """Name what the device can compute in; float16 is none of it: its range needs scaled losses."""
    device = accelerator().device.type
    if device == "cpu" or (device == "cuda" and torch.cuda.is_bf16_supported()):
        return ("float32", "bfloat16")
    return ("float32",)


def device_name() -> str:
    """Name the device so exactly that another name may mean other last bits, and another speed."""
    device = accelerator().device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    parts = (device.type, platform.machine(), _processor(), torch.backends.cpu.get_cpu_capability())
    return " ".join(part for part in parts if part)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


@dataclass(frozen=True, eq=False)
class DeviceBatch:
    """Some samples whose pixels are on the device already.

    Attributes:
        indices: Rows of the table [B].
        images: Pixels, uint8 [B, C, H, W] in channels-last order.
        targets: As in `Batch`.
        masks: What each pixel shows, uint8 [B, P, H, W]; None without masks.
    """

    indices: Indices
    images: Tensor
    targets: Floats | None
    masks: Tensor | None = None


def images_of(batch: Batch | DeviceBatch) -> Tensor:
    """Bring a batch's pixels to the device: uint8 [N, C, H, W] in channels-last order."""
    if isinstance(batch, DeviceBatch):
        return batch.images
    # [N, H, W, C] seen as [N, C, H, W] is channels-last without moving a byte.
    images = torch.from_numpy(batch.images).permute(0, 3, 1, 2)
    return images.to(accelerator().device, non_blocking=True)


def masks_of(batch: Batch | DeviceBatch) -> Tensor:
    """Bring a batch's masks to the device: uint8 [N, P, H, W].

    Raises:
        DataError: If it has none.
    """
    masks = batch.masks
    if masks is None:
        msg = "expected a mask for each image of a batch, got none"
        raise DataError(msg, hint="this is a defect of fivefold; please report it")
    if isinstance(masks, Tensor):
        return masks
    return torch.from_numpy(masks).permute(0, 3, 1, 2).to(accelerator().device, non_blocking=True)


def targets_of(batch: Batch | DeviceBatch) -> Tensor:
    """Bring a batch's targets to the device: float32 [N, all classes]."""
    return tensor_of(known_targets(batch))


def tensor_of(array: Floats) -> Tensor:
    """Bring an array to the device."""
    return torch.from_numpy(array).to(accelerator().device, non_blocking=True)


def known_targets(batch: Batch | DeviceBatch) -> Floats:
    """Give a batch's targets [N, all classes]; [N, 0] where the samples have no labels."""
    if batch.targets is None:
        return np.zeros((len(batch.indices), 0), np.float32)
    return batch.targets
