"""Views of data sets are trained on like any other data set."""

import pytest
from shapes import draw_folders

from fivefold import Experiment
from fivefold.data import FolderSource
from fivefold.data.views import concatenate, filter_samples, map_images, remap_classes, repeat

CONFIG = """
architecture: test_resnet
weights: none
shape: [32, 32, 3]
folds_count: 2
metrics: [accuracy]
stages: [{epochs: 1}]
"""
pytestmark = pytest.mark.slow


def trained(folder, dataset):
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    Experiment.load(folder).fit(dataset)
    weights = sorted((folder / "weights").glob("*.safetensors"))
    return [path.read_bytes() for path in weights]


def darker(image):
    return image // 2


def lighter(image):
    return 255 - image // 2


def test_a_view_of_views_is_trained_on(tmp_path):
    photos = FolderSource(draw_folders(tmp_path / "photos", 6))
    some = filter_samples(photos, lambda sample: not sample.sample_id.endswith("005.png"))
    halves = concatenate([some, map_images(some, darker)], names=["as it is", "darker"])
    classes = {"circle": "round", "square": "angular", "triangle": "angular"}
    view = repeat(remap_classes(halves, classes), 2)
    first = trained(tmp_path / "one", view)
    assert len(first) == 2
    assert trained(tmp_path / "two", view) == first


def test_a_view_of_everything_is_the_data_set_itself(tmp_path, cache_folder):
    photos = FolderSource(draw_folders(tmp_path / "photos", 6))
    whole = filter_samples(photos, lambda sample: True)
    assert trained(tmp_path / "one", photos) == trained(tmp_path / "two", whole)


def test_another_function_gives_other_weights_whatever_the_cache_has(tmp_path, cache_folder):
    photos = FolderSource(draw_folders(tmp_path / "photos", 6))
    dark = trained(tmp_path / "one", map_images(photos, darker))
    assert trained(tmp_path / "two", map_images(photos, lighter)) != dark
    assert trained(tmp_path / "three", map_images(photos, darker)) == dark
