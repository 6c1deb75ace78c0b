"""A classifier: normalisation, backbone and head; freezing that really holds everything still."""

import hashlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fivefold.core.choices import EXACT, Choices
from fivefold.core.segmenters import segmenter_named
from fivefold.core.types import AnyArray, Floats, Head, head_slices
from fivefold.models.arrays import predict_array
from fivefold.models.backbones import Backbone
from fivefold.models.cells import WHOLE, Cells
from fivefold.models.channels import InputSpec
from fivefold.models.heads import NO_LAYERS, AnyHead, Hidden
from fivefold.models.layers import last_layers
from fivefold.models.stem import NO_DOWNSCALING, Downscaling
from fivefold.models.taking import Pooling

ALL_LAYERS = -1
"""In place of a number of layers: all that the backbone has."""

_NET = "net."


@dataclass(frozen=True)
class ModelSpec:
    """What a classifier is built from, its weights aside.

    Attributes:
        architecture: A user's own net, a Keras name in any case, or a timm name.
        heads: What the output's columns mean.
        shape: Height and width of the images in pixels, and their channels.
        pooling: As in `taking.Taken`.
        dropout: Fraction of features set to zero while training, 0-1.
        copy_weights: As in `build_backbone`.
        transforms: Names and options of the augmenters that every image goes through.
        crops: Cells along each side of an image; the network sees one cell at a time.
        hidden: The layers of the head before its last one.
        cut_levels: As in `taking.Taken`.
        downscaling: How images are made smaller before the backbone sees them.
        backbone: Of what makes masks: a Keras name in any case, or a timm name.
        decoder: Of what makes masks: options of its decoder, by their names there.
    """

    architecture: str
    heads: tuple[Head, ...]
    shape: tuple[int, int, int] = (224, 224, 3)
    pooling: Pooling = "avg"
    dropout: float = 0.0
    copy_weights: bool = False
    transforms: tuple[tuple[str, Any], ...] = ()
    crops: int = 1
    hidden: Hidden = NO_LAYERS
    cut_levels: int = 0
    downscaling: Downscaling = NO_DOWNSCALING
    backbone: str = ""
    decoder: tuple[tuple[str, Any], ...] = ()

    @property
    def makes_masks(self) -> bool:
        """Whether a class is told of every pixel."""
        return segmenter_named(self.architecture) is not None

    @property
    def net(self) -> str:
        """What to call the net: "ResNet34", or "Unet on ResNet34"."""
        return f"{self.architecture} on {self.backbone}" if self.backbone else self.architecture

    @property
    def cells(self) -> Cells:
        """How images are cut."""
        return Cells(self.crops, *self.shape[:2])

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of what the backbone sees, in pixels."""
        smaller = self.crops * self.downscaling.factor
        return self.shape[0] // smaller, self.shape[1] // smaller


class Classifier(nn.Module):
    """From pixels to logits.

    Args:
        backbone: From normalised pixels to features [N, D].
        head: From features to logits [N, all classes].
        input_spec: How the backbone's weights expect pixels.
        cells: How whole images are cut.

    Attributes:
        choices: How it computes: the precision and the layout of the backbone.
    """

    choices: Choices
    pixel_scale: Tensor
    pixel_shift: Tensor

    def __init__(
        self,
        backbone: Backbone,
        head: AnyHead,
        input_spec: InputSpec,
        cells: Cells = WHOLE,
    ) -> None:
        super().__init__()
        self.cells = cells
        self.backbone = backbone
        self.head = head
        self.input_spec = input_spec
        self.heads = head.heads
        self.origin = backbone.origin
        self.choices = EXACT
        self._encoder_frozen = False
        self._batchnorm_held = False
        self._held: frozenset[str] = frozenset()
        # A net may keep parameters of its own from ever training; thawing leaves those alone.
        self._trainable = frozenset(n for n, p in backbone.named_parameters() if p.requires_grad)
        mean = torch.tensor(input_spec.mean, dtype=torch.float64).view(1, -1, 1, 1)
        std = torch.tensor(input_spec.std, dtype=torch.float64).view(1, -1, 1, 1)
        # Not persistent: they follow from the spec, and weights files hold what was learned.
        self.register_buffer("pixel_scale", (1 / (255 * std)).float(), persistent=False)
        self.register_buffer("pixel_shift", (-mean / std).float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W], 0-255, uint8 or floating point, into logits [N, classes].

        Where the network sees cells, it takes these, or whole images and joins their answers.
        """
        if not self.cells.are_in(images):
            return self.classify(self.features(images))
        logits = self.classify(self.features(self.cells.cut(images)))
        return self.cells.join(logits, self.heads)

    def features(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W], 0-255, into features [N, D]; no gradients when frozen.

        Where the head pools they are those of every position [N, D, positions].
        """
        features: Tensor = self.encoded(self.normalised(images))
        # The head computes in float32: bfloat16 would leave logits two or three digits, and ties.
        return features.to(self.pixel_scale.dtype)

    def normalised(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W], 0-255, into what the backbone expects."""
        pixels = images.to(self.pixel_scale.dtype) * self.pixel_scale + self.pixel_shift
        return pixels.contiguous(memory_format=memory_format(self.choices))

    def encoded(self, pixels: Tensor) -> Any:
        """Give what the backbone makes of normalised pixels; no gradients when it is frozen."""
        learns = not self._encoder_frozen or self.backbone.stem is not None
        trains = torch.is_grad_enabled() and learns
        with torch.set_grad_enabled(trains), self.in_precision():
            return self.backbone(pixels)

    def in_precision(self) -> AbstractContextManager[object]:
        """Compute in the precision that was chosen."""
        if self.choices.precision == "float32":
            return nullcontext()
        # A cache of cast weights would outlive a step that runs without gradients.
        device = self.pixel_scale.device.type
        return torch.autocast(device, torch.bfloat16, cache_enabled=False)

    def classify(self, features: Tensor) -> Tensor:
        """Turn what `features` gives into logits [N, classes]."""
        logits: Tensor = self.head(features)
        return logits

    def predict(self, images: AnyArray) -> Floats | list[Floats]:
        """Predict images as they enter the network, as Keras's `predict` does.

        Args:
            images: Pixels [N, H, W, C], 0-255, at the network's size.

        Returns:
            Probabilities [N, classes]; of several outputs a list of such arrays.

        Raises:
            DataError: If they are no images.
        """
        device = self.pixel_scale.device
        return predict_array(
            images, self.heads, device, lambda x: probabilities(self(x), self.heads)
        )

    def encoder_digest(self) -> str:
        """Compute the SHA-256 of all that decides the features of given pixels, in hex.

        That is the backbone's tensors and how it expects pixels; two classifiers whose digests and
        architectures are equal have equal features.
        """
        text = f"{self.input_spec!r}\x1e{self.backbone.digest()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def freeze(
        self,
        encoder: bool,  # noqa: FBT001  named by every caller
        batchnorm: bool,  # noqa: FBT001  the same
        layers_to_train: int = ALL_LAYERS,
    ) -> None:
        """Decide what training may change. A learned stem before the backbone always learns.

        Args:
            encoder: Hold the whole backbone: no gradients, and evaluation mode whatever `train`
                says, so that neither BatchNorm's statistics move nor dropout or drop-path act.
            batchnorm: Hold the running statistics of a backbone that trains.
            layers_to_train: Of a backbone that trains, hold all but so many layers at the end, in
                the same way; -1 trains all.
        """
        if not encoder:
            self.backbone.forget_digest()
        self._encoder_frozen = encoder
        self._batchnorm_held = batchnorm
        net = self.backbone.net
        names = frozenset(name for name, _ in net.named_parameters())
        kept = names if layers_to_train < 0 else last_layers(net, layers_to_train)
        self._held = names if encoder else names - kept
        for name, parameter in self.backbone.named_parameters():
            held = name.removeprefix(_NET) in self._held and name.startswith(_NET)
            parameter.requires_grad_(name in self._trainable and not held)
        self.train(self.training)

    def train(self, mode: bool = True) -> "Classifier":  # noqa: FBT001  torch's signature
        """Switch between training and evaluation; what is frozen stays in evaluation."""
        super().train(mode)
        if self._held:
            _hold(self.backbone.net, self._held)
        if self._batchnorm_held:
            for module in self.backbone.modules():
                if _keeps_statistics(module):
                    module.eval()
        return self


def memory_format(choices: Choices) -> torch.memory_format:
    """Give torch's name of a layout."""
    return torch.channels_last if choices.layout == "channels_last" else torch.contiguous_format


def probabilities(logits: Tensor, heads: tuple[Head, ...]) -> Tensor:
    """Turn logits into probabilities, each head's columns by its activation.

    Args:
        logits: [N, all classes]; of half-precision logits the result is float32 too.
        heads: What the columns mean. A linear head's outputs are limited to 0-1.

    Returns:
        float32 [N, all classes], 0-1.
    """
    parts = []
    for head, columns in zip(heads, head_slices(heads), strict=True):
        own = logits[:, columns].float()
        if head.activation == "softmax":
            parts.append(own.softmax(dim=1))
        else:
            parts.append(own.sigmoid() if head.activation == "sigmoid" else own.clamp(0, 1))
    return torch.cat(parts, dim=1)


def _hold(module: nn.Module, held: frozenset[str], prefix: str = "") -> None:
    """Put those parts of a net into evaluation all of whose parameters are held."""
    names = {prefix + name for name, _ in module.named_parameters()}
    if names and names <= held:
        module.eval()
        return
    for name, child in module.named_children():
        _hold(child, held, f"{prefix}{name}.")


def _keeps_statistics(module: nn.Module) -> bool:
    return any(name.startswith("running_") for name, _ in module.named_buffers(recurse=False))
