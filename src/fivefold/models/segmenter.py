"""A segmenter: from pixels to logits of a class for every pixel."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.segmenters import own_segmenters
from fivefold.models.architectures import architectures
from fivefold.models.cells import WHOLE, Cells
from fivefold.models.channels import InputSpec
from fivefold.models.classifier import Classifier, ModelSpec
from fivefold.models.decoders import MaskHead, build_mask_head
from fivefold.models.encoders import Encoder, build_encoder
from fivefold.models.maps import Wish, rounded_up
from fivefold.models.own_segmenters import build_mask_net
from fivefold.models.voc import settled
from fivefold.models.weights import NONE

_LARGEST = 1024
"""Up to which side a size is looked for that an architecture takes."""


class FeatureMaps(NamedTuple):
    """What an encoder makes of images.

    Attributes:
        maps: What the encoder gives for the padded images.
        top: Rows of padding above the images, in pixels.
        left: Columns of padding beside them.
        height: Of the images themselves.
        width: The same.
    """

    maps: Any
    top: int
    left: int
    height: int
    width: int


class Segmenter(Classifier):
    """From pixels to logits of masks; what holds of a classifier holds of it too.

    Images whose sides are no multiples of the encoder's stride are surrounded by pixels of the
    mean colour, as convolutions see what lies beyond an image; the masks are cut out again.

    Args:
        encoder: From normalised pixels to maps.
        head: From maps to logits [N, classes, H, W].
        input_spec: How the encoder's weights expect pixels.
        cells: How whole images are cut.
    """

    head: MaskHead
    backbone: Encoder

    def __init__(
        self, encoder: Encoder, head: MaskHead, input_spec: InputSpec, cells: Cells = WHOLE
    ) -> None:
        super().__init__(encoder, head, input_spec, cells)

    def forward(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W], 0-255, into logits [N, classes, H, W] of any float type.

        Where the network sees cells, it takes these, or whole images and joins their masks.
        """
        if not self.cells.are_in(images):
            return self.classify(self.features(images))
        logits = self.classify(self.features(self.cells.cut(images)))
        return self.cells.put_together(logits)

    def features(self, images: Tensor) -> Any:
        """Turn pixels [N, C, H, W], 0-255, into `FeatureMaps`; no gradients when frozen."""
        pixels = self.normalised(images)
        multiple, (height, width) = self.backbone.maps.multiple, pixels.shape[2:]
        below, beside = -height % multiple, -width % multiple
        top, left = below // 2, beside // 2
        if below or beside:
            pixels = functional.pad(pixels, (left, beside - left, top, below - top))
        return FeatureMaps(self.encoded(pixels), top, left, height, width)

    def classify(self, features: Any) -> Tensor:
        """Turn what `features` gives into logits [N, classes, H, W] of the images' size."""
        maps, top, left, height, width = features
        with self.in_precision():
            decoded = self.head.decode(maps)
        # The last layer computes in float32: bfloat16 would leave logits two or three digits.
        logits = self.head.answer(decoded.to(self.pixel_scale.dtype))
        return logits[:, :, top : top + height, left : left + width]


def build_segmenter(
    spec: ModelSpec,
    *,
    weights: str = NONE,
    directory: Path = Path(),
    generator_seed: int = 0,
    input_spec: InputSpec | None = None,
) -> Segmenter:
    """Build a segmenter; see `build_classifier`, which calls this where a spec makes masks."""
    own = own_segmenters.find(spec.architecture)
    if own is not None:
        return _build_own(own, spec, weights, directory, generator_seed, input_spec)
    component = architectures.get(spec.architecture)
    arguments = dict(spec.decoder) or component.make()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator_seed)
        encoder = build_encoder(
            spec.backbone,
            (*spec.image_size, spec.shape[2]),
            _wish(component.name, arguments),
            copy_weights=spec.copy_weights,
            weights=settled(weights, spec.backbone),
            directory=directory,
        )
        # Seeded once more: how the encoder came to its weights must not change the decoder.
        torch.default_generator.manual_seed(generator_seed)
        head = build_mask_head(component.name, arguments, encoder.maps, spec.heads)
    model = Segmenter(encoder, head, input_spec or encoder.input_spec, spec.cells)
    _check_size(model, spec)
    return model


def _build_own(
    component: Component[Any],
    spec: ModelSpec,
    weights: str,
    directory: Path,
    generator_seed: int,
    input_spec: InputSpec | None,
) -> Segmenter:
    """Build a segmenter of a user's own network, whose head has nothing left to do."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator_seed)
        net = build_mask_net(
            component,
            dict(spec.decoder),
            (*spec.image_size, spec.shape[2]),
            spec.heads[0].num_classes,
            weights=weights,
            directory=directory,
        )
    head = MaskHead(nn.Identity(), nn.Identity(), spec.heads)
    return Segmenter(net, head, input_spec or net.input_spec, spec.cells)


def _wish(architecture: str, arguments: dict[str, Any]) -> Wish:
    stride = arguments.get("encoder_output_stride", 0)
    indices = tuple(arguments.get("encoder_output_indices") or ())
    return Wish(arguments["encoder_depth"], stride, architecture == "DPT", indices)


def _check_size(model: Segmenter, spec: ModelSpec) -> None:
    """Refuse images that are too small for an architecture, before any is seen.

    Raises:
        ConfigError: If masks are not as large as images; names a size that works.
    """
    multiple, crops = model.backbone.maps.multiple, spec.crops
    height, width = rounded_up(spec.image_size, multiple)
    training = model.head.training
    model.head.eval()
    larger = range(multiple, _LARGEST, multiple)
    sizes = [(height, width), *((max(height, n), max(width, n)) for n in larger)]
    fitting = next((size for size in sizes if _decodes(model, size)), None)
    model.head.train(training)
    if fitting == (height, width):
        return
    name = f"{spec.architecture} on {spec.backbone}"
    message = f"shape: expected a larger one for {name}, got {list(spec.shape)}"
    hint = "another backbone or another option of `decoder` may take it"
    if fitting is not None:
        hint = f"use `shape: {[fitting[0] * crops, fitting[1] * crops, spec.shape[2]]}`"
    raise ConfigError([Problem("config/shape", "", message, hint)])


def _decodes(model: Segmenter, size: tuple[int, int]) -> bool:
    """Say whether a decoder takes an encoder's maps, and its masks are as large as the image."""
    encoder = model.backbone
    try:
        with torch.no_grad():
            if encoder.maps.exact:
                logits = model.head(encoder.maps.empty(*size))
            else:  # a net that loses pixels may not take small images at all
                channels = len(model.input_spec.mean)
                logits = model.head(encoder(torch.zeros(1, channels, *size)))
    except (IndexError, RuntimeError, ValueError):
        return False
    return tuple(logits.shape[2:]) == size
