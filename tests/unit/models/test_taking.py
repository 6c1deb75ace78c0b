"""Pooled features of nets and of their earlier levels, against timm's own."""

import pytest
import timm
import torch
from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d

from fivefold.core.errors import ConfigError
from fivefold.models.backbones import build_backbone
from fivefold.models.taking import Taken
from fivefold.models.trial import count_features

NETS = [
    "test_resnet",
    "test_efficientnet",
    "test_convnext",
    "test_byobnet",
    "mobilenetv3_small_050",
]


def taken(name, pooling="avg", cut=0, size=32):
    torch.manual_seed(0)
    return build_backbone(
        name, taken=Taken(pooling, cut), image_size=(size, size), weights="none"
    ).eval()


@pytest.fixture
def images():
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def features(images, *args, **options):
    with torch.no_grad():
        return taken(*args, **options)(images)


@pytest.mark.parametrize("name", NETS)
def test_concat_is_the_mean_and_behind_it_the_maximum(name, images):
    both = [features(images, name, pooling) for pooling in ("avg", "max")]
    torch.testing.assert_close(features(images, name, "concat"), torch.cat(both, dim=1))


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["concat", "attention"])
def test_maps_whose_channels_come_last_are_pooled_alike(pooling):
    name, images = "swin_s3_tiny_224", torch.randn(2, 3, 224, 224)
    net = taken(name, pooling, size=224)
    plain = [features(images, name, kind, size=224) for kind in ("avg", "max")]
    with torch.no_grad():
        found = net(images)
    expected = torch.cat(plain, dim=1) if pooling == "concat" else plain[0]
    torch.testing.assert_close(found if pooling == "concat" else found.mean(dim=2), expected)


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_byobnet"])
def test_positions_are_those_whose_mean_the_net_would_take(name, images):
    positions = features(images, name, "attention")
    assert positions.ndim == 3
    torch.testing.assert_close(positions.mean(dim=2), features(images, name))
    torch.testing.assert_close(positions.amax(dim=2), features(images, name, "max"))


@pytest.mark.parametrize("name", ["test_convnext", "mobilenetv3_small_050"])
def test_what_a_net_does_behind_its_pooling_is_done_to_every_position(name, images):
    positions = features(images[:1], name, "attention")
    assert positions.shape[:2] == (1, taken(name).num_features)
    one = torch.randn(1, 3, 1, 1)  # of a single position there is nothing to pool
    if name == "mobilenetv3_small_050":
        expected = features(one, name)[..., None]
        torch.testing.assert_close(features(one, name, "attention"), expected)
    else:  # LayerNorm: each position by itself has mean 0 and deviation 1
        torch.testing.assert_close(positions.mean(dim=1), torch.zeros(1, positions.shape[2]))


def test_of_a_transformer_the_patches_are_pooled(images):
    net = taken("test_vit")
    with torch.no_grad():
        patches = net.net.forward_features(images)[:, net.net.num_prefix_tokens :]
    expected = torch.cat([patches.mean(dim=1), patches.amax(dim=1)], dim=1)
    torch.testing.assert_close(features(images, "test_vit", "concat"), expected)
    torch.testing.assert_close(features(images, "test_vit", "attention"), patches.mT)


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("pooling", ["avg", "max", "concat"])
def test_a_cut_net_gives_the_level_that_timm_gives(cut, pooling, images):
    net = taken("resnet18", pooling, cut)
    theirs = timm.create_model("resnet18", features_only=True, out_indices=(4 - cut,)).eval()
    theirs.load_state_dict(net.net.state_dict(), strict=True)
    with torch.no_grad():
        (maps,) = theirs(images)
        found = net(images)
    both = {"avg": [maps.mean((2, 3))], "max": [maps.amax((2, 3))]}
    both["concat"] = both["avg"] + both["max"]
    torch.testing.assert_close(found, torch.cat(both[pooling], dim=1))
    assert net.num_features == found.shape[1]


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_maxvit", "test_nfnet"])
def test_a_cut_net_holds_nothing_that_its_features_do_not_need(name):
    size = 64 if name == "test_maxvit" else 32
    net = taken(name, cut=1, size=size)
    net(torch.randn(2, 3, size, size)).square().sum().backward()
    # A transformer's class token is no part of the patches, and is there in every block.
    assert {n for n, p in net.named_parameters() if p.grad is None} == set()
    whole = dict(taken(name, size=size).named_parameters())
    assert {n for n, _ in net.named_parameters()} < whole.keys()


def test_a_cut_transformer_ends_in_its_norm(images):
    net = taken("test_vit", cut=2)
    with torch.no_grad():
        last = net.net.forward_intermediates(
            images, indices=[3], norm=True, intermediates_only=True
        )[0]
        assert torch.equal(net(images), last.flatten(2).mean(dim=2))


@pytest.mark.parametrize(("name", "levels"), [("resnet18", 5), ("test_vit", 6)])
def test_more_levels_than_there_are_is_an_error(name, levels):
    count_features(name, name, (32, 32, 3), Taken(cut=levels - 1))
    message = f"cut_levels: expected at most {levels - 1}, since {name!r} has {levels} levels"
    with pytest.raises(ConfigError, match=message) as error:
        taken(name, cut=levels)
    assert error.value.slug == "config/cut-levels"


def test_a_net_without_levels_cannot_be_cut():
    with pytest.raises(ConfigError, match="expected at most 0, since 'NASNetMobile' has 1 level,"):
        count_features("NASNetMobile", "nasnetmobile", (64, 64, 3), Taken(cut=1))


def test_a_net_without_a_map_of_features_keeps_its_pooling():
    message = "pooling: expected 'avg' or 'max', since 'coat_tiny' gives no map of features"
    with pytest.raises(ConfigError, match=message) as error:
        count_features("coat_tiny", "coat_tiny", (224, 224, 3), Taken("concat"))
    assert error.value.slug == "config/pooling"


def test_an_own_net_cannot_be_cut():
    with pytest.raises(ConfigError, match="cut_levels: expected 0, since 'tiny' is a net of your"):
        taken("tiny", cut=1)


def test_a_pooling_that_is_put_in_stands_where_the_nets_own_stood():
    net = taken("test_resnet", "concat").net
    inner = [m for m in net.global_pool.modules() if isinstance(m, SelectAdaptivePool2d)]
    assert [pool.pool_type for pool in inner] == ["avg", "max"]
