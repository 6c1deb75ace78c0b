"""The layer that is looked at."""

import pytest
import torch
from looking import THREE, classifier, image

from fivefold.core.errors import ConfigError
from fivefold.models import ModelSpec, build_classifier
from fivefold.models.spatial import as_map, find_layer, named_layer


def net(name, size, **options):
    torch.set_num_threads(1)
    model = build_classifier(ModelSpec(name, THREE, (size, size, 3), **options)).eval()
    return model, image(height=size, width=size)


@pytest.mark.parametrize(
    ("name", "size", "layer", "grid"),
    [
        ("resnet10t", 96, "layer4", (3, 3)),
        ("mobilenetv3_small_050", 96, "blocks", (3, 3)),
        ("efficientnet_lite0", 96, "bn2", (3, 3)),
        ("convnext_atto", 96, "stages", (3, 3)),
        ("vit_tiny_patch16_224", 96, "blocks.11.norm1", (6, 6)),
    ],
)
def test_the_last_map_that_decides_is_found(name, size, layer, grid):
    found = find_layer(*net(name, size))
    assert (found.name, found.grid) == (layer, grid)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "grid"),
    [
        ("swin_tiny_patch4_window7_224", "norm", (7, 7)),
        ("deit_tiny_distilled_patch16_224", "blocks.11.norm1", (14, 14)),
        ("vgg11", "features", (7, 7)),
        ("densenet121", "features", (7, 7)),
        ("levit_128s", "stages", (4, 4)),
        ("xcit_nano_12_p16_224", "cls_attn_blocks.1.norm1", (14, 14)),
        ("mixer_s32_224", "norm", (7, 7)),
    ],
)
def test_the_last_map_is_found_in_nets_of_many_kinds(name, layer, grid):
    found = find_layer(*net(name, 224))
    assert (found.name, found.grid) == (layer, grid)


def test_a_transformer_whose_positions_are_pooled_is_looked_at_behind_its_last_block():
    found = find_layer(classifier("looking_cnn"), image())
    assert found.name == "late"
    model, pixels = net("vit_tiny_patch16_224", 96, pooling="max")
    assert find_layer(model, pixels).name == "norm"


def test_maps_of_small_images_are_taken_from_where_they_have_positions():
    found = find_layer(*net("resnet10t", 64))  # its last map has 2 x 2
    assert (found.name, found.grid) == ("layer3", (4, 4))


def test_images_that_are_no_squares_are_looked_at():
    torch.set_num_threads(1)
    model = build_classifier(ModelSpec("resnet10t", THREE, (96, 160, 3))).eval()
    assert find_layer(model, image(height=96, width=160)).grid == (3, 5)


def test_parts_that_are_cut_off_are_not_found():
    found = find_layer(*net("resnet10t", 96, cut_levels=1))
    assert (found.name, found.grid) == ("layer3", (6, 6))


def test_a_net_without_maps_says_so(monkeypatch):
    model = classifier("looking_cnn")
    model.backbone.net.forward = lambda images: images.mean(dim=(2, 3)).repeat(1, 3)[:, :8]
    with pytest.raises(ConfigError, match="expected a layer that gives a map of feat") as caught:
        find_layer(model, image())
    assert caught.value.slug == "config/no-map"


def test_a_wrong_layer_is_told_with_the_closest():
    with pytest.raises(ConfigError, match=r"got 'lat'\n    such as 'late'") as caught:
        named_layer(classifier("looking_cnn"), "lat")
    assert caught.value.slug == "config/no-layer"
    with pytest.raises(ConfigError, match=r"got 'blocks.7'\n    such as 'blocks"):
        named_layer(classifier("looking_vit"), "blocks.7")


@pytest.mark.parametrize(
    ("shape", "size", "grid"),
    [
        ((1, 8, 7, 7), (224, 224), (7, 7)),
        ((1, 7, 7, 768), (224, 224), (7, 7)),
        ((1, 197, 12), (224, 224), (14, 14)),
        ((1, 196, 12), (224, 224), (14, 14)),
        ((1, 33, 12), (128, 64), (8, 4)),
        ((1, 8, 3, 5), (90, 160), (3, 5)),
        ((1, 8, 1, 1), (224, 224), None),
        ((1, 1, 8), (224, 224), None),
        ((1, 8, 7, 9), (224, 224), None),
        ((1, 8), (224, 224), None),
    ],
)
def test_outputs_are_seen_as_maps(shape, size, grid):
    seen = as_map(torch.arange(torch.Size(shape).numel()).reshape(shape), size, (1, 0))
    assert (None if seen is None else tuple(seen.shape[2:])) == grid


def test_tokens_lie_row_by_row():
    tokens = torch.arange(-1, 16).reshape(1, 17, 1)
    assert torch.equal(as_map(tokens, (32, 32), (1,))[0, 0], torch.arange(16).reshape(4, 4))
