"""Small COCO files with real pictures beside them."""

import json

import numpy as np
import pytest
from PIL import Image

BREEDS = ("lakeland_terrier", "german_shepherd", "labrador", "persian", "siamese", "sphynx")


def breeds():
    """The six categories of the field's usual example, three of dogs and three of cats."""
    kinds = ["dog"] * 3 + ["cat"] * 3
    return [
        {"id": number, "name": name, "supercategory": kind}
        for number, (name, kind) in enumerate(zip(BREEDS, kinds, strict=True), 1)
    ]


@pytest.fixture
def write(tmp_path):
    """Writes a COCO file and its images; annotations are (image, category) or whole mappings."""

    def write(annotations, images=4, categories=None, name="coco.json", **more):
        if isinstance(images, int):
            images = [{"id": k, "file_name": f"{k}.png"} for k in range(images)]
        for k, image in enumerate(images):
            path = tmp_path / str(image.get("file_name", "x.png"))
            if path.parent == tmp_path and path.suffix == ".png":
                pixels = np.random.default_rng(k).integers(0, 256, (20, 30, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
        entries = [
            {"id": k, "image_id": pair[0], "category_id": pair[1], "bbox": [0, 0, 0, 0]}
            if isinstance(pair, tuple)
            else pair
            for k, pair in enumerate(annotations)
        ]
        document = {"images": images, "annotations": entries}
        document["categories"] = breeds() if categories is None else categories
        path = tmp_path / name
        path.write_text(json.dumps(document | more, indent=1))
        return path

    return write
