"""One file of weights that all tools start from, so that a frozen stage has something to learn on.

No weights can be downloaded everywhere; so a net is trained for a short while on drawn pictures
that are in no data set. It is made once and kept beside the data.
"""

import hashlib
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.data import PATTERNS, drawn_batches

_BATCH = 64
_SIZE = 64
_MEAN = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1) * 255
_STD = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1) * 255


def initial_weights(folder: Path, architecture: str, steps: int = 200) -> Path:
    """Make, or find, a `.safetensors` with timm's names and a head for the ten classes.

    Args:
        folder: Where all sets lie.
        architecture: A name of timm.
        steps: How long to train, in batches of 64 drawn pictures.

    Returns:
        Its path; beside it, with `.fivefold` before the ending, the same under fivefold's names.
    """
    path = folder / f"{architecture}-{steps}.safetensors"
    own = path.with_suffix(".fivefold.safetensors")
    if not (path.exists() and own.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        model = _trained(architecture, steps)
        tensors = {name: t.contiguous() for name, t in model.state_dict().items()}
        head = next(name for name in tensors if tensors[name].shape[:1] == (len(PATTERNS),))
        save_file(_fivefold_names(tensors, head.rpartition(".")[0]), own)
        save_file(tensors, path)
    return path


def digest(path: Path) -> str:
    """Compute the SHA-256 of a file of weights, for the record."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _trained(architecture: str, steps: int) -> nn.Module:
    torch.manual_seed(0)
    model: Any = timm.create_model(architecture, num_classes=len(PATTERNS))
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    # Falling to nothing, so that BatchNorm's running statistics are those of the last weights.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for images, labels in drawn_batches(_BATCH, steps, _SIZE):
        pixels = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - _MEAN) / _STD
        loss = nn.functional.cross_entropy(model(pixels), torch.from_numpy(labels))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
        optimizer.step()
        schedule.step()
    # The classes were the same: a head that knows them would leave a frozen stage nothing to do.
    head = model.get_classifier()
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return model.eval()  # type: ignore[no-any-return]  # timm has no types


def _fivefold_names(tensors: dict[str, torch.Tensor], head: str) -> dict[str, torch.Tensor]:
    return {
        (
            f"head.linear.{name.rpartition('.')[2]}"
            if name.startswith(f"{head}.")
            else f"backbone.net.{name}"
        ): tensor
        for name, tensor in tensors.items()
    }
