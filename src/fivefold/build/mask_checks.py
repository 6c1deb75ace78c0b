"""What a config says of what makes masks, against what there is; no torch."""

from collections.abc import Iterator, Mapping

from fivefold.config import ExperimentConfig
from fivefold.core.errors import Problem
from fivefold.core.segmenters import ARCHITECTURES, own_segmenters, segmenter_named
from fivefold.core.validation import shown
from fivefold.models.architectures import VOC, VOC_BACKBONES, Arguments
from fivefold.models.mask_options import read_options, spellings_of
from fivefold.models.names import backbone_problem, backbones, timm_name

_WHOLE = "what it is built from is its code's matter; options after a `*` are set below `decoder`"
_OF_IMAGES: Mapping[str, str] = {
    "pooling": "a decoder sees maps, and none of them is pooled",
    "head_layers": "a decoder stands in the place of such layers; `decoder` has its options",
    "cut_levels": "`encoder_depth` says how many levels are decoded",
    "downscaling": "masks would be as small as what the backbone sees; take a smaller `shape`",
    "frozen_views": "a decoder learns on the images in every epoch, each augmented anew",
}
"""Keys that mean nothing where masks are made, and why."""


def mask_problems(config: ExperimentConfig) -> Iterator[Problem]:
    """Find what is wrong with the keys of what makes masks."""
    if not config.makes_masks:
        yield from _without_masks(config)
        return
    if own_segmenters.find(config.architecture or ""):
        yield from _of_own(config)
    else:
        yield from _backbone(config)
        yield from _weights(config)
    yield from decoder_of(config)[1]
    yield from _keys_of_images(config)


def decoder_of(config: ExperimentConfig) -> tuple[Arguments, list[Problem]]:
    """Read the options of an architecture that makes masks.

    Returns:
        The arguments of the package's class, and what is wrong with what was written.
    """
    name, written, dropout = str(config.architecture), dict(config.decoder), "dropout"

    def at(option: str, *path: str | int) -> str:
        key = ("decoder", option) if option in config.decoder else (option,)
        return config.where(*key, *path)

    if dropout in config.model_fields_set:
        if dropout in spellings_of(name):
            written[dropout] = config.dropout
        elif config.dropout:
            message = f"dropout: expected 0 for {name}, got {config.dropout}"
            own = own_segmenters.find(name) is not None
            hint = "its code has no such option" if own else "its decoder drops nothing"
            problem = Problem("config/decoder", at(dropout), message, hint)
            return {}, [problem, *read_options(name, written, at)[1]]
    return read_options(name, written, at)


def _without_masks(config: ExperimentConfig) -> Iterator[Problem]:
    given = [(("backbone",), config.backbone)] if config.backbone else []
    options = [(("decoder", name), value) for name, value in config.decoder.items()]
    makers = f"{', '.join([*own_segmenters.names(), *ARCHITECTURES])} make masks"
    if config.architecture and config.dialect == "segmentation":
        message = (
            "architecture: expected one that makes masks, since the first line says Segmentation, "
            f"got {config.architecture!r}"
        )
        yield Problem("config/masks", config.where("architecture"), message, makers)
        return
    hint = f"a classifier's backbone is its `architecture`; {makers}"
    for path, value in [*given, *options] if config.architecture else ():
        message = (
            f"{path[-1]}: expected nothing, since {config.architecture!r} classifies images, "
            f"got {shown(value)}"
        )
        yield Problem("config/backbone", config.where(*path), message, hint)


def _backbone(config: ExperimentConfig) -> Iterator[Problem]:
    where, name = config.where("backbone"), config.backbone
    if name is None:
        hint = "for example `backbone: ResNet34`"
        message = f"backbone: required by {config.architecture!r}, but not set"
        yield Problem("config/missing-key", config.where(), message, hint)
    elif backbones.find(name):
        message = f"backbone: expected a net of timm, got {name!r}, a net of your own"
        hint = (
            "it gives one vector for an image, and classifies as `architecture`; a network of your "
            "own that makes masks is whole, see `fivefold.mask_architecture`"
        )
        yield Problem("config/backbone-maps", where, message, hint)
    elif problem := backbone_problem(name, where, "backbone"):
        yield problem


def _of_own(config: ExperimentConfig) -> Iterator[Problem]:
    """Find keys on an encoder, which a user's own network has none of that fivefold knows."""
    name = config.architecture
    if config.weights in ("imagenet", VOC):
        message = f"weights: expected 'none' or a path for {name!r}, got {config.weights!r}"
        hint = f"{name!r} is a net of your own: `weights: none` starts from its own numbers"
        yield Problem("weights/kind", config.where("weights"), message, hint)
    for key, value in (("backbone", config.backbone), ("copyWeights", config.copy_weights)):
        if value:
            message = (
                f"{key}: expected nothing, since {name!r} is a net of your own, got {shown(value)}"
            )
            yield Problem("config/own-masks", config.where(key), message, _WHOLE)
    frozen = next((stage for stage in config.resolve() if stage.frozen), None)
    if frozen:
        path = _held_by(config, frozen.index)
        message = (
            f"{'.'.join(map(str, path))}: expected a network that learns, since {name!r} is a net "
            "of your own and would be frozen as a whole"
        )
        hint = "`layers_to_train: 4` trains its last layers alone"
        yield Problem("config/own-masks", config.where(*path), message, hint)


def _held_by(config: ExperimentConfig, index: int) -> tuple[str | int, ...]:
    """Find the key that freezes the encoder in a stage."""
    keys = ("layers_to_train", "freeze_encoder", "unfreeze_encoder")
    own = next((key for key in keys if getattr(config.stages[index], key) is not None), None)
    if own:
        return "stages", index, own
    return ("freeze_encoder",) if config.freeze_encoder else ("layers_to_train",)


def _weights(config: ExperimentConfig) -> Iterator[Problem]:
    """Refuse Pascal VOC's weights where there are none, but for Musket's own networks with them."""
    net = timm_name(config.backbone or "")
    is_deeplab = str(segmenter_named(config.architecture or "")).startswith("DeepLab")
    if config.weights != VOC or net is None or net in VOC_BACKBONES or is_deeplab:
        return
    names = " and ".join(VOC_BACKBONES.values())
    message = (
        f"encoder_weights: expected 'imagenet', 'none' or a path for {config.backbone!r}, "
        f"got {VOC!r}"
    )
    hint = f"{names} have weights of that kind"
    yield Problem("weights/kind", config.where("weights"), message, hint)


def _keys_of_images(config: ExperimentConfig) -> Iterator[Problem]:
    for key, reason in _OF_IMAGES.items():
        field = type(config).model_fields[key]
        if (value := getattr(config, key)) != field.default:
            yield _no_meaning(config, (key,), value, reason)
    for index, stage in enumerate(config.stages):
        if stage.frozen_views is not None:
            path = ("stages", index, "frozen_views")
            yield _no_meaning(config, path, stage.frozen_views, _OF_IMAGES["frozen_views"])


def _no_meaning(
    config: ExperimentConfig, path: tuple[str | int, ...], value: object, reason: str
) -> Problem:
    key, name = ".".join(map(str, path)), config.architecture
    message = f"{key}: expected nothing, since {name!r} makes masks, got {shown(value)}"
    return Problem("config/of-images", config.where(*path), message, reason)
