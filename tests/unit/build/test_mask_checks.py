import pytest
import tiny  # noqa: F401  registers the net
from own_modules import catalogs_as_before

from fivefold import mask_architecture
from fivefold.build import build_spec, check
from fivefold.build.mask_checks import decoder_of
from fivefold.config import parse
from fivefold.core.types import Head

REST = "\nstages: [{epochs: 1}]"


@pytest.mark.parametrize("architecture", ["Unet", "unet", "DEEPLABV3", "unet++", "DeepLabV3+"])
def test_an_architecture_in_any_case_makes_masks(architecture):
    config = parse(f"architecture: {architecture}\nbackbone: resnet34{REST}")
    assert config.makes_masks
    assert [stage.makes_masks for stage in config.resolve()] == [True]
    assert check(config) == []


@pytest.mark.parametrize(
    ("text", "slug", "message"),
    [
        (
            "architecture: ResNet18\nbackbone: ResNet34",
            "config/backbone",
            "backbone: expected nothing, since 'ResNet18' classifies images, got 'ResNet34'",
        ),
        ("architecture: Unet", "config/missing-key", "backbone: required by 'Unet', but not set"),
        (
            "architecture: Unet\nbackbone: resnet19",
            "config/unknown-name",
            "backbone: expected the name of a known backbone, got 'resnet19'",
        ),
        (
            "architecture: Unett\nbackbone: resnet18",
            "config/unknown-name",
            "architecture: expected the name of a known backbone, got 'Unett'",
        ),
    ],
)
def test_architecture_and_backbone_are_checked_before_anything_is_built(text, slug, message):
    found = [(problem.slug, problem.message) for problem in check(parse(text + REST))]
    assert (slug, message) in found


def problems_of(text):
    return check(parse(text + REST))


def test_options_stand_beside_the_architecture_or_among_those_of_the_decoder():
    beside = parse("architecture: PSPNet\nbackbone: resnet18\npsp_conv_filters: 64\nOS: 8")
    tidy = parse("architecture: PSPNet\nbackbone: resnet18\ndecoder: {psp_conv_filters: 64, OS: 8}")
    assert beside.decoder == tidy.decoder == {"psp_conv_filters": 64, "OS": 8}


def test_an_option_is_told_with_its_line_wherever_it_stands():
    (problem,) = problems_of("architecture: Unet\nbackbone: resnet18\nOS: 8")
    assert problem.where == "config.yaml:3:5"
    assert problem.slug == "config/decoder"
    (problem,) = problems_of("architecture: Unet\nbackbone: resnet18\ndecoder:\n  OS: 8")
    assert problem.where == "config.yaml:4:7"


def test_the_dropout_of_a_classifier_is_that_of_a_decoder_which_has_one():
    fpn = parse("architecture: FPN\nbackbone: resnet18\ndropout: 0.1")
    assert decoder_of(fpn)[0]["decoder_dropout"] == 0.1
    (problem,) = problems_of("architecture: Unet\nbackbone: resnet18\ndropout: 0.1")
    assert problem.message == "dropout: expected 0 for Unet, got 0.1"
    assert problem.where == "config.yaml:3:10"
    assert problems_of("architecture: Unet\nbackbone: resnet18\ndropout: 0") == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pooling: max", "pooling: expected nothing, since 'Unet' makes masks, got 'max'"),
        ("head_layers: [8]", "head_layers: expected nothing, since 'Unet' makes masks, got (8,)"),
        ("cut_levels: 1", "cut_levels: expected nothing, since 'Unet' makes masks, got 1"),
        ("downscaling: 1", "downscaling: expected nothing, since 'Unet' makes masks, got 1"),
        ("frozen_views: 2", "frozen_views: expected nothing, since 'Unet' makes masks, got 2"),
    ],
)
def test_keys_that_mean_nothing_for_masks_are_refused(line, message):
    (problem,) = problems_of(f"architecture: Unet\nbackbone: resnet18\n{line}")
    assert (problem.slug, problem.message) == ("config/of-images", message)
    assert problem.where.startswith("config.yaml:3:")


def test_a_stage_has_no_views_of_frozen_features_either():
    text = "architecture: Unet\nbackbone: resnet18\nstages:\n  - {epochs: 1, frozen_views: 2}"
    (problem,) = check(parse(text))
    assert problem.message.startswith("stages.0.frozen_views: expected nothing")


def test_options_of_a_decoder_mean_nothing_for_a_classifier():
    (problem,) = problems_of("architecture: ResNet18\nOS: 8")
    assert problem.message == "OS: expected nothing, since 'ResNet18' classifies images, got 8"


def test_the_spec_has_every_argument_of_the_architecture():
    config = parse("architecture: unet\nbackbone: resnet18\ndecoder_filters: [32, 16, 8]")
    spec = build_spec(config, (Head("", "sigmoid", ("disk",)),))
    assert (spec.architecture, spec.backbone, spec.makes_masks) == ("unet", "resnet18", True)
    assert dict(spec.decoder) == {
        "encoder_depth": 3,
        "decoder_channels": [32, 16, 8],
        "decoder_use_norm": "batchnorm",
        "decoder_attention_type": None,
        "decoder_interpolation": "nearest",
    }


@pytest.mark.parametrize(
    ("architecture", "backbone", "weights", "is_right"),
    [
        ("DeepLabV3", "mobilenetv2", "pascal_voc", True),
        ("Unet", "resnet50", "pascal_voc", True),
        ("Unet", "resnet34", "pascal_voc", False),
        ("Unet", "resnet34", "imagenet", True),
        ("Unet", "resnet34", "~", True),
    ],
)
def test_weights_of_pascal_voc_are_refused_where_there_are_none(
    architecture, backbone, weights, is_right
):
    text = f"architecture: {architecture}\nbackbone: {backbone}\nencoder_weights: {weights}"
    problems = problems_of(text)
    assert (problems == []) == is_right
    for problem in problems:
        assert (problem.slug, problem.where) == ("weights/kind", "config.yaml:3:18")
        assert problem.hint == "ResNet50 and ResNet101 have weights of that kind"


def test_a_config_of_segmentation_has_an_architecture_that_makes_masks():
    (problem,) = problems_of("#%Musket Segmentation 1.0\narchitecture: ResNet18")
    assert (problem.slug, problem.where) == ("config/masks", "config.yaml:2:15")
    assert "since the first line says Segmentation, got 'ResNet18'" in problem.message
    assert problems_of("#%Musket Segmentation 1.0\narchitecture: Unet\nbackbone: vgg16") == []


def test_a_net_of_ones_own_is_no_encoder():
    (problem,) = problems_of("architecture: Unet\nbackbone: tiny")
    assert problem.slug == "config/backbone-maps"
    assert problem.message == "backbone: expected a net of timm, got 'tiny', a net of your own"


@pytest.fixture
def own():
    with catalogs_as_before():

        @mask_architecture(name="Mine")
        def mine(in_channels, classes, *, depth: int, width: int = 16):
            pytest.fail("a config is checked without building anything")

        yield


OWN = "architecture: mine\nweights: none\ndecoder: {depth: 3}\n"


@pytest.mark.usefixtures("own")
def test_a_network_of_ones_own_needs_no_backbone():
    config = parse(OWN + "thresholds: dice" + REST)
    assert config.makes_masks
    assert [stage.makes_masks for stage in config.resolve()] == [True]
    assert check(config) == []
    spec = build_spec(config, (Head("", "sigmoid", ("disk",)),))
    assert (spec.net, spec.backbone) == ("mine", "")
    assert dict(spec.decoder) == {"depth": 3, "width": 16}, "a default may be another one later"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("line", "slug", "message"),
    [
        ("backbone: vgg16", "config/own-masks", "backbone: expected nothing, since 'mine' is a"),
        ("copyWeights: true", "config/own-masks", "copyWeights: expected nothing, since 'mine'"),
        ("freeze_encoder: true", "config/own-masks", "freeze_encoder: expected a network that le"),
        ("layers_to_train: 0", "config/own-masks", "layers_to_train: expected a network that le"),
        ("dropout: 0.1", "config/decoder", "dropout: expected 0 for mine, got 0.1"),
        ("pooling: max", "config/of-images", "pooling: expected nothing, since 'mine' makes ma"),
        ("calibration: temperature", "config/bad-value", "calibration: expected 'none', since 'm"),
    ],
)
def test_what_means_nothing_for_a_network_of_ones_own_is_refused(line, slug, message):
    (problem,) = problems_of(OWN + line) if "calibration" not in line else problems_after(line)
    assert (problem.slug, problem.message[: len(message)]) == (slug, message)
    assert problem.where.startswith("config.yaml:4:")


def problems_after(line):
    """Find what is said of a config with modules, which are run before it is known."""
    return check(parse(f"{OWN}{line}\nimports: [mine]{REST}"))


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{}", "depth: "),
        ("{depth: many}", "depth: "),
        ("{depth: 3, widht: 4}", "widht: expected an option of Mine, which has no such one"),
        ("{depth: 3, classes: 4}", "classes: expected an option of Mine, which has no such one"),
    ],
)
def test_options_of_a_network_of_ones_own_are_those_behind_the_star(options, message):
    (problem,) = problems_of(f"architecture: mine\nweights: none\ndecoder: {options}")
    assert problem.message.startswith(message)
    assert problem.where.startswith("config.yaml:3:" if options != "{}" else "config.yaml")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("weights", ["imagenet", "pascal_voc"])
def test_a_network_of_ones_own_has_no_weights_but_a_file(weights):
    (problem,) = problems_of(f"{OWN}weights: {weights}".replace("weights: none\n", ""))
    assert problem.slug == "weights/kind"
    assert problem.message == f"weights: expected 'none' or a path for 'mine', got '{weights}'"


@pytest.mark.usefixtures("own")
def test_a_frozen_stage_of_a_network_of_ones_own_is_named():
    text = f"{OWN}stages:\n  - {{epochs: 1}}\n  - {{epochs: 1, freeze_encoder: true}}"
    (problem,) = check(parse(text))
    assert problem.slug == "config/own-masks"
    assert problem.message.startswith("stages.1.freeze_encoder: expected a network that learns")
    assert problem.where == "config.yaml:6:33"


def test_what_may_be_a_network_of_ones_own_is_judged_once_its_modules_have_run():
    config = parse(f"architecture: ResNet18\nthresholds: dice\nimports: [mine]{REST}")
    (problem,) = check(config)
    assert problem.message.startswith("thresholds: expected another aim, since 'ResNet18' makes no")
