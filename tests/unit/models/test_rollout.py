"""Attention rolled out, against a net whose attention is written down."""

import numpy as np
import pytest
import torch
from looking import classifier, image

from fivefold.core.errors import ConfigError
from fivefold.models.rollout import attention_map


def weights_by_hand(model, pixels):
    """Compute the attention of each block [tokens, tokens] from queries and keys."""
    net, found = model.backbone.net, []

    def watch(attention):
        def see(_module, inputs, _output):
            (x,) = inputs
            heads = attention.num_heads
            q, k, _ = attention.qkv(x).reshape(*x.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)
            scores = q @ k.transpose(-2, -1) / np.sqrt(q.shape[-1])
            found.append(scores.softmax(dim=-1).mean(dim=1)[0].double())

        return see

    hooks = [b.attn.register_forward_hook(watch(b.attn)) for b in net.blocks]
    with torch.no_grad():
        model(pixels)
    for hook in hooks:
        hook.remove()
    return [one.numpy() for one in found]


def rolled(weights):
    """Abnar and Zuidema, equation 1, in NumPy."""
    flow = np.eye(len(weights[0]))
    for one in weights:
        flow = (0.5 * one + 0.5 * np.eye(len(one))) @ flow
    return flow


def test_the_class_token_says_where_the_answer_comes_from():
    model = classifier("looking_vit")
    expected = rolled(weights_by_hand(model, image()))[0, 1:].reshape(4, 4)
    np.testing.assert_allclose(attention_map(model, image()).numpy(), expected, rtol=1e-5)


def test_where_positions_are_pooled_all_of_them_say_it():
    model = classifier("looking_vit")
    model.backbone.net.global_pool = "avg"
    expected = rolled(weights_by_hand(model, image()))[1:, 1:].mean(axis=0).reshape(4, 4)
    np.testing.assert_allclose(attention_map(model, image()).numpy(), expected, rtol=1e-5)


def test_attention_is_fused_again_afterwards():
    model = classifier("looking_vit")
    before = [block.attn.fused_attn for block in model.backbone.net.blocks]
    attention_map(model, image())
    blocks = model.backbone.net.blocks
    assert [block.attn.fused_attn for block in blocks] == before == [True, True]
    assert not any(block.attn.attn_drop._forward_hooks for block in blocks)


@pytest.mark.parametrize("name", ["looking_cnn", "resnet10t"])
def test_a_net_without_attention_names_what_it_has(name):
    model = classifier(name, shape=(96, 96, 3))
    with pytest.raises(ConfigError, match=r"got 'rollout', .*\n    'gradcam' and 'layercam'") as e:
        attention_map(model, image(height=96, width=96))
    assert e.value.slug == "config/no-rollout"


@pytest.mark.slow
def test_attention_in_windows_is_not_rolled_out():
    model = classifier("swin_tiny_patch4_window7_224", shape=(224, 224, 3))
    with pytest.raises(ConfigError, match="got 'rollout', which needs attention between all"):
        attention_map(model, image(height=224, width=224))


@pytest.mark.slow
def test_both_tokens_of_a_distilled_net_are_read():
    model = classifier("deit_tiny_distilled_patch16_224", shape=(224, 224, 3))
    pixels = image(height=224, width=224)
    expected = rolled(weights_by_hand(model, pixels))[:2, 2:].mean(axis=0).reshape(14, 14)
    np.testing.assert_allclose(attention_map(model, pixels).numpy(), expected, rtol=1e-4)
