"""Architectures that make masks and their options, known without torch.

A function here has an architecture's options, under the names that segmentation-models-pytorch has
for them, and gives the arguments that the package wants. Musket's names are `mask_options`'.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PlainValidator

from fivefold.core.catalog import Catalog
from fivefold.core.segmenters import OTHER_SPELLINGS

Arguments: TypeAlias = dict[str, Any]
"""Of the package's class, `encoder_depth` among them."""

Depth: TypeAlias = Annotated[int, Field(strict=True, ge=3, le=5)]
Width: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=65_536)]
Widths: TypeAlias = Annotated[list[Width], Field(min_length=3, max_length=5)]
Dropout: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Rates: TypeAlias = Annotated[tuple[Width, ...], Field(min_length=3, max_length=3)]
Four: TypeAlias = Annotated[tuple[Width, ...], Field(min_length=4, max_length=4)]
Interpolation: TypeAlias = Literal["nearest", "bilinear", "bicubic", "area", "nearest-exact"]


def _norm(value: Any) -> bool | str:
    if isinstance(value, bool) or (isinstance(value, str) and value in _NORMS):
        return value
    msg = "true, false, 'batchnorm' or 'identity'"
    raise ValueError(msg)


_NORMS = ("batchnorm", "identity")
Norm: TypeAlias = Annotated[bool | str, PlainValidator(_norm)]

_USUAL = (256, 128, 64, 32, 16)

VOC = "pascal_voc"
"""Of `encoder_weights`: those of nets that have learned to segment Pascal VOC's classes."""

VOC_BACKBONES: Mapping[str, str] = {"resnet50": "ResNet50", "resnet101": "ResNet101"}
"""The nets of which there are such: timm's names and torchvision's."""

architectures: Catalog[Arguments] = Catalog("architecture", ())
"""What makes masks; a name in any case."""


def _spellings(name: str) -> Sequence[str]:
    return [other for other, meant in OTHER_SPELLINGS.items() if meant == name]


def _pyramid(depth: int | None, widths: list[int] | None) -> Arguments:
    """Agree on how often maps are halved, and on the channels of each step back."""
    if depth is None:
        depth = len(widths or _USUAL)
    chosen = list(widths or _USUAL[:depth])
    if len(chosen) != depth:
        msg = f"decoder_channels: expected {depth} numbers, one for each of `encoder_depth`"
        raise ValueError(msg)
    return {"encoder_depth": depth, "decoder_channels": chosen}


@architectures.add(name="Unet")
def unet(
    *,
    encoder_depth: Depth | None = None,
    decoder_channels: Widths | None = None,
    decoder_use_norm: Norm = "batchnorm",
    decoder_attention_type: Literal["scse"] | None = None,
    decoder_interpolation: Interpolation = "nearest",
) -> Arguments:
    """Skips from each level of the encoder to the same level of the decoder.

    References:
        Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    return {
        **_pyramid(encoder_depth, decoder_channels),
        "decoder_use_norm": decoder_use_norm,
        "decoder_attention_type": decoder_attention_type,
        "decoder_interpolation": decoder_interpolation,
    }


@architectures.add(*_spellings("UnetPlusPlus"), name="UnetPlusPlus")
def unet_plus_plus(
    *,
    encoder_depth: Depth | None = None,
    decoder_channels: Widths | None = None,
    decoder_use_norm: Norm = "batchnorm",
    decoder_attention_type: Literal["scse"] | None = None,
    decoder_interpolation: Interpolation = "nearest",
) -> Arguments:
    """Unet with a decoder for every level, nested in each other.

    References:
        Zhou et al., 2018, https://arxiv.org/abs/1807.10165
    """
    return unet(
        encoder_depth=encoder_depth,
        decoder_channels=decoder_channels,
        decoder_use_norm=decoder_use_norm,
        decoder_attention_type=decoder_attention_type,
        decoder_interpolation=decoder_interpolation,
    )


@architectures.add(name="MAnet")
def manet(
    *,
    encoder_depth: Depth | None = None,
    decoder_channels: Widths | None = None,
    decoder_use_norm: Norm = "batchnorm",
    decoder_pab_channels: Width = 64,
    decoder_interpolation: Interpolation = "nearest",
) -> Arguments:
    """Unet with attention between positions, and between levels.

    References:
        Fan et al., 2020, https://ieeexplore.ieee.org/abstract/document/9201310
    """
    return {
        **_pyramid(encoder_depth, decoder_channels),
        "decoder_use_norm": decoder_use_norm,
        "decoder_pab_channels": decoder_pab_channels,
        "decoder_interpolation": decoder_interpolation,
    }


@architectures.add(name="Linknet")
def linknet(*, encoder_depth: Depth = 5, decoder_use_norm: Norm = "batchnorm") -> Arguments:
    """Small and fast: levels are added to the decoder's, which is as wide as the encoder.

    References:
        Chaurasia and Culurciello, 2017, https://arxiv.org/abs/1707.03718
    """
    return {"encoder_depth": encoder_depth, "decoder_use_norm": decoder_use_norm}


@architectures.add(name="FPN")
def fpn(
    *,
    encoder_depth: Depth = 5,
    decoder_pyramid_channels: Width = 256,
    decoder_segmentation_channels: Annotated[Width, Field(multiple_of=32)] = 128,
    decoder_merge_policy: Literal["add", "cat"] = "add",
    decoder_dropout: Dropout = 0.2,
    decoder_interpolation: Interpolation = "nearest",
) -> Arguments:
    """A pyramid of four levels, each of which answers; the answers are merged.

    References:
        Kirillov et al., 2017, http://presentations.cocodataset.org/COCO17-Stuff-FAIR.pdf
    """
    return {
        "encoder_depth": encoder_depth,
        "decoder_pyramid_channels": decoder_pyramid_channels,
        "decoder_segmentation_channels": decoder_segmentation_channels,
        "decoder_merge_policy": decoder_merge_policy,
        "decoder_dropout": decoder_dropout,
        "decoder_interpolation": decoder_interpolation,
        # Its finest of four levels is so many times smaller than the image.
        "upsampling": 2 ** (encoder_depth - 3),
    }


@architectures.add(name="PSPNet")
def pspnet(
    *,
    encoder_depth: Annotated[int, Field(strict=True, ge=2, le=5)] = 3,
    psp_out_channels: Width = 512,
    decoder_use_norm: Norm = "batchnorm",
    psp_dropout: Dropout = 0.2,
) -> Arguments:
    """One level of the encoder, seen by means over parts of the image of several sizes.

    References:
        Zhao et al., 2017, https://arxiv.org/abs/1612.01105
    """
    return {
        "encoder_depth": encoder_depth,
        "psp_out_channels": psp_out_channels,
        "decoder_use_norm": decoder_use_norm,
        "psp_dropout": psp_dropout,
        "upsampling": 2**encoder_depth,
    }


@architectures.add(name="DeepLabV3")
def deeplab_v3(
    *,
    encoder_depth: Depth = 5,
    encoder_output_stride: Literal[8, 16] = 8,
    decoder_channels: Width = 256,
    decoder_atrous_rates: Rates = (12, 24, 36),
    decoder_aspp_separable: bool = False,
    decoder_aspp_dropout: Dropout = 0.5,
) -> Arguments:
    """The last level of a dilated encoder, seen by convolutions of several dilations.

    References:
        Chen et al., 2017, https://arxiv.org/abs/1706.05587
    """
    return {
        "encoder_depth": encoder_depth,
        "encoder_output_stride": encoder_output_stride,
        "decoder_channels": decoder_channels,
        "decoder_atrous_rates": list(decoder_atrous_rates),
        "decoder_aspp_separable": decoder_aspp_separable,
        "decoder_aspp_dropout": decoder_aspp_dropout,
    }


@architectures.add(*_spellings("DeepLabV3Plus"), name="DeepLabV3Plus")
def deeplab_v3_plus(
    *,
    encoder_depth: Depth = 5,
    encoder_output_stride: Literal[8, 16] = 16,
    decoder_channels: Width = 256,
    decoder_atrous_rates: Rates = (12, 24, 36),
    decoder_aspp_separable: bool = True,
    decoder_aspp_dropout: Dropout = 0.5,
) -> Arguments:
    """DeepLabV3 with a skip from an early level, for sharper borders.

    References:
        Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    return deeplab_v3(
        encoder_depth=encoder_depth,
        encoder_output_stride=encoder_output_stride,
        decoder_channels=decoder_channels,
        decoder_atrous_rates=decoder_atrous_rates,
        decoder_aspp_separable=decoder_aspp_separable,
        decoder_aspp_dropout=decoder_aspp_dropout,
    )


@architectures.add(name="PAN")
def pan(
    *,
    encoder_depth: Depth = 5,
    encoder_output_stride: Literal[16, 32] = 16,
    decoder_channels: Width = 32,
    decoder_interpolation: Interpolation = "bilinear",
) -> Arguments:
    """A pyramid of attention on the last level, which guides the levels before it.

    References:
        Li et al., 2018, https://arxiv.org/abs/1805.10180
    """
    return {
        "encoder_depth": encoder_depth,
        "encoder_output_stride": encoder_output_stride,
        "decoder_channels": decoder_channels,
        "decoder_interpolation": decoder_interpolation,
    }


@architectures.add(name="UPerNet")
def upernet(
    *, encoder_depth: Depth = 5, decoder_channels: Width = 256, decoder_use_norm: Norm = "batchnorm"
) -> Arguments:
    """A pyramid of levels whose last one is seen as PSPNet sees it.

    References:
        Xiao et al., 2018, https://arxiv.org/abs/1807.10221
    """
    return {
        "encoder_depth": encoder_depth,
        "decoder_channels": decoder_channels,
        "decoder_use_norm": decoder_use_norm,
    }


@architectures.add(name="Segformer")
def segformer(*, encoder_depth: Depth = 5, decoder_segmentation_channels: Width = 256) -> Arguments:
    """All levels at a quarter of the size, side by side, and one layer on them.

    References:
        Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return {
        "encoder_depth": encoder_depth,
        "decoder_segmentation_channels": decoder_segmentation_channels,
    }


@architectures.add(name="DPT")
def dpt(
    *,
    encoder_depth: Annotated[int, Field(strict=True, ge=4, le=4)] = 4,
    encoder_output_indices: Annotated[
        list[Annotated[int, Field(strict=True, ge=0)]], Field(min_length=4, max_length=4)
    ]
    | None = None,
    decoder_readout: Literal["ignore", "add", "cat"] = "cat",
    decoder_intermediate_channels: Four = (256, 512, 1024, 1024),
    decoder_fusion_channels: Width = 256,
) -> Arguments:
    """Four blocks of a vision transformer, whose maps are all of one size.

    References:
        Ranftl et al., 2021, https://arxiv.org/abs/2103.13413
    """
    return {
        "encoder_depth": encoder_depth,
        "encoder_output_indices": encoder_output_indices,
        "decoder_readout": decoder_readout,
        "decoder_intermediate_channels": list(decoder_intermediate_channels),
        "decoder_fusion_channels": decoder_fusion_channels,
    }
