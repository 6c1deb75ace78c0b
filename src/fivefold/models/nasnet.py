"""NASNet-A Mobile, which timm lacks, from the cells of timm's NASNet-A Large.

It is registered with timm, so that every other part meets it as one more timm net. Nobody has
published weights for it, and timm's table of weights says so here too.
"""

from functools import partial
from typing import Any

import torch
from timm.layers.classifier import create_classifier
from timm.layers.conv_bn_act import ConvNormAct
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from timm.models.nasnet import CellStem0, CellStem1, FirstCell, NormalCell, ReductionCell0
from torch import Tensor, nn

__all__ = ["NASNetMobile", "nasnetmobile"]

_STEM = 32
_FILTERS = 44  # of the first block's cells: a 24th of the last feature map's 1056 channels
_CELLS = 4  # normal cells in each of three blocks

default_cfgs = generate_default_cfgs(
    {
        "nasnetmobile.untrained": {
            "input_size": (3, 224, 224),
            "pool_size": (7, 7),
            "interpolation": "bicubic",
            "mean": (0.5, 0.5, 0.5),
            "std": (0.5, 0.5, 0.5),
            "num_classes": 1000,
            "first_conv": "conv0.conv",
            "classifier": "last_linear",
            "license": "apache-2.0",
        }
    }
)


class NASNetMobile(nn.Module):
    """NASNet-A (4 @ 1056) with the interface of timm's nets.

    Args:
        num_classes: Columns of the last layer; 0 leaves it out.
        in_chans: Channels of the images.
        global_pool: "avg" or "max".
        drop_rate: Dropout before the last layer, 0-1.

    References:
        Zoph et al., 2018, https://arxiv.org/abs/1707.07012
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_chans: int = 3,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_features = self.head_hidden_size = 24 * _FILTERS
        norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.1)
        self.conv0 = ConvNormAct(
            in_chans, _STEM, 3, stride=2, padding=0, norm_layer=norm, apply_act=False
        )
        self.stem_0 = CellStem0(_STEM, num_channels=_FILTERS // 4, pad_type="same")
        self.stem_1 = CellStem1(_STEM, num_channels=_FILTERS // 2, pad_type="same")
        self.block_0 = _block(_FILTERS, before=2 * _FILTERS, earlier=_FILTERS)
        self.reduction_0 = _reduction(_FILTERS)
        self.block_1 = _block(2 * _FILTERS, before=8 * _FILTERS, earlier=6 * _FILTERS)
        self.reduction_1 = _reduction(2 * _FILTERS)
        self.block_2 = _block(4 * _FILTERS, before=16 * _FILTERS, earlier=12 * _FILTERS)
        self.act = nn.ReLU()
        self.drop_rate = drop_rate
        self.pool_type = global_pool
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the last layer, and the pooling if one is given."""
        self.num_classes = num_classes
        self.pool_type = global_pool or self.pool_type
        self.global_pool, self.head_drop, self.last_linear = create_classifier(
            self.num_features, num_classes, pool_type=self.pool_type, drop_rate=self.drop_rate
        )

    def forward_features(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W] into the last feature map [N, 1056, H / 32, W / 32]."""
        stem = self.conv0(images)
        earlier = self.stem_0(stem)
        last = self.stem_1(stem, earlier)
        for block, reduction in (
            (self.block_0, self.reduction_0),
            (self.block_1, self.reduction_1),
        ):
            earlier, last = _through(block, earlier, last)
            # The cell after a reduction also sees what the reduction saw.
            earlier, last = last, reduction(last, earlier)
        _, last = _through(self.block_2, earlier, last)
        activated: Tensor = self.act(last)
        return activated

    def forward(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W] into logits, or features [N, 1056] when there are no classes."""
        pooled = self.head_drop(self.global_pool(self.forward_features(images)))
        logits: Tensor = self.last_linear(pooled)
        return logits


def _through(block: nn.ModuleList, earlier: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    for cell in block:
        earlier, last = last, cell(last, earlier)
    return earlier, last


def _block(filters: int, *, before: int, earlier: int) -> nn.ModuleList:
    """Make a block of normal cells.

    Args:
        filters: Channels of each branch; a cell's output has six times as many.
        before: Channels of what comes right before the block.
        earlier: Channels of what came before that, at twice the resolution.
    """
    first = FirstCell(earlier, filters // 2, before, filters, pad_type="same")
    left = [before] + [6 * filters] * (_CELLS - 2)
    rest = [NormalCell(n, filters, 6 * filters, filters, pad_type="same") for n in left]
    return nn.ModuleList([first, *rest])


def _reduction(filters: int) -> nn.Module:
    wide, twice = 6 * filters, 2 * filters
    cell: nn.Module = ReductionCell0(wide, twice, wide, twice, pad_type="same")
    return cell


@register_model
def nasnetmobile(pretrained: bool = False, **kwargs: Any) -> torch.nn.Module:  # noqa: FBT001  timm's convention
    """NASNet-A Mobile, 4 @ 1056."""
    net: torch.nn.Module = build_model_with_cfg(NASNetMobile, "nasnetmobile", pretrained, **kwargs)
    return net
