"""Abyss's guide, step by step: six breeds become dogs and cats, and a classifier learns them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG

from fivefold.core.predictions import Predictions
from fivefold.data.coco import CategoryTranslator, ImageClassificationDataset
from fivefold.experiment.experiment import Experiment

BREEDS = ("lakeland_terrier", "german_shepherd", "labrador", "persian", "siamese", "sphynx")
CATEGORY_MAP = {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1, "6": 1}
BY_COCO = """dataset:
  coco: coco.train.json
  coco_validation: coco.val.json
  images: shapes
  category_map: category-map.json
folds_count: 1
"""


def write_breeds(folder):
    """Draw reddish dogs and bluish cats, and say in two files which breed each one is."""
    rng = np.random.default_rng(0)
    (folder / "shapes").mkdir()
    files = []
    for n in range(48):
        pixels = rng.integers(0, 256, (32, 32, 3)) * np.roll([1.0, 0.5, 0.3], n % 2 * 2)
        path = folder / "shapes" / f"{n}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        files.append((path, n % 2))
    parts = {"train": files[:36], "val": files[36:]}
    for name, part in parts.items():
        images = [
            {"id": n, "file_name": str(path.relative_to(folder / "shapes"))}
            for n, (path, _) in enumerate(part)
        ]
        labels = [
            {"id": n, "image_id": n, "category_id": 1 + 3 * k + n // 2 % 3, "bbox": [0, 0, 0, 0]}
            for n, (_, k) in enumerate(part)
        ]
        categories = [
            {"id": n, "name": breed, "supercategory": "dog" if n < 4 else "cat"}
            for n, breed in enumerate(BREEDS, 1)
        ]
        document = {"images": images, "annotations": labels, "categories": categories}
        (folder / f"coco.{name}.json").write_text(json.dumps(document))
    (folder / "category-map.json").write_text(json.dumps(CATEGORY_MAP))


@pytest.fixture
def breeds(tmp_path):
    torch.set_num_threads(1)
    write_breeds(tmp_path)
    rest = CONFIG.replace("dataset: {folder: shapes}\n", "").replace("folds_count: 2\n", "")
    (tmp_path / "config.yaml").write_text(rest.replace("epochs: 2", "epochs: 6") + BY_COCO)
    return tmp_path


@pytest.mark.slow
def test_a_config_trains_dogs_against_cats_and_validates_on_the_second_file(breeds):
    Experiment.load(breeds).fit()
    found = Predictions.load(breeds / "predictions/validation-0.1.npz")
    names = [
        image["file_name"] for image in json.loads((breeds / "coco.val.json").read_text())["images"]
    ]
    assert sorted(found.ids) == sorted(names)
    assert found.heads[0].class_names == ("dog", "cat")
    assert (found.probs.argmax(1) == found.targets.argmax(1)).mean() > 0.8


@pytest.mark.slow
def test_the_data_set_of_the_guide_is_fitted_as_it_is(breeds):
    translator = CategoryTranslator(mapping=CATEGORY_MAP)
    path = breeds / "coco.train.json"
    dataset = ImageClassificationDataset(path, translator=translator, image_dir=breeds / "shapes")
    image, target = dataset.sample()
    assert image.shape[2] == 3
    assert target in ({0}, {1})
    (breeds / "config.yaml").write_text(CONFIG.replace("dataset: {folder: shapes}\n", ""))
    Experiment.load(breeds).fit(dataset)
    found = Predictions.load(breeds / "predictions/validation-0.1.npz")
    assert found.heads[0].class_names == ("0", "1")
    assert np.isfinite(found.probs).all()
