"""Masks that a config names by a table or a COCO file are opened as it says."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from fivefold.config import parse
from fivefold.core.masks import MaskKind
from fivefold.core.progress import Silent
from fivefold.data.rle import rle_encode
from fivefold.experiment.sources import open_source

HEAD = "architecture: Unet\nbackbone: resnet18\nshape: [32, 32, 3]\nstages: [{epochs: 1}]\n"
SIZE = (8, 12)


@pytest.fixture
def drawn(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        pixels = np.zeros((*SIZE, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    plane = np.zeros(SIZE, bool)
    plane[1:5, 2:7] = True
    with (tmp_path / "masks.csv").open("w", newline="") as file:
        rows = [("image", "rle", "what"), ("a", rle_encode(plane), "cat"), ("b", "", "dog")]
        csv.writer(file).writerows(rows)
    ring = [2, 1, 7, 1, 7, 5, 2, 5]
    document = {
        "images": [{"id": k, "file_name": f"{name}.png"} for k, name in enumerate("ab")],
        "categories": [{"id": 5, "name": "cat"}, {"id": 6, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 5, "segmentation": [ring]}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(document))
    return tmp_path, plane


TABLE = "csv: masks.csv, images: images, rle_column: rle, class_column: what"
COCO = "coco: coco.json, images: images, masks: true"


@pytest.mark.parametrize("section", [TABLE, COCO])
def test_classes_overlap_with_sigmoid_and_exclude_each_other_with_softmax(section, drawn):
    folder, plane = drawn

    def opened(more):
        text = f"{HEAD}dataset: {{{section}}}\n{more}"
        config = parse(text, folder / "config.yaml")
        return open_source(config, allow_imports=False, progress=Silent())

    source = opened("activation: sigmoid\n")
    assert source.masks == MaskKind(2, exclusive=False)
    assert source.labels[0].class_names == ("cat", "dog")
    np.testing.assert_array_equal(source.mask(0)[..., 0], plane)
    source = opened("activation: softmax\n")
    assert source.masks == MaskKind(3, exclusive=True)
    assert source.labels[0].class_names == ("background", "cat", "dog")
    np.testing.assert_array_equal(source.mask(0)[..., 0], plane)


def test_the_background_may_be_named(drawn):
    folder, _ = drawn
    text = f"{HEAD}activation: softmax\ndataset: {{{TABLE}, background: ground}}\n"
    config = parse(text, folder / "config.yaml")
    source = open_source(config, allow_imports=False, progress=Silent())
    assert source.labels[0].class_names == ("ground", "cat", "dog")
