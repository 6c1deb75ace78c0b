"""Where a vision transformer looks: attention rolled out from the answer to the image.

References:
    Abnar and Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020, section 3.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from fivefold.core.errors import ConfigError, Problem
from fivefold.models.cam import alone_in_float32, seen_size, tiled
from fivefold.models.classifier import Classifier
from fivefold.models.spatial import as_map, prefixes_of


def attention_map(model: Classifier, images: Tensor) -> Tensor:
    """Show where a transformer's answer about an image comes from; the same for all classes.

    Each block's attention is averaged over its heads, half of it is what the block passes by, and
    the blocks are multiplied. The rows of the tokens that the head reads say where they come from:
    of the class token, or of all positions where these are pooled.

    Args:
        model: In eval mode, as it was loaded.
        images: One whole image [1, C, H, W], 0-255.

    Returns:
        At least 0 [h, w].

    Raises:
        ConfigError: If the net has no attention between all positions in every block.
    """
    net = model.backbone.net
    size = seen_size(model, images)
    with alone_in_float32(model), _plain_attention(net) as found:
        cells = model.cells.cut(images) if model.cells.are_in(images) else images
        features = model.features(cells)
        weights = [attention.detach().mean(dim=1) for attention, _ in found]
        tokens = weights[0].shape[1] if weights else 0
        whole = all(one.shape == (len(cells), tokens, tokens) for one in weights)
        if not weights or not whole:
            raise no_rollout()
        read = _tokens_read(features, found[-1][1])
    flow = torch.eye(tokens, device=images.device).expand(len(cells), -1, -1)
    for one in weights:
        mixed = one + torch.eye(tokens, device=images.device)
        flow = (mixed / mixed.sum(dim=2, keepdim=True)) @ flow
    from_where = (read.unsqueeze(1) @ flow).squeeze(1)  # [cells, tokens]
    maps = as_map(from_where.unsqueeze(2), size, prefixes_of(net))
    if maps is None:
        raise no_rollout()
    return tiled(maps[:, 0], model.cells)


def no_rollout() -> ConfigError:
    """Word that a net has no attention to roll out."""
    message = (
        "method: expected one of this net, got 'rollout', which needs attention between all "
        "positions in every block"
    )
    hint = "'gradcam' and 'layercam' are there for it; roll-out is for nets such as ViT and DeiT"
    return ConfigError([Problem("config/no-rollout", "", message, hint)])


@contextmanager
def _plain_attention(net: nn.Module) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Have a timm net compute attention in plain steps, and collect each one's weights and output.

    The fused kernel, which is usual, keeps the weights to itself.

    Yields:
        Weights [N, heads, tokens, tokens] and output [N, tokens, D] of each block so far.
    """
    found: list[tuple[Tensor, Tensor]] = []
    pending: list[Tensor] = []

    def keep_weights(_module: nn.Module, inputs: Any, _output: Any) -> None:
        if isinstance(inputs[0], Tensor) and inputs[0].ndim == 4:
            pending.append(inputs[0])

    def keep_output(_module: nn.Module, _inputs: Any, output: Any) -> Tensor | None:
        if not pending or not isinstance(output, Tensor):
            return None
        found.append((pending.pop(), output.detach().requires_grad_()))
        pending.clear()
        return found[-1][1].clone()

    with ExitStack() as stack:
        module: Any
        for module in net.modules():
            dropout = getattr(module, "attn_drop", None)
            if not isinstance(dropout, nn.Module):
                continue
            if hasattr(module, "fused_attn"):
                stack.callback(setattr, module, "fused_attn", module.fused_attn)
                module.fused_attn = False
            stack.callback(dropout.register_forward_hook(keep_weights).remove)
            stack.callback(module.register_forward_hook(keep_output).remove)
        yield found


def _tokens_read(features: Tensor, output: Tensor) -> Tensor:
    """Say how much of the features comes from each token of the last attention [N, tokens].

    A token that the head does not read has no part in them: their gradient is exactly 0 there.
    """
    directions = torch.linspace(1, 2, features[0].numel(), device=features.device).sin()
    score = (features.flatten(1) * directions).sum()
    (gradient,) = torch.autograd.grad(score, output, allow_unused=True)
    if gradient is None or gradient.ndim != 3:
        raise no_rollout()
    read = (gradient.abs().sum(dim=2) > 0).float()
    return read / read.sum(dim=1, keepdim=True).clamp(min=1)
