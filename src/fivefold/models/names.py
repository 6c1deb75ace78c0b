"""Names of backbones: the users' own, Keras and Musket spellings, and everything in timm.

They are answered without loading torch or timm, unless timm is another version than the one whose
names `timm_list` has.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fivefold.core.catalog import Catalog
from fivefold.core.errors import Problem, did_you_mean
from fivefold.core.own_parts import Part
from fivefold.core.segmenters import segmenter_named
from fivefold.models.timm_list import timm_list

if TYPE_CHECKING:
    from torch import nn


def arguments_of(
    make: Callable[..., Any], shape: tuple[int, int, int]
) -> dict[str, int | tuple[int, int, int]]:
    """Choose what a user's own net is told of the images, by the names of its parameters.

    Args:
        make: Its class or function.
        shape: Height and width in pixels, and channels.
    """
    known: dict[str, int | tuple[int, int, int]] = {"in_channels": shape[2], "input_shape": shape}
    return {name: known[name] for name in inspect.signature(make).parameters if name in known}


def _can_be_made(part: Part) -> Callable[..., Any]:
    signature = inspect.signature(part.make)
    if segmenter_named(part.name):
        part.refuse("a name of no architecture that makes masks", repr(part.name))
    try:
        signature.bind(**arguments_of(part.make, (32, 32, 3)))
    except TypeError:
        wanted = (
            "`in_channels` or `input_shape`, no other without a default; the last layer is ours"
        )
        part.refuse(f"a class or function of {wanted}", str(signature))
    return part.make


backbones: "Catalog[nn.Module]" = Catalog("backbone", guard=_can_be_made)
"""Users' own nets: `make(*, in_channels=3)` gives a net from [N, C, H, W] to [N, num_features].

Where they take `input_shape`, it is (height, width, channels).
"""

KERAS_NAMES = {
    "ResNet18": "resnet18",
    "ResNet34": "resnet34",
    "ResNet50": "resnet50",
    "ResNet101": "resnet101",
    "ResNet152": "resnet152",
    "ResNet50V2": "resnetv2_50",
    "ResNet101V2": "resnetv2_101",
    "ResNet152V2": "resnetv2_152",
    "ResNeXt50": "resnext50_32x4d",
    # timm's default weights of this net are licensed for non-commercial use only
    "ResNeXt101": "resnext101_32x4d.gluon_in1k",
    "VGG16": "vgg16",
    "VGG19": "vgg19",
    "InceptionV3": "inception_v3",
    "InceptionResNetV2": "inception_resnet_v2",
    # "legacy" is the net that Keras has; timm's xception41 and the like are another one
    "Xception": "legacy_xception",
    "MobileNet": "mobilenetv1_100",
    "MobileNetV2": "mobilenetv2_100",
    "DenseNet121": "densenet121",
    "DenseNet169": "densenet169",
    "DenseNet201": "densenet201",
    "NASNetMobile": "nasnetmobile",
    "NASNetLarge": "nasnetalarge",
    # "tf_" pads as TensorFlow does, which Keras's nets were trained with
    **{f"EfficientNetB{size}": f"tf_efficientnet_b{size}" for size in range(8)},
    **{f"EfficientNetLite{size}": f"tf_efficientnet_lite{size}" for size in range(3)},
    # Musket's image-classifiers package has these too
    **{f"SEResNet{depth}": f"legacy_seresnet{depth}" for depth in (18, 34, 50, 101, 152)},
    "SEResNeXt50": "legacy_seresnext50_32x4d",
    "SEResNeXt101": "legacy_seresnext101_32x4d",
    "SENet154": "legacy_senet154",
}
"""From Keras's and Musket's names to timm's."""

_BY_FOLDED = {name.casefold(): timm for name, timm in KERAS_NAMES.items()}


def timm_name(name: str) -> str | None:
    """Find the timm net that a name means.

    Args:
        name: A name of the table in any case, or timm's own, with or without a tag.

    Returns:
        timm's spelling, or None when there is no such net; users' own nets are not timm's.
    """
    folded = name.strip().casefold()
    if folded in _BY_FOLDED:
        return _BY_FOLDED[folded]
    if not folded:
        return None
    if "timm" in sys.modules:  # a user's module may have given it more nets
        return folded if _timm_has(folded) else None
    known = timm_list().has(folded) or (not timm_list().is_installed() and _timm_has(folded))
    return folded if known else None


def _timm_has(name: str) -> bool:
    import timm  # noqa: PLC0415  takes seconds, and its list answers most questions

    if not timm.is_model(name):
        return False
    net, dot, tag = name.partition(".")
    return not dot or tag in [full.partition(".")[2] for full in timm.list_pretrained(net)]


def is_known(name: str) -> bool:
    """Say whether a name means a net: a user's own, one of the table, or one of timm's."""
    return backbones.find(name) is not None or timm_name(name) is not None


def backbone_problem(
    name: str, where: str = "", key: str = "architecture", others: Sequence[str] = ()
) -> Problem | None:
    """Say what is wrong with a backbone's name, if anything is; see `unknown`."""
    return None if is_known(name) else unknown(name, where, key, others)


def unknown(
    name: str, where: str = "", key: str = "architecture", others: Sequence[str] = ()
) -> Problem:
    """Word the problem of a name that means no net; gives the closest that does.

    Args:
        name: What was written.
        where: It stands in the config.
        key: Of the config.
        others: Names that would be right there too.
    """
    known = [*others, *backbone_names()]
    hint = did_you_mean(name, known, "`fivefold list backbones` names all of them")
    message = f"{key}: expected the name of a known backbone, got {name!r}"
    return Problem("config/unknown-name", where, message, hint)


def backbone_names() -> list[str]:
    """List all names: the users' own, the table, then timm's."""
    named = [*backbones.names(), *KERAS_NAMES]
    taken = {name.casefold() for name in named}
    return [*named, *(name for name in _timm_names() if name not in taken)]


def _timm_names() -> list[str]:
    if "timm" not in sys.modules and timm_list().is_installed():
        return timm_list().names
    import timm  # noqa: PLC0415  as above

    names: list[str] = timm.list_models()
    return names
