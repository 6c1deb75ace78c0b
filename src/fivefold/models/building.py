"""From the description of a net to the net: a classifier, or a segmenter."""

from pathlib import Path

import torch

from fivefold.models.backbones import Backbone, build_backbone
from fivefold.models.channels import InputSpec
from fivefold.models.classifier import Classifier, ModelSpec
from fivefold.models.heads import ClassifierHead
from fivefold.models.stem import Stem
from fivefold.models.taking import LEARNED, Taken
from fivefold.models.weights import NONE


def build_classifier(
    spec: ModelSpec,
    *,
    weights: str = NONE,
    directory: Path = Path(),
    generator_seed: int = 0,
    input_spec: InputSpec | None = None,
) -> Classifier:
    """Build a classifier; the same seed gives the same bytes and leaves global state alone.

    Args:
        spec: What to build.
        weights: "imagenet", "none", or the path of a file, for the backbone.
        directory: Where relative paths start: the config's folder.
        generator_seed: Of the random numbers that the head, or the whole net, starts from.
        input_spec: How weights that are loaded later expect pixels; else the backbone says it.

    Raises:
        ConfigError: If the architecture is unknown or cannot take these images.
        DataError: If the weights are not to be had or do not fit.
        UnsafeInputError: If the file of weights could carry code.
    """
    if spec.makes_masks:
        from fivefold.models.segmenter import build_segmenter  # noqa: PLC0415  smp takes seconds

        return build_segmenter(
            spec,
            weights=weights,
            directory=directory,
            generator_seed=generator_seed,
            input_spec=input_spec,
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator_seed)
        backbone = build_backbone(
            spec.architecture,
            channels=3 if spec.downscaling.steps else spec.shape[2],
            taken=Taken(spec.pooling, spec.cut_levels),
            image_size=spec.image_size,
            copy_weights=spec.copy_weights,
            weights=weights,
            directory=directory,
        )
        if spec.downscaling.steps:
            torch.default_generator.manual_seed(generator_seed)
            _put_before(backbone, Stem(spec.shape[2], spec.downscaling), spec.shape[2])
    # Seeded once more: how the backbone came to its weights must not change the head.
    head = _draw_head(backbone, spec, generator_seed)
    return Classifier(backbone, head, input_spec or backbone.input_spec, spec.cells)


def with_new_head(model: Classifier, spec: ModelSpec, generator_seed: int) -> Classifier:
    """Make a classifier that shares a backbone, with the head that `build_classifier` would draw.

    Args:
        model: Whose backbone; what is done to it is done to both.
        spec: What the model was built from.
        generator_seed: Of the new head.
    """
    head = _draw_head(model.backbone, spec, generator_seed)
    made = Classifier(model.backbone, head, model.input_spec, spec.cells)
    made.choices = model.choices
    return made


def _draw_head(backbone: Backbone, spec: ModelSpec, generator_seed: int) -> ClassifierHead:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator_seed)
        return ClassifierHead(
            backbone.num_features,
            spec.heads,
            dropout=spec.dropout,
            hidden=spec.hidden,
            pools=spec.pooling == LEARNED,
        )


def _put_before(backbone: Backbone, stem: Stem, channels: int) -> None:
    """Let a stem see the images, whose pixels it expects from -1 to 1."""
    middle = (0.5,) * channels
    backbone.input_spec = InputSpec(middle, middle, backbone.input_spec.interpolation)
    backbone.stem = stem
