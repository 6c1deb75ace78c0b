"""Users' own networks that make masks: what they are given, and what they have to give."""

import inspect
import re
from pathlib import Path

import pytest
import safetensors.torch
import torch
from own_modules import catalogs_as_before
from torch import nn

import fivefold
from fivefold import segmentation
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.segmenters import segmenter_named
from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier
from fivefold.models.depths import layer_scales
from fivefold.models.segmenter import Segmenter

TWO = (Head("", "sigmoid", ("disk", "ring")),)
SPEC = ModelSpec("Plain", TWO, (20, 30, 3))
LINE = f"{Path(__file__).name}:"


@pytest.fixture(autouse=True)
def _as_before():
    with catalogs_as_before():
        yield


class Plain(nn.Module):
    """Two convolutions."""

    mean, std = (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)

    def __init__(self, in_channels: int, classes: int, *, width: int = 4, norm: bool = False):
        super().__init__()
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.last = nn.Conv2d(width, classes, 1)

    def forward(self, images):
        return self.last(self.norm(self.first(images)).relu())


def add(make, name=""):
    return fivefold.mask_architecture(name=name)(make)


def built(spec=SPEC, **options):
    model = build_classifier(spec, **options)
    assert isinstance(model, Segmenter)
    return model.eval()


def gives(answer, name="Plain"):
    """Register a network that answers what a function makes of images."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Conv2d(3, 2, 1)

        def forward(self, images):
            return answer(self.last(images))

    add(Net, name)


def test_a_network_of_ones_own_is_an_architecture_in_any_case():
    assert segmenter_named("Plain") is None
    assert not SPEC.makes_masks
    add(Plain)
    assert segmenter_named(" plain ") == "Plain"
    assert SPEC.makes_masks
    assert SPEC.net == "Plain"


def test_its_logits_are_those_of_normalised_pixels():
    add(Plain)
    model = built()
    images = torch.randint(0, 256, (3, 3, 20, 30), dtype=torch.uint8)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (Plain.mean, Plain.std))
    with torch.no_grad():
        expected = model.backbone.net((images / 255 - mean) / std)
        torch.testing.assert_close(model(images), expected, rtol=1e-5, atol=1e-5)
    assert expected.shape == (3, 2, 20, 30)


def test_cells_are_seen_one_by_one_and_laid_side_by_side():
    add(Plain)
    model = built(ModelSpec("Plain", TWO, (20, 30, 3), crops=2))
    images = torch.randint(0, 256, (1, 3, 20, 30), dtype=torch.uint8)
    with torch.no_grad():
        whole, corner = model(images), model(images[:, :, :10, :15])
    torch.testing.assert_close(whole[:, :, :10, :15], corner)


def test_options_come_from_the_decoder():
    add(Plain)
    spec = ModelSpec("Plain", TWO, (20, 30, 3), decoder=(("width", 7),))
    assert built(spec).backbone.net.first.out_channels == 7
    wrong = ModelSpec("Plain", TWO, (20, 30, 3), decoder=(("depth", 7),))
    with pytest.raises(ConfigError, match="depth: ") as error:  # the code is another one since
        built(wrong)
    assert error.value.slug == "config/decoder"


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda input_shape, num_classes: (input_shape, num_classes) == ((20, 30, 3), 2), True),
        (lambda *, classes, in_channels=9: (classes, in_channels) == (2, 3), True),
    ],
)
def test_it_is_told_of_images_and_classes_what_it_names(make, got):
    seen = []

    def plain(net):
        seen.append(net)
        return Plain(3, 2)

    def called(**arguments):
        return plain(make(**arguments))

    called.__signature__ = inspect.signature(make)
    add(called, "Plain")
    built()
    assert seen == [got]


def test_one_seed_gives_the_same_bytes():
    add(Plain)
    first, again, other = (built(generator_seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["backbone.net.last.weight"], other["backbone.net.last.weight"])


def test_it_starts_from_a_file_and_has_no_other_weights(tmp_path):
    add(Plain)
    state = Plain(3, 2).state_dict()
    safetensors.torch.save_file(state, tmp_path / "own.safetensors")
    model = built(weights="own.safetensors", directory=tmp_path)
    assert torch.equal(model.backbone.net.last.weight, state["last.weight"])
    assert model.origin.kind == "file"
    with pytest.raises(DataError, match="'Plain' is a net of your own"):
        built(weights="imagenet")
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="expected weights of 'Plain', got others") as error:
        built(weights="other.safetensors", directory=tmp_path)
    assert error.value.slug == "weights/mismatch"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: x[:, :, ::2], r"logits of shape (2, 2, 20, 30), got Tensor of shape (2, 2, 10,"),
        (lambda x: x[:, 0], "logits of shape (2, 2, 20, 30), got Tensor of shape (2, 20, 30)"),
        (lambda x: {"out": x}, "logits of shape (2, 2, 20, 30), got dict"),
        (
            lambda x: x > 0,
            "logits of a floating-point type, got Tensor of shape (2, 2, 20, 30) and",
        ),
    ],
)
def test_what_is_no_logits_is_told_by_the_line_of_the_file(answer, message):
    gives(answer)
    told = re.escape(f"architecture 'Plain': expected {message}")
    with pytest.raises(ConfigError, match=told) as error:
        built()
    (problem,) = error.value.problems
    assert problem.slug == "config/part-result"
    assert LINE in problem.where


def test_what_it_gives_is_looked_at_in_training_too():
    class Deep(Plain):
        def forward(self, images):
            logits = super().forward(images)
            return [logits, logits] if self.training else logits

    add(Deep, "Plain")
    model = built().train()
    with pytest.raises(ConfigError, match=r"logits of shape \(2, 2, 20, 30\), got list"):
        model(torch.zeros(2, 3, 20, 30))


def test_code_that_raises_is_told_by_its_line():
    gives(lambda x: x + torch.zeros(1, 1, 7, 7))
    with pytest.raises(ConfigError, match="expected this code to run, got RuntimeError") as error:
        built()
    (problem,) = error.value.problems
    assert (problem.slug, LINE in problem.where) == ("config/part-failed", True)


def test_what_makes_no_network_is_told():
    add(lambda classes: classes, "Plain")
    with pytest.raises(ConfigError, match=r"'Plain': expected a module of torch's, got int"):
        built()


def test_batchnorm_words_its_own_refusal():
    add(Plain)
    small = ModelSpec("Plain", TWO, (1, 1, 3), decoder=(("norm", True),))
    model = built(small).train()
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model(torch.zeros(1, 3, 1, 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda classes, activation: None,
        lambda classes, backbone, *, width=3: None,
        lambda in_channels, /: None,
    ],
)
def test_what_wants_to_be_told_something_else_is_refused_when_it_is_added(make):
    with pytest.raises(ConfigError, match="expected a class or function of some of") as error:
        add(make, "Plain")
    assert error.value.slug == "config/bad-part"


def test_a_name_means_one_thing():
    with pytest.raises(ConfigError, match="expected a name that no other architecture has, got 'u"):
        add(Plain, "unet")
    add(Plain)
    with pytest.raises(ConfigError, match="expected a name of no architecture that makes masks"):
        fivefold.architecture(name="plain")(lambda in_channels: None)
    with pytest.raises(ValueError, match="architecture 'plain' is already the name of 'Plain'"):
        add(lambda classes: None, "plain")


def test_the_dictionary_of_musket_adds_and_shows_it():
    segmentation.custom_models["MyUnet"] = Plain
    assert segmentation.custom.models["myunet"] is Plain
    assert list(segmentation.custom_models) == ["MyUnet"]
    assert segmenter_named("myunet") == "MyUnet"
    with pytest.raises(KeyError, match="Unet"):
        _ = segmentation.custom_models["Unet"]


def test_its_last_layer_learns_at_the_full_rate():
    add(Plain)
    scales = layer_scales(built(), 0.5)
    assert scales["backbone.net.last.weight"] == 1
    assert scales["backbone.net.first.weight"] == 0.5
