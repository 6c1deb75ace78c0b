"""`initial_weights`: a stage that starts from another experiment's weights."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors
from safetensors.torch import load as from_safetensors
from torch import Tensor

from fivefold.core.errors import DataError
from fivefold.core.types import Head
from fivefold.engine.checkpoint import HEAD, load_bundle, load_trained
from fivefold.models import Classifier
from fivefold.models.backbones import Backbone

logger = logging.getLogger(__name__)

DECODER = f"{HEAD}decoder."
"""What the names of a head's tensors begin with that say nothing about the classes of masks."""


def load_initial_weights(models: Sequence[Classifier], path: Path) -> None:
    """Start from another experiment's weights; a head of other classes keeps its own start.

    Of a net that makes masks only the last layer does: its decoder is taken.

    Args:
        models: Of one architecture; changed in place. They may share a backbone.
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
    own = models[0].state_dict()
    _check_backbone(path, tensors, own)
    if not _fits(HEAD, tensors, own) or heads not in (None, models[0].heads):
        tensors = _without_last(path, tensors, own)
    loaded: list[Backbone] = []
    for model in models:
        shared = any(model.backbone is backbone for backbone in loaded)
        left = {name: t for name, t in tensors.items() if not shared or name.startswith(HEAD)}
        model.load_state_dict(left, strict=False)  # names and shapes were compared above
        loaded.append(model.backbone)


def _read(path: Path) -> tuple[dict[str, Tensor], tuple[Head, ...] | None]:
    """Read weights, and the classes that they are for where a bundle tells."""
    described = path.with_suffix(".json")
    if described.exists():
        bundle = load_bundle(described)
        return load_trained(path, bundle), bundle.spec.heads
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
    wanted = {name: t.shape for name, t in own.items() if not name.startswith(HEAD)}
    given = {name: t.shape for name, t in tensors.items() if not name.startswith(HEAD)}
    differ = sorted(n for n in wanted.keys() | given if wanted.get(n) != given.get(n))
    if not given:
        msg = f"{path}: expected weights of a whole net, got those of a head alone"
        hint = "keep the .json and the encoder-….safetensors that lie beside it in its experiment"
        raise DataError(msg, hint=hint, slug="weights/mismatch")
    if differ:
        shown = ", ".join(differ[:3]) + (f" and {len(differ) - 3} more" if differ[3:] else "")
        msg = f"{path}: expected weights of this backbone, got others: {shown}"
        hint = "`architecture` must be the net that the weights were trained with"
        raise DataError(msg, hint=hint, slug="weights/mismatch")


def _without_last(
    path: Path, tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Leave out what is for other classes: of a head that makes masks the last layer alone."""
    if any(name.startswith(DECODER) for name in own) and _fits(DECODER, tensors, own):
        text, kept = "%s: its masks are of other classes; all but the last layer is taken", DECODER
    else:
        text = "%s: its head is for other classes or has other layers; only the backbone is taken"
        kept = ""
    logger.warning(text, path)
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(HEAD) or (kept and name.startswith(kept))
    }


def _fits(part: str, tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    """Say whether a part of the model has the same layers in both."""
    wanted, given = (
        {name: tensor.shape for name, tensor in named.items() if name.startswith(part)}
        for named in (own, tensors)
    )
    return wanted == given
