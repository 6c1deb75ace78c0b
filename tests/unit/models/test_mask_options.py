import inspect

import pytest
import segmentation_models_pytorch as smp

from fivefold.core.segmenters import ARCHITECTURES, MUSKET_OPTIONS, OPTIONS, segmenter_named
from fivefold.models.architectures import architectures
from fivefold.models.mask_options import read_options, spellings_of

OURS = {
    *("encoder_name", "encoder_weights", "in_channels", "classes", "activation"),
    *("aux_params", "kwargs", "self"),
}
"""Parameters of the package's classes that are no options: what fivefold says itself."""


def at(*path):
    return ".".join(map(str, path))


def read(architecture, **written):
    arguments, problems = read_options(architecture, written, at)
    assert problems == []
    return arguments


def refused(architecture, **written):
    arguments, (problem,) = read_options(architecture, written, at)
    assert arguments == {}
    return problem


def test_every_architecture_is_in_the_catalog_in_any_case():
    assert sorted(ARCHITECTURES) == sorted(architectures.names())
    for spelling in architectures.spellings():
        assert segmenter_named(spelling.upper()) == architectures.get(spelling).name
    assert segmenter_named("ResNet18") is None


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_option_of_the_package_is_known_and_its_default_the_same(name):
    parameters = inspect.signature(getattr(smp, name).__init__).parameters
    theirs = {n: p.default for n, p in parameters.items() if n not in OURS}
    ours = read(name)
    assert set(spellings_of(name)) >= set(theirs)
    for option, default in theirs.items():
        value = tuple(default) if isinstance(default, tuple) else default
        if option in ours:
            mine = tuple(ours[option]) if isinstance(ours[option], list) else ours[option]
            assert mine == value, option


def test_every_name_of_an_option_is_one_that_a_config_may_have():
    names = {n for architecture in ARCHITECTURES for n in spellings_of(architecture)}
    assert names - {"dropout"} == {*OPTIONS, *MUSKET_OPTIONS}
    assert not OPTIONS.keys() & MUSKET_OPTIONS.keys()


@pytest.mark.parametrize(
    ("architecture", "written", "argument", "value"),
    [
        ("Unet", {"decoder_filters": [64, 32, 16]}, "decoder_channels", [64, 32, 16]),
        ("Unet", {"decoder_filters": [64, 32, 16]}, "encoder_depth", 3),
        ("Unet", {"n_upsample_blocks": 4}, "decoder_channels", [256, 128, 64, 32]),
        ("UnetPlusPlus", {"use_batchnorm": False}, "decoder_use_norm", False),
        ("MAnet", {"decoder_use_batchnorm": True}, "decoder_use_norm", True),
        ("Linknet", {"n_upsample_blocks": 4}, "encoder_depth", 4),
        ("FPN", {"pyramid_block_filters": 64}, "decoder_pyramid_channels", 64),
        ("FPN", {"segmentation_block_filters": 32}, "decoder_segmentation_channels", 32),
        ("FPN", {"pyramid_dropout": 0.1}, "decoder_dropout", 0.1),
        ("FPN", {"dropout": 0.1}, "decoder_dropout", 0.1),
        ("PSPNet", {"downsample_factor": 4}, "encoder_depth", 2),
        ("PSPNet", {"downsample_factor": 16}, "upsampling", 16),
        ("PSPNet", {"psp_conv_filters": 128}, "psp_out_channels", 128),
        ("PSPNet", {"psp_use_batchnorm": False}, "decoder_use_norm", False),
        ("PSPNet", {"dropout": 0}, "psp_dropout", 0),
        ("DeepLabV3", {"OS": 16}, "encoder_output_stride", 16),
        ("DeepLabV3Plus", {"OS": 8}, "encoder_output_stride", 8),
    ],
)
def test_muskets_name_of_an_option_means_the_packages(architecture, written, argument, value):
    assert read(architecture, **written)[argument] == value


@pytest.mark.parametrize(
    ("architecture", "written"),
    [
        ("Unet", {"decoder_block_type": "upsampling", "upsample_rates": [2, 2, 2, 2, 2]}),
        ("Linknet", {"upsample_layer": "transpose", "encoder_features": "default"}),
        ("FPN", {"interpolation": "bilinear", "last_upsample": 4, "upsample_rates": [2, 2, 2]}),
        ("PSPNet", {"psp_pooling_type": "avg", "final_interpolation": "bilinear"}),
        ("DeepLabV3", {"alpha": 1.0, "upsampling": 8}),
    ],
)
def test_what_is_so_anyway_may_be_said(architecture, written):
    assert read(architecture, **written) == read(architecture)


@pytest.mark.parametrize(
    ("architecture", "written", "message", "hint"),
    [
        (
            "Unet",
            {"decoder_block_type": "transpose"},
            "decoder_block_type: expected 'upsampling' for Unet, got 'transpose'",
            "no transposed convolutions",
        ),
        (
            "Linknet",
            {"decoder_filters": [1, 2, 3, 4, 5]},
            "decoder_filters: expected no such option for Linknet, got [1, 2, 3, 4, 5]",
            "as wide as the encoder",
        ),
        (
            "FPN",
            {"use_batchnorm": True},
            "use_batchnorm: expected no such option for FPN, got True",
            "GroupNorm",
        ),
        (
            "PSPNet",
            {"psp_pooling_type": "max"},
            "psp_pooling_type: expected 'avg' for PSPNet, got 'max'",
            "means",
        ),
        (
            "DeepLabV3",
            {"alpha": 0.5},
            "alpha: expected 1 for DeepLabV3, got 0.5",
            "mobilenetv2_050",
        ),
        (
            "Unet",
            {"OS": 16},
            "OS: expected an option of Unet, which has no such one",
            "it has encoder_depth, decoder_channels",
        ),
        (
            "Unet",
            {"decoder_chanels": [1]},
            "decoder_chanels: expected an option of Unet, which has no such one",
            "did you mean 'decoder_channels'?",
        ),
        (
            "FPN",
            {"dropout": 0.1, "decoder_dropout": 0.2},
            "decoder_dropout: expected one of two names of the same option, got both",
            "'dropout' means the same",
        ),
    ],
)
def test_what_an_architecture_cannot_give_is_refused_with_the_reason(
    architecture, written, message, hint
):
    problem = refused(architecture, **written)
    assert (problem.slug, problem.message) == ("config/decoder", message)
    assert hint in problem.hint
    assert problem.where in written


@pytest.mark.parametrize(
    ("architecture", "written", "message"),
    [
        ("PSPNet", {"downsample_factor": 5}, "downsample_factor: expected 4, 8, 16 or 32, got 5"),
        ("DeepLabV3", {"OS": 32}, "OS: expected 8 or 16, got 32"),
        ("Unet", {"use_batchnorm": 3}, "use_batchnorm: expected true, false, 'batchnorm' or"),
        (
            "Unet",
            {"encoder_depth": 3, "decoder_filters": [1, 2, 3, 4]},
            "decoder_filters: expected 3 numbers, one for each of `encoder_depth`, "
            "got [1, 2, 3, 4]",
        ),
        ("Unet", {"decoder_filters": [64, "a", 3]}, "decoder_filters: expected a whole number"),
        ("FPN", {"pyramid_dropout": 1}, "pyramid_dropout: expected less than 1, got 1"),
    ],
)
def test_a_wrong_value_is_told_by_the_name_that_was_written(architecture, written, message):
    _, problems = read_options(architecture, written, at)
    assert problems[0].slug == "config/bad-value"
    assert problems[0].message.startswith(message)
