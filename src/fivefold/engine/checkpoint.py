"""Bundles: weights and all that is needed to use them; safetensors and JSON, no pickle."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from safetensors.torch import load as from_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn

from fivefold.core import durable
from fivefold.core.damage import way_out
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder, encoder_name
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.engine.tensors import load_model_tensors, model_tensors
from fivefold.models import Classifier, InputSpec, ModelSpec, WeightsOrigin, build_classifier

logger = logging.getLogger(__name__)

_FORMAT = 1

HEAD, BACKBONE = "head.", "backbone."
"""What the names of the two parts' tensors begin with."""

_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Bundle:
    """What stands beside the weights of a finished stage.

    Attributes:
        spec: How to build the model.
        input_spec: How its weights expect pixels.
        sha256: Of the weights file.
        encoder_sha256: Of the file with the backbone, where it was frozen and lies by itself; ""
            where the weights file holds all.
        fold: Whose validation chose the weights.
        stage: 0-based.
        epoch: The best one, 0-based.
        metrics: All numbers of that epoch.
        origin: Of the pretrained weights that training started from.
        config: The experiment's config as it was.
        reused_from: The experiment that trained the stage, if it was taken from another; else "".
        class_weights: How much each class counted in training, by its name, computed from the
            fold's training samples: one number, or those of false and of true answers; empty where
            all counted the same.
        prior_shift: What is added to the logit of each class wherever the model predicts, in the
            order of the heads' classes, as float32 numbers; empty where nothing is.
        validated: How many samples the metrics are measured on; 0 where nobody has counted.
    """

    spec: ModelSpec
    input_spec: InputSpec
    sha256: str
    fold: _Count
    stage: _Count
    epoch: _Count
    metrics: Mapping[str, float]
    origin: WeightsOrigin
    config: Mapping[str, Any]
    reused_from: str = ""
    encoder_sha256: str = ""
    class_weights: Mapping[str, float | list[float]] = field(default_factory=dict)
    prior_shift: tuple[float, ...] = ()
    validated: _Count = 0


def save_weights(path: Path, model: nn.Module) -> str:
    """Write the weights of a model, or of a part of it, durably; returns their SHA-256."""
    return durable.write_bytes(path, to_safetensors(model_tensors(model)))


def load_weights(path: Path, sha256: str, hint: str = "") -> dict[str, Tensor]:
    """Read weights whose SHA-256 is known.

    Raises:
        StateError: If the file is missing or damaged; the hint says how to train it again.
    """
    return from_safetensors(durable.read_verified(path, sha256, hint or way_out(path)))


def save_trained(
    folder: RunFolder, fold: int, stage: int, model: Classifier, *, frozen: bool
) -> tuple[str, str]:
    """Write what a stage has trained; a frozen backbone goes to a file that the folds share.

    Returns:
        The SHA-256 of the weights file, and that of the backbone's file or "".
    """
    path = folder.weights(fold, stage)
    if not frozen:
        return save_weights(path, model), ""
    encoder_sha256 = _save_encoder(folder, model)
    head = {HEAD + name: tensor for name, tensor in model_tensors(model.head).items()}
    return durable.write_bytes(path, to_safetensors(head)), encoder_sha256


def _save_encoder(folder: RunFolder, model: Classifier) -> str:
    """Write a backbone once for all folds; returns its file's SHA-256."""
    known = model.backbone.file_sha256
    if not known or not durable.holds(folder.encoder(known), known):
        tensors = model_tensors(model.backbone)
        data = to_safetensors({BACKBONE + name: tensor for name, tensor in tensors.items()})
        known = hashlib.sha256(data).hexdigest()
        durable.write_bytes(folder.encoder(known), data)
        model.backbone.remember_file(known)
    return known


def load_trained(path: Path, bundle: Bundle) -> dict[str, Tensor]:
    """Read all weights of a finished stage, the frozen backbone's included.

    Args:
        path: The weights file; the backbone's lies beside it.
        bundle: What describes it.

    Raises:
        StateError: If a file is missing or damaged; the hint says how to train it again.
    """
    tensors = load_weights(path, bundle.sha256)
    if not bundle.encoder_sha256:
        return tensors
    encoder = path.parent / encoder_name(bundle.encoder_sha256)
    return {**load_weights(encoder, bundle.encoder_sha256, way_out(path)), **tensors}


def save_bundle(path: Path, bundle: Bundle) -> None:
    """Write a bundle's JSON durably: from now on the stage is finished."""
    # JSON has no NaN, which a metric may be; `read_sealed` takes the text for the number it is.
    metrics = {name: repr(float(value)) for name, value in bundle.metrics.items()}
    write_sealed(path, {**asdict(bundle), "metrics": metrics}, version=_FORMAT)


def load_bundle(path: Path) -> Bundle:
    """Read a bundle's JSON.

    Raises:
        StateError: If it is missing, damaged or of another format.
    """
    bundle = read_sealed(path, Bundle, version=_FORMAT, hint=way_out(path))
    channels = {len(bundle.input_spec.mean), len(bundle.input_spec.std)}
    if min(bundle.spec.shape) < 1 or channels != {bundle.spec.shape[2]}:
        msg = (
            f"{path}: expected height, width and channels, and a mean and a standard deviation "
            f"for each channel, got {bundle.spec.shape} and {bundle.input_spec}"
        )
        raise StateError(msg, hint=way_out(path), slug="state/damaged")
    return bundle


def load_model(folder: RunFolder, fold: int, stage: int) -> Classifier:
    """Load the best model of a finished stage, in eval mode.

    Raises:
        StateError: If the stage is not finished, or its files are damaged.
    """
    path = folder.bundle(fold, stage)
    if not path.exists():
        msg = f"{folder.root}: expected weights of fold {fold}, stage {stage}, got none"
        hint = f"`fivefold fit {folder.argument}` trains what is missing"
        raise StateError(msg, hint=hint, slug="state/not-trained")
    bundle = load_bundle(path)
    if (bundle.fold, bundle.stage) != (fold, stage):
        msg = (
            f"{path}: expected what describes fold {fold}, stage {stage}, "
            f"got fold {bundle.fold}, stage {bundle.stage}"
        )
        raise StateError(msg, hint=way_out(path), slug="state/damaged")
    model = build_classifier(bundle.spec, input_spec=bundle.input_spec)
    load_model_tensors(model, load_trained(folder.weights(fold, stage), bundle))
    model.origin = bundle.origin
    model.head.shift_by(bundle.prior_shift)
    return model.eval()
