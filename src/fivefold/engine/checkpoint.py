"""Bundles: weights and all that is needed to use them; safetensors and JSON, no pickle."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from fivefold.core import durable
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.engine.tensors import load_model_tensors, model_tensors
from fivefold.models import Classifier, InputSpec, ModelSpec, WeightsOrigin, build_classifier

logger = logging.getLogger(__name__)

_FORMAT = 1
_HEAD = "head."


@dataclass(frozen=True)
class Bundle:
    """What stands beside the weights of a finished stage.

    Attributes:
        spec: How to build the model.
        input_spec: How its weights expect pixels.
        sha256: Of the weights file.
        fold: Whose validation chose the weights.
        stage: 0-based.
        epoch: The best one, 0-based.
        metrics: All numbers of that epoch.
        origin: Of the pretrained weights that training started from.
        config: The experiment's config as it was.
    """

    spec: ModelSpec
    input_spec: InputSpec
    sha256: str
    fold: int
    stage: int
    epoch: int
    metrics: Mapping[str, float]
    origin: WeightsOrigin
    config: Mapping[str, Any]


def save_weights(path: Path, model: Classifier) -> str:
    """Write a model's weights durably; returns their SHA-256."""
    return durable.write_bytes(path, safetensors.torch.save(model_tensors(model)))


def load_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read weights whose SHA-256 is known.

    Raises:
        StateError: If the file is missing or damaged.
    """
    return safetensors.torch.load(durable.read_verified(path, sha256))


def save_bundle(path: Path, bundle: Bundle) -> None:
    """Write a bundle's JSON durably: from now on the stage is finished."""
    record = {**asdict(bundle), "format": _FORMAT}
    record["metrics"] = {name: repr(float(value)) for name, value in bundle.metrics.items()}
    durable.write_json(path, record)


def load_bundle(path: Path) -> Bundle:
    """Read a bundle's JSON.

    Raises:
        StateError: If it is missing, damaged or of another format.
    """
    record = durable.read_json(path)
    if record.pop("format", None) != _FORMAT:
        msg = f"{path}: expected a bundle of format {_FORMAT}"
        raise StateError(msg, hint="it was written by another version", slug="state/format")
    try:
        return Bundle(
            spec=_spec(record.pop("spec")),
            input_spec=InputSpec(**_tupled(record.pop("input_spec"))),
            metrics={name: float(text) for name, text in record.pop("metrics").items()},
            origin=WeightsOrigin(**record.pop("origin")),
            **record,
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path}: expected a bundle, got one without {error}"
        raise StateError(msg, slug="state/damaged") from error


def load_model(folder: RunFolder, fold: int, stage: int) -> Classifier:
    """Load the best model of a finished stage, in eval mode.

    Raises:
        StateError: If the stage is not finished, or its files are damaged.
    """
    path = folder.bundle(fold, stage)
    if not path.exists():
        msg = f"{folder.root}: expected weights of fold {fold}, stage {stage}, got none"
        hint = f"`fivefold fit {folder.root}` trains what is missing"
        raise StateError(msg, hint=hint, slug="state/not-trained")
    bundle = load_bundle(path)
    model = build_classifier(bundle.spec, input_spec=bundle.input_spec)
    load_model_tensors(model, load_weights(folder.weights(fold, stage), bundle.sha256))
    model.origin = bundle.origin
    return model.eval()


def load_initial_weights(model: Classifier, path: Path) -> None:
    """Start from another experiment's weights; a head for other classes keeps its own start.

    Args:
        model: Changed in place.
        path: A `.safetensors` of fivefold; Musket's ending `.weights` means the same file.

    Raises:
        DataError: If there is no such file, or it holds no weights.
        StateError: If it is damaged, or the backbone differs.
    """
    path = path.with_suffix(".safetensors") if path.suffix == ".weights" else path
    if not path.is_file():
        msg = f"initial_weights: expected a file, got {str(path)!r}, which does not exist"
        raise DataError(msg, hint="paths start at the config's folder", slug="weights/not-found")
    described = path.with_suffix(".json")
    if described.exists():
        tensors = load_weights(path, load_bundle(described).sha256)
    else:
        tensors = _foreign(path)
    own = model.state_dict()
    head_fits = all(t.shape == own[n].shape for n, t in tensors.items() if n in own)
    if not head_fits:
        logger.warning("%s: its head is for other classes; only the backbone is taken", path)
        tensors = {n: own[n] if n.startswith(_HEAD) else t for n, t in tensors.items()}
    load_model_tensors(model, {**{n: t for n, t in own.items() if n.startswith(_HEAD)}, **tensors})


def _foreign(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(path.read_bytes())
    except safetensors.SafetensorError as error:
        msg = f"{path}: expected weights in a .safetensors file, got {error}"
        raise DataError(msg, slug="weights/damaged") from error


def _spec(record: dict[str, Any]) -> ModelSpec:
    heads = tuple(Head(**_tupled(head)) for head in record.pop("heads"))
    return ModelSpec(heads=heads, **_tupled(record))


def _tupled(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in record.items()}
