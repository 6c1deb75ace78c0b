import pytest

from fivefold.build import num_views, sees_features
from fivefold.config import parse

CONFIG = """\
architecture: tiny
frozen_views: 4
stages: [{epochs: 6, freeze_encoder: true}]
"""
AUGMENTED = CONFIG + "augmentation: {Fliplr: 0.5}\n"


def stage_of(text):
    return parse(text).resolve()[0]


@pytest.mark.parametrize(
    ("views", "expected"),
    [("4", 4), ("9", 6), ("1", 1), ("0", 0)],
)
def test_no_more_views_are_made_than_there_are_epochs(views, expected):
    stage = stage_of(AUGMENTED.replace("frozen_views: 4", f"frozen_views: {views}"))
    assert num_views(stage) == expected


def test_without_augmenters_there_are_no_views():
    assert num_views(stage_of(CONFIG)) == 0


@pytest.mark.parametrize(
    "text",
    [
        AUGMENTED.replace("0.5}", "0.5, MixUp: {}}"),
        AUGMENTED + "crops: 2\n",
        AUGMENTED.replace(", freeze_encoder: true", ""),
    ],
)
def test_what_goes_through_the_backbone_in_every_epoch_has_no_features(text):
    assert sees_features(stage_of(AUGMENTED))
    assert not sees_features(stage_of(text))
    assert num_views(stage_of(text)) == 0
