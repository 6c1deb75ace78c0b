"""Nets whose last levels are as large as an earlier one: dilated instead of halved."""

from typing import Any

import torch
from torch import Tensor, nn

Sliding = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


def dilate(net: Any, output_stride: int, images: Tensor) -> None:
    """Let a net halve its maps no further than to a stride, in place.

    What would have seen a smaller map steps over as many pixels of the larger one instead, so it
    sees the same places of the image, and its weights keep their meaning ("à trous"). Poolings keep
    their windows; those whose windows would not overlap are left out.

    Args:
        net: Of timm, with `forward_intermediates`.
        output_stride: Pixels of the image, along a side, for one of the last map.
        images: Any that it takes, [1, C, H, W]; H is a multiple of the net's own stride.

    References:
        Chen et al., 2017, https://arxiv.org/abs/1706.05587, section 3.1
    """
    for module, stride in _strides(net, images).items():
        if stride >= output_stride:
            _dilate(module, stride // output_stride)


def pad_evenly(net: nn.Module) -> list[Sliding]:
    """Let each window that has no padding see beyond the border, in place.

    Nets such as Xception lose pixels at the border of some maps, so that no map is half as large
    as the one before.

    Returns:
        The windows that were changed, for `unpad`.
    """
    windows = [m for m in net.modules() if isinstance(m, Sliding) and _pair(m.padding) == (0, 0)]
    for module in windows:
        high, wide = _pair(module.kernel_size)
        module.padding = ((high - 1) // 2, (wide - 1) // 2)
    return windows


def unpad(windows: list[Sliding]) -> None:
    """Take back what `pad_evenly` did."""
    for module in windows:
        module.padding = (0, 0)


def _strides(net: Any, images: Tensor) -> dict[Sliding, int]:
    """Find how many pixels of the image are one of the map that each window slides over."""
    found: dict[Sliding, int] = {}
    height = images.shape[2]

    def note(module: Sliding, inputs: tuple[Tensor, ...]) -> None:
        found[module] = round(height / inputs[0].shape[2])

    hooks = [m.register_forward_pre_hook(note) for m in net.modules() if isinstance(m, Sliding)]
    with torch.no_grad():
        net.forward_intermediates(images, intermediates_only=True)
    for hook in hooks:
        hook.remove()
    return found


def _dilate(module: Sliding, times: int) -> None:
    if not isinstance(module, nn.Conv2d):
        if _pair(module.kernel_size) == _pair(module.stride):
            module.kernel_size, module.padding = 1, 0
        module.stride = 1
        return
    module.stride = (1, 1)
    high, wide = _pair(module.dilation)
    module.dilation = (high * times, wide * times)
    high, wide = _pair(module.padding)
    module.padding = (high * times, wide * times)


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)
