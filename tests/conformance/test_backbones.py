"""What every backbone promises, for a user's own net and one small net of each of timm's kinds."""

import pytest
import safetensors.torch
import timm
import tiny  # noqa: F401  registers the net
import torch

import fivefold.models.nasnet  # noqa: F401  registers the net
from fivefold.core.types import Head
from fivefold.models.backbones import build_backbone, shape_problem
from fivefold.models.building import build_classifier
from fivefold.models.classifier import ModelSpec
from fivefold.models.heads import Hidden
from fivefold.models.names import KERAS_NAMES
from fivefold.models.stem import Downscaling

HEADS = (Head("", "softmax", ("a", "b", "c")),)
QUICK = {"test_efficientnet": 32, "test_resnet": 32, "test_vit": 32, "tiny": 32}
THOROUGH = {
    "test_byobnet": 32,
    "test_convnext": 32,
    "test_efficientnet_evos": 32,
    "test_efficientnet_gn": 32,
    "test_maxvit": 64,
    "test_nfnet": 32,
}
PARTS = [
    ("tiny", {"hidden": Hidden((0.2, 9.0, 0.3, 7.0), "gelu")}),
    ("tiny", {"downscaling": Downscaling(1, 8), "shape": (64, 64, 3)}),
    ("test_resnet", {"pooling": "concat"}),
    ("test_resnet", {"pooling": "attention", "hidden": Hidden((9.0,), batchnorm=True)}),
    ("test_efficientnet", {"pooling": "max", "cut_levels": 2}),
    ("test_vit", {"pooling": "attention"}),
    ("test_vit", {"pooling": "concat", "cut_levels": 1}),
]
NETS = [
    *((name, {"shape": (size, size, 3)}) for name, size in QUICK.items()),
    *PARTS,
    *(
        pytest.param((name, {"shape": (size, size, 3)}), marks=pytest.mark.slow)
        for name, size in THOROUGH.items()
    ),
]


def name_of(net):
    name, changes = net
    return "-".join([name, *(key for key in changes if key != "shape")])


@pytest.fixture(params=NETS, ids=name_of)
def spec(request):
    name, changes = request.param
    return ModelSpec(name, HEADS, **{"shape": (32, 32, 3), "dropout": 0.2, **changes})


def pixels(spec, count=2, seed=0):
    height, width, channels = spec.shape
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def bytes_of(module):
    return {name: t.numpy().tobytes() for name, t in module.state_dict().items()}


def train_a_step(model, spec):
    model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=0.1, weight_decay=0.1)
    model(pixels(spec)).square().sum().backward()
    optimizer.step()


def test_each_image_becomes_one_finite_vector(spec):
    model = build_classifier(spec).eval()
    with torch.no_grad():
        features = model.features(pixels(spec, count=3))
    # Where the head pools there are the features of several positions.
    assert features.shape[:2] == (3, model.backbone.num_features)
    assert features.ndim == (3 if spec.pooling == "attention" else 2)
    assert torch.isfinite(features).all()


def test_images_do_not_see_each_other_in_evaluation(spec):
    model = build_classifier(spec).eval()
    with torch.no_grad():
        together = model(pixels(spec))
        alone = torch.cat([model(image[None]) for image in pixels(spec)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_every_parameter_gets_a_gradient(spec):
    model = build_classifier(spec)
    model.train()
    model(pixels(spec)).square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_than_three_are_accepted(spec, channels):
    height, width, _ = spec.shape
    net = build_backbone(
        spec.architecture, channels=channels, image_size=(height, width), weights="none"
    )
    assert len(net.input_spec.mean) == channels
    with torch.no_grad():
        assert net.eval()(torch.zeros(1, channels, height, width)).shape == (1, net.num_features)


def test_a_frozen_encoder_keeps_every_byte_through_a_step(spec):
    model = build_classifier(spec)
    model.freeze(encoder=True, batchnorm=False)
    before = bytes_of(model.backbone.net)
    train_a_step(model, spec)
    assert bytes_of(model.backbone.net) == before


def test_a_frozen_encoder_gives_the_same_features_in_training_and_evaluation(spec):
    model = build_classifier(spec)
    model.freeze(encoder=True, batchnorm=False)
    assert torch.equal(model.train().features(pixels(spec)), model.eval().features(pixels(spec)))


def test_held_statistics_keep_every_byte_through_a_step(spec):
    model = build_classifier(spec)
    model.freeze(encoder=False, batchnorm=True)
    before = {name: b.clone() for name, b in model.backbone.named_buffers()}
    train_a_step(model, spec)
    assert all(torch.equal(b, before[name]) for name, b in model.backbone.named_buffers())


def test_saved_and_loaded_weights_give_the_same_logits(spec, tmp_path):
    model = build_classifier(spec, generator_seed=1).eval()
    safetensors.torch.save_file(model.state_dict(), tmp_path / "w.safetensors")
    other = build_classifier(spec, generator_seed=2).eval()
    other.load_state_dict(safetensors.torch.load_file(tmp_path / "w.safetensors"))
    with torch.no_grad():
        assert torch.equal(model(pixels(spec)), other(pixels(spec)))


def test_a_saved_classifier_is_a_start_for_another(spec, tmp_path):
    if spec.cut_levels or spec.downscaling.steps:
        pytest.skip("`weights` are those of a whole net; `initial_weights` takes any")
    model = build_classifier(spec, generator_seed=1)
    safetensors.torch.save_file(model.state_dict(), tmp_path / "w.safetensors")
    other = build_classifier(spec, weights="w.safetensors", directory=tmp_path)
    assert bytes_of(other.backbone) == bytes_of(model.backbone)
    assert other.origin.kind == "file"


def test_the_same_seed_builds_the_same_bytes(spec):
    assert bytes_of(build_classifier(spec)) == bytes_of(build_classifier(spec))


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_every_name_of_the_table_is_a_net_of_timm(name):
    assert timm.is_model(KERAS_NAMES[name].partition(".")[0])
    assert timm.get_pretrained_cfg(KERAS_NAMES[name]) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS_NAMES)
def test_every_name_of_the_table_takes_ordinary_images(name):
    assert shape_problem(name, (224, 224, 3)) is None
