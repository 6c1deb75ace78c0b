"""A segmenter: from pixels to logits of a class for every pixel."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fivefold.models.cells import WHOLE, Cells
from fivefold.models.channels import InputSpec
from fivefold.models.classifier import Classifier, ModelSpec
from fivefold.models.decoders import MaskHead, build_mask_head
from fivefold.models.encoders import Encoder, build_encoder
from fivefold.models.weights import NONE


class FeatureMaps(NamedTuple):
    """What an encoder makes of images.

    Attributes:
        maps: Of every level, the padded images themselves first.
        top: Rows of padding above the images, in pixels.
        left: Columns of padding beside them.
        height: Of the images themselves.
        width: The same.
    """

    maps: list[Tensor]
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
        stride, (height, width) = self.backbone.levels.stride, pixels.shape[2:]
        below, beside = -height % stride, -width % stride
        top, left = below // 2, beside // 2
        if below or beside:
            pixels = functional.pad(pixels, (left, beside - left, top, below - top))
        return FeatureMaps(self.encoded(pixels), top, left, height, width)

    def classify(self, features: Any) -> Tensor:
        """Turn what `features` gives into logits [N, classes, H, W] of the images' size."""
        maps, top, left, height, width = features
        with self.in_precision():
            decoded = self.head.decoder(maps)
        logits: Tensor = self.head.last(decoded.to(self.pixel_scale.dtype))
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
    options = dict(spec.decoder)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator_seed)
        encoder = build_encoder(
            spec.backbone,
            channels=spec.shape[2],
            image_size=spec.image_size,
            depth=options.get("encoder_depth", 5),
            copy_weights=spec.copy_weights,
            weights=weights,
            directory=directory,
        )
        # Seeded once more: how the encoder came to its weights must not change the decoder.
        torch.default_generator.manual_seed(generator_seed)
        head = build_mask_head(spec.architecture, options, encoder.levels, spec.heads)
    return Segmenter(encoder, head, input_spec or encoder.input_spec, spec.cells)
