"""The architectures that make masks, and what their options are called; none of them is loaded."""

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any

from fivefold.core.catalog import Catalog
from fivefold.core.own_parts import Part

ARCHITECTURES = (
    "Unet",
    "UnetPlusPlus",
    "FPN",
    "Linknet",
    "PSPNet",
    "DeepLabV3",
    "DeepLabV3Plus",
    "MAnet",
    "PAN",
    "UPerNet",
    "Segformer",
    "DPT",
)
"""As segmentation-models-pytorch spells them."""

OTHER_SPELLINGS: Mapping[str, str] = {"unet++": "UnetPlusPlus", "deeplabv3+": "DeepLabV3Plus"}
"""From other names, in lower case."""

OPTIONS: Mapping[str, str] = {
    "decoder_aspp_dropout": "DeepLabV3: fraction dropped behind its dilated convolutions",
    "decoder_aspp_separable": "DeepLabV3: separable dilated convolutions",
    "decoder_atrous_rates": "DeepLabV3: dilations of its three convolutions",
    "decoder_attention_type": "Unet, UnetPlusPlus: `scse` or nothing",
    "decoder_channels": "channels of the decoder; a list in Unet, UnetPlusPlus and MAnet",
    "decoder_dropout": "FPN: fraction of channels dropped before the last layer",
    "decoder_fusion_channels": "DPT: channels where levels are joined",
    "decoder_interpolation": "how maps are enlarged within the decoder",
    "decoder_intermediate_channels": "DPT: channels of its four levels",
    "decoder_merge_policy": "FPN: `add` or `cat`",
    "decoder_pab_channels": "MAnet: channels of its attention between positions",
    "decoder_pyramid_channels": "FPN: channels of the pyramid",
    "decoder_readout": "DPT: what becomes of the class token: `cat`, `add` or `ignore`",
    "decoder_segmentation_channels": "FPN (by 32s), Segformer: channels behind the levels",
    "decoder_use_norm": "`batchnorm` (also true) or `identity` (also false)",
    "encoder_depth": "how often maps are halved",
    "encoder_output_indices": "DPT: the blocks of the transformer that it decodes",
    "encoder_output_stride": "DeepLabV3, PAN: pixels of the image that are one of the last map",
    "psp_dropout": "PSPNet: fraction of channels dropped before the last layer",
    "psp_out_channels": "PSPNet: channels behind the pyramid",
    "upsampling": "follows from the other options, since masks are as large as images",
}
"""Options by segmentation-models-pytorch's names, each with what has it and what it means."""

MUSKET_OPTIONS: Mapping[str, str] = {
    "alpha": "the width of MobileNetV2, which has a `backbone` for each: `mobilenetv2_050`",
    "decoder_block_type": "`upsampling` in Unet, `transpose` in Linknet",
    "decoder_filters": "the same as `decoder_channels`",
    "decoder_use_batchnorm": "the same as `decoder_use_norm`",
    "downsample_factor": "PSPNet: 4, 8, 16 or 32, `encoder_depth` halvings",
    "encoder_features": "`default`: levels are chosen by `encoder_depth`",
    "final_interpolation": "`bilinear`, as logits are always enlarged",
    "interpolation": "FPN: the same as `final_interpolation`",
    "last_upsample": "FPN: 4, which follows from `encoder_depth`",
    "n_upsample_blocks": "the same as `encoder_depth`",
    "OS": "DeepLabV3: the same as `encoder_output_stride`",
    "psp_conv_filters": "PSPNet: the same as `psp_out_channels`",
    "psp_pooling_type": "PSPNet: `avg`",
    "psp_use_batchnorm": "PSPNet: the same as `decoder_use_norm`",
    "pyramid_block_filters": "FPN: the same as `decoder_pyramid_channels`",
    "pyramid_dropout": "FPN: the same as `decoder_dropout`",
    "pyramid_use_batchnorm": "FPN has group normalisation, with no choice",
    "segmentation_block_filters": "FPN: the same as `decoder_segmentation_channels`",
    "upsample_kernel_size": "Linknet has 4 by 4, with no choice",
    "upsample_layer": "Linknet: `transpose`",
    "upsample_rates": "2 for every block",
    "use_batchnorm": "the same as `decoder_use_norm`",
}
"""Options by Musket's names, each with what it means here."""

GIVEN = ("in_channels", "classes", "num_classes", "input_shape")
"""Parameters of users' own networks that fivefold gives, by their names; all others are options."""


def _with_options(part: Part) -> Callable[..., Any]:
    """Let nothing be an option of a user's own network that fivefold gives it."""
    if part.name.casefold() in _BY_FOLDED:
        part.refuse("a name that no other architecture has", repr(part.name))
    parameters = inspect.signature(part.make).parameters.values()
    given = [p for p in parameters if p.name in GIVEN and p.kind is not p.POSITIONAL_ONLY]
    options = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN]
    rest = [p for p in parameters if p not in given and p not in options]
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in rest):
        wanted = f"a class or function of some of ({', '.join(GIVEN)}), and options after a `*`"
        part.refuse(wanted, str(inspect.signature(part.make)))

    def make(**arguments: Any) -> Any:
        return part.make(**arguments)

    named = [p.replace(kind=Parameter.POSITIONAL_OR_KEYWORD, default=p.empty) for p in given]
    made: Any = make
    made.__signature__ = inspect.Signature([*named, *options])
    return make


own_segmenters: Catalog[Any] = Catalog("architecture", guard=_with_options)
"""Users' own networks: `make(in_channels, classes, *, options)` gives one from [N, C, H, W] to
logits [N, classes, H, W].

It takes of `GIVEN` what it names. It lies here since a config has to say what it is for, once the
modules that it names have been run.
"""

_BY_FOLDED = {**{name.casefold(): name for name in ARCHITECTURES}, **OTHER_SPELLINGS}


def segmenter_named(name: str) -> str | None:
    """Find the architecture that a name in any case means; None: it makes no masks.

    A user's own is known from when it was registered.
    """
    own = own_segmenters.find(name)
    return own.name if own else _BY_FOLDED.get(name.strip().casefold())
