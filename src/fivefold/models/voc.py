"""Weights of nets that have learned to segment the classes of Pascal VOC."""

import logging
from pathlib import Path
from typing import Any

from torchvision.models import segmentation

from fivefold.core.errors import DataError
from fivefold.models.architectures import VOC, VOC_BACKBONES
from fivefold.models.names import timm_name
from fivefold.models.origins import Found
from fivefold.models.places import Search
from fivefold.models.weights import IMAGENET

logger = logging.getLogger(__name__)

_PREFIX = "backbone."
_LICENCE = "bsd-3-clause"


def settled(weights: str, backbone: str) -> str:
    """Say which weights a backbone begins with where Pascal VOC's were asked for.

    Musket's were of a whole network in Keras, for two nets. For those that nobody has published
    here, the backbone begins with ImageNet's, which is said.

    Args:
        weights: As the config has them.
        backbone: A known name.
    """
    if weights != VOC or timm_name(backbone) in VOC_BACKBONES:
        return weights
    names = " and ".join(VOC_BACKBONES.values())
    logger.warning(
        "encoder_weights: nobody has published %s weights of %s: it begins with those of ImageNet; "
        "%s have them",
        *(VOC, backbone, names),
    )
    return IMAGENET


def find_voc(known: str, directory: Path) -> Found:
    """Find the weights of a backbone that torchvision has trained in DeepLabV3.

    They were trained on those images of COCO that show the classes of Pascal VOC. A file such as
    `resnet50_pascal_voc.safetensors` beside the config wins over what is published.

    Args:
        known: One of `VOC_BACKBONES`.
        directory: The config's folder.

    Raises:
        DataError: If they are nowhere to be had, or damaged.
    """
    name = VOC_BACKBONES[known]
    published: Any = getattr(segmentation, f"DeepLabV3_{name}_Weights").COCO_WITH_VOC_LABELS_V1
    facts = {"url": published.url, "license": _LICENCE}
    search = Search(f"{known}_{VOC}", facts, directory, learned="Pascal VOC")
    found = search.run()
    if found is None:
        msg = f"weights: expected those of {VOC} for {name!r}, got none: {'; '.join(search.tried)}"
        hint = "`encoder_weights: none` starts from random numbers, a path from a file"
        raise DataError(msg, hint=hint, slug="weights/not-found")
    own = {n: tensor for n, tensor in found.tensors.items() if n.startswith(_PREFIX)}
    tensors = {n.removeprefix(_PREFIX): tensor for n, tensor in own.items()}
    return Found(tensors or found.tensors, found.origin)
