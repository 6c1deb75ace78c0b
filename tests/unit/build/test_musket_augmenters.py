"""Configs that name augmenters of pixels: each means something, or is refused with the reason."""

from pathlib import Path

import numpy as np
import pytest

from fivefold.augment import build_augmentation
from fivefold.build import check
from fivefold.config import load, parse
from fivefold.core.catalog import nowhere

FILES = Path(__file__).parents[2] / "fixtures" / "musket"
HONOURED = ["pixel_augmenters", "more_pixel_augmenters", "blended_augmenters", "mixing"]


@pytest.mark.parametrize("name", HONOURED)
def test_every_name_and_option_is_honoured(name):
    assert check(load(FILES / f"{name}.yaml")) == []


@pytest.mark.parametrize("name", HONOURED)
def test_images_can_be_augmented_by_all_of_them(name):
    config = load(FILES / f"{name}.yaml")
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for stage in config.resolve():
        changed = build_augmentation(stage.augmentation, nowhere)(image, np.random.default_rng(1))
        assert changed.shape == image.shape


def test_what_no_yaml_can_express_is_refused_with_the_reason():
    problems = check(load(FILES / "refused_augmenters.yaml"))
    found = [(p.slug, p.message, p.where.partition("augmenters.yaml:")[2]) for p in problems]
    message = "augmentation: augmenter {!r} cannot be used"
    assert found == [
        ("config/refused-augmenter", message.format("Voronoi"), "4:12"),
        ("config/refused-augmenter", message.format("Lambda"), "5:11"),
    ]
    assert "use `UniformVoronoi`" in problems[0].hint


def test_corruptions_of_another_package_are_refused():
    start = "architecture: DenseNet121\nstages: [{epochs: 1}]\n"
    (problem,) = check(parse(start + "augmentation: [imgcorruptlike.Frost: 3]"))
    assert "it needs the package imagecorruptions" in problem.hint


GREY = """
architecture: DenseNet121
shape: [32, 32, 1]
stages: [{epochs: 1}]
augmentation:
  - Fliplr: 0.5
  - OneOf: [{Add: 3}, {Sometimes: {then: [{AddToHue: 5}]}}]
"""


def test_colours_of_grey_images_are_refused_before_training_at_any_depth():
    (problem,) = check(parse(GREY))
    assert problem.slug == "config/refused-augmenter"
    assert problem.message.endswith("augmenter 'AddToHue' cannot be used")
    assert problem.hint == (
        "it changes red, green and blue, and `shape` has 1 channel: leave it out, or set 3"
    )
    assert problem.where == "config.yaml:7:54"
    assert check(parse(GREY.replace("32, 1]", "32, 3]"))) == []
