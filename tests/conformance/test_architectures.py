"""What every architecture that makes masks promises, on nets of several families."""

import copy

import pytest
import segmentation_models_pytorch as smp
import torch

from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.engine.checkpoint import (
    Bundle,
    load_model,
    save_bundle,
    save_trained,
)
from fivefold.models import ModelSpec, build_classifier
from fivefold.models.architectures import architectures
from fivefold.models.mask_options import read_options
from fivefold.models.segmenter import Segmenter

HEADS = (Head("", "softmax", ("none", "disk", "ring")),)
SMALL = {
    "Unet": {"decoder_channels": [32, 16, 16, 8, 8]},
    "UnetPlusPlus": {"decoder_channels": [32, 16, 16, 8, 8]},
    "MAnet": {"decoder_channels": [32, 16, 16, 8, 8], "decoder_pab_channels": 16},
    "FPN": {"decoder_pyramid_channels": 32, "decoder_segmentation_channels": 32},
    "PSPNet": {"psp_out_channels": 32},
    "DeepLabV3": {"decoder_channels": 32},
    "DeepLabV3Plus": {"decoder_channels": 32},
    "UPerNet": {"decoder_channels": 32},
    "Segformer": {"decoder_segmentation_channels": 32},
    "DPT": {"decoder_intermediate_channels": [16] * 4, "decoder_fusion_channels": 16},
}
"""Options that make a decoder small enough for a test."""

NETS = ["resnet10t", "mobilenetv2_035", "tf_efficientnet_lite0", "regnetx_002"]
OTHERS = ["convnext_atto", "densenet121"]
"""Nets without a first level, and one that timm does not dilate itself."""

TRANSFORMER = "test_vit"


def spec_of(architecture: str, backbone: str, shape=(128, 128, 3), **options) -> ModelSpec:
    written = {**SMALL.get(architecture, {}), **options}
    arguments, problems = read_options(architecture, written, lambda *path: "")
    assert problems == []
    backbone = TRANSFORMER if architecture == "DPT" else backbone
    return ModelSpec(
        architecture, HEADS, shape, backbone=backbone, decoder=tuple(arguments.items())
    )


def built(spec: ModelSpec, seed: int = 0) -> Segmenter:
    torch.set_num_threads(1)
    model = build_classifier(spec, generator_seed=seed)
    assert isinstance(model, Segmenter)
    return model


def images(height: int, width: int, count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, 3, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("name", architectures.names())
@pytest.mark.parametrize(
    "backbone", [NETS[0], *(pytest.param(net, marks=pytest.mark.slow) for net in NETS[1:])]
)
def test_masks_are_as_large_as_images_of_any_size(name, backbone):
    height, width = 139, 150
    model = built(spec_of(name, backbone, (height, width, 3))).eval()
    with torch.no_grad():
        logits = model(images(height, width))
        assert logits.shape == (2, 3, height, width)
        assert logits.isfinite().all()
        if name != "DPT":  # which is built for one size
            assert model(images(128, 161)).shape == (2, 3, 128, 161)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in architectures.names() if n != "DPT"])
@pytest.mark.parametrize("backbone", OTHERS)
def test_nets_of_other_kinds_go_with_all_that_decode_levels(name, backbone):
    model = built(spec_of(name, backbone)).eval()
    with torch.no_grad():
        assert model(images(128, 128, 1)).shape == (1, 3, 128, 128)


@pytest.mark.parametrize("name", architectures.names())
def test_it_is_the_packages_own_network_with_the_same_weights(name):
    spec = spec_of(name, NETS[0])
    ours = built(spec).eval()
    arguments = {"encoder_weights": None, "classes": 3, **dict(spec.decoder)}
    if name == "DPT":
        arguments |= {"img_size": (128, 128)}
    theirs = getattr(smp, name)(encoder_name=f"tu-{spec.backbone}", **arguments).eval()
    theirs.decoder.load_state_dict(ours.head.decoder.state_dict())
    theirs.segmentation_head.load_state_dict(ours.head.last.state_dict())
    own = {n.replace("_", "."): t for n, t in ours.backbone.net.state_dict().items()}
    encoder = {
        n: own.get(n.removeprefix("model.").replace("_", "."), t)
        for n, t in theirs.encoder.state_dict().items()
    }
    theirs.encoder.load_state_dict(encoder)
    with torch.no_grad():
        pixels = images(128, 128)
        expected = theirs(ours.normalised(pixels))
        torch.testing.assert_close(ours(pixels), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", architectures.names())
def test_a_frozen_encoder_holds_while_the_decoder_learns(name):
    model = built(spec_of(name, NETS[0]))
    model.freeze(encoder=True, batchnorm=False)
    digest = model.encoder_digest()
    before = copy.deepcopy(model.head.state_dict())
    trained = [p for p in model.parameters() if p.requires_grad]
    model.train()(images(128, 128)).square().mean().backward()
    torch.optim.SGD(trained, lr=0.1).step()
    assert model.encoder_digest() == digest
    assert not any(module.training for module in model.backbone.net.modules())
    after = model.head.state_dict()
    assert any(not torch.equal(after[n], tensor) for n, tensor in before.items())


@pytest.mark.parametrize("name", architectures.names())
def test_every_parameter_has_a_gradient(name):
    model = built(spec_of(name, NETS[1])).train()
    model(images(128, 128)).square().mean().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", architectures.names())
def test_two_builds_have_the_same_bytes(name):
    spec = spec_of(name, NETS[1])
    first, second, other = (built(spec, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[n], second[n]) for n in first)
    assert any(not torch.equal(first[n], other[n]) for n in first if n.startswith("head."))


@pytest.mark.parametrize("name", architectures.names())
@pytest.mark.parametrize("frozen", [False, True])
def test_a_saved_model_is_loaded_bit_by_bit(name, frozen, tmp_path):
    spec = spec_of(name, NETS[1])
    model = built(spec, seed=5)
    folder = RunFolder.of(tmp_path)
    sha256, encoder_sha256 = save_trained(folder, 0, 0, model, frozen=frozen)
    bundle = Bundle(
        spec, model.input_spec, sha256, 0, 0, 0, {}, model.origin, {}, encoder_sha256=encoder_sha256
    )
    save_bundle(folder.bundle(0, 0), bundle)
    loaded = load_model(folder, 0, 0)
    assert isinstance(loaded, Segmenter)
    with torch.no_grad():
        assert torch.equal(loaded(images(128, 128)), model.eval()(images(128, 128)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "depth"),
    [(n, d) for n in architectures.names() for d in (3, 4) if n not in ("PSPNet", "DPT")],
)
def test_fewer_levels_give_masks_of_the_same_size(name, depth):
    channels = {"decoder_channels": [16] * depth} if name in ("Unet", "UnetPlusPlus") else {}
    channels = {"decoder_channels": [16] * depth} if name == "MAnet" else channels
    model = built(spec_of(name, NETS[0], encoder_depth=depth, **channels)).eval()
    with torch.no_grad():
        assert model(images(128, 128)).shape == (2, 3, 128, 128)


@pytest.mark.parametrize("factor", [4, 8, 16, 32])
def test_pspnet_halves_maps_as_often_as_muskets_option_says(factor):
    model = built(spec_of("PSPNet", NETS[0], downsample_factor=factor)).eval()
    with torch.no_grad():
        assert model.backbone(torch.zeros(1, 3, 128, 128))[-1].shape[2] == 128 // factor
        assert model(images(128, 128)).shape == (2, 3, 128, 128)


@pytest.mark.parametrize("name", ["DeepLabV3", "DeepLabV3Plus", "PAN"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_the_last_map_is_as_large_as_the_output_stride_says(name, stride):
    if stride not in ({16, 32} if name == "PAN" else {8, 16}):
        return
    shape = (256, 256, 3)
    model = built(spec_of(name, NETS[0], shape, encoder_output_stride=stride)).eval()
    with torch.no_grad():
        assert model.backbone(torch.zeros(1, 3, 256, 256))[-1].shape[2] == 256 // stride
        assert model(images(256, 256, 1)).shape == (1, 3, 256, 256)
