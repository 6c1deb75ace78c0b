import pytest

from fivefold.build import check
from fivefold.config import parse

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
