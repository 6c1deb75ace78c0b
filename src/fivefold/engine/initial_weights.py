"""`initial_weights`: a stage that starts from another experiment's weights."""

import logging
from collections.abc import Mapping
from pathlib import Path

import safetensors
from safetensors.torch import load as from_safetensors
from torch import Tensor

from fivefold.core.errors import DataError
from fivefold.core.types import Head
from fivefold.engine.checkpoint import load_bundle, load_weights
from fivefold.models import Classifier

logger = logging.getLogger(__name__)

_HEAD = "head."


def load_initial_weights(model: Classifier, path: Path) -> None:
    """Start from another experiment's weights; a head for other classes keeps its own start.

    Args:
        model: Changed in place.
        path: A `.safetensors` of fivefold; Musket's ending `.weights` means the same file.

    Raises:
        DataError: If there is no such file, it holds no weights, or the backbone differs.
        StateError: If it is damaged.
    """
    path = path.with_suffix(".safetensors") if path.suffix == ".weights" else path
    if not path.is_file():
        msg = f"initial_weights: expected a file, got {str(path)!r}, which does not exist"
        raise DataError(msg, hint="paths start at the config's folder", slug="weights/not-found")
    tensors, heads = _read(path)
    own = model.state_dict()
    _check_backbone(path, tensors, own)
    if not _head_fits(tensors, own) or heads not in (None, model.heads):
        logger.warning("%s: its head is for other classes; only the backbone is taken", path)
        tensors = {name: t for name, t in tensors.items() if not name.startswith(_HEAD)}
    model.load_state_dict({**own, **tensors})


def _read(path: Path) -> tuple[dict[str, Tensor], tuple[Head, ...] | None]:
    """Read weights, and the classes that they are for where a bundle tells."""
    described = path.with_suffix(".json")
    if described.exists():
        bundle = load_bundle(described)
        return load_weights(path, bundle.sha256), bundle.spec.heads
    try:
        tensors = from_safetensors(path.read_bytes())
    except safetensors.SafetensorError as error:
        msg = f"{path}: expected weights in a .safetensors file, got {error}"
        raise DataError(msg, slug="weights/damaged") from error
    broken = [
        name for name, t in tensors.items() if t.is_floating_point() and not t.isfinite().all()
    ]
    if broken:
        msg = f"{path}: expected finite weights, got NaN or infinity in {broken[0]}"
        raise DataError(msg, hint="use an earlier checkpoint", slug="weights/not-finite")
    return tensors, None


def _check_backbone(path: Path, tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    wanted = {name: t.shape for name, t in own.items() if not name.startswith(_HEAD)}
    given = {name: t.shape for name, t in tensors.items() if not name.startswith(_HEAD)}
    differ = sorted(n for n in wanted.keys() | given if wanted.get(n) != given.get(n))
    if differ:
        shown = ", ".join(differ[:3]) + (f" and {len(differ) - 3} more" if differ[3:] else "")
        msg = f"{path}: expected weights of this backbone, got others: {shown}"
        hint = "`architecture` must be the net that the weights were trained with"
        raise DataError(msg, hint=hint, slug="weights/mismatch")


def _head_fits(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    return all(
        name in tensors and tensors[name].shape == tensor.shape
        for name, tensor in own.items()
        if name.startswith(_HEAD)
    )
