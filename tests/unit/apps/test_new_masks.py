"""`fivefold new` recognises images with masks and writes a config that trains on them."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from shapes import draw_folders, draw_masks

from fivefold.apps.new import TableChoice, write_experiment
from fivefold.build import check
from fivefold.config import load
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.masks import MaskKind
from fivefold.core.progress import Silent
from fivefold.data import coders, rle
from fivefold.experiment.sources import open_source


def written(tmp_path, data, **options):
    made = write_experiment(tmp_path / "run", data, **options)
    config = load(made.config_path)
    assert check(config) == []
    source = open_source(config, allow_imports=False, progress=Silent())
    return made, config, source


def planes(root):
    paths = sorted((root / "train_mask").glob("*.png"))
    return [np.array(Image.open(path)) for path in paths]


NAMES = {
    "Musket's own": ("train", "train_mask"),
    "usual": ("images", "masks"),
    "singular": ("img", "label"),
    "in capitals": ("JPEGImages", "SegmentationClass"),
    "anything with _masks": ("cells", "cells_masks"),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_folders_of_images_and_masks_are_recognised(names, tmp_path):
    draw_masks(tmp_path / "data", 6, names=names)
    made, config, source = written(tmp_path, tmp_path / "data")
    assert config.dataset.kind == "masks"
    assert (config.dataset.images, config.dataset.masks) == tuple(f"../data/{n}" for n in names)
    assert (config.architecture, config.activation, config.classes) == ("Unet", "sigmoid", 1)
    assert config.loss == "binary_crossentropy+dice_loss"
    assert config.primary_metric == "val_dice"
    assert source.masks == MaskKind(1, exclusive=False)
    assert len(source) == 6
    assert made.notes[0] == "6 images with masks; about 48 x 48 pixels"
    assert made.notes[1].startswith("masks of the same names as their images, in ")


def test_masks_of_several_classes_get_softmax(tmp_path):
    draw_masks(tmp_path / "data", 12, classes=3)
    made, config, source = written(tmp_path, tmp_path / "data")
    assert (config.activation, config.classes) == ("softmax", 4)
    assert config.loss == "categorical_crossentropy+dice_loss"
    assert source.masks == MaskKind(4, exclusive=True)
    assert "4 classes, one class for each pixel; of 12 images looked at show it:" in made.notes


def test_masks_may_lie_beside_their_images(tmp_path):
    root = draw_masks(tmp_path / "drawn", 5)
    both = tmp_path / "both"
    both.mkdir()
    for path in (root / "train").iterdir():
        shutil.copy(path, both / path.name)
    for path in (root / "train_mask").iterdir():
        shutil.copy(path, both / f"{path.stem}_mask.png")
    _, config, source = written(tmp_path, both)
    assert (config.dataset.images, config.dataset.masks) == ("../both", "../both")
    assert len(source) == 5


def test_the_folder_of_the_images_alone_is_enough(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    _, config, source = written(tmp_path, root / "train")
    assert config.dataset.masks == "../data/train_mask"
    assert len(source) == 4


def test_classes_that_are_called_like_axes_are_no_masks(tmp_path):
    draw_masks(tmp_path / "letters", 4, names=("x", "y"))
    made = write_experiment(tmp_path / "run", tmp_path / "letters")
    assert load(made.config_path).dataset.kind == "folder"


def test_folders_of_classes_are_no_masks(tmp_path):
    made = write_experiment(tmp_path / "run", draw_folders(tmp_path / "images", 3))
    assert load(made.config_path).dataset.kind == "folder"


def as_table(tmp_path, encode, *, header=("image", "rle_mask"), count=6, size=(40, 64)):
    root = draw_masks(tmp_path / "data", count, size=size, empty_every=3)
    rows = [(f"{k:03d}.jpg", encode(plane > 0)) for k, plane in enumerate(planes(root))]
    with (root / "masks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return root


FORMS = {
    "columns": rle.rle_encode,
    "rows": coders.rle_encode,
    "relative": lambda plane: coders.mask2rle_relative(plane.T) or "-1",
}


@pytest.mark.parametrize("form", FORMS)
def test_run_length_tables_are_recognised_with_their_form(form, tmp_path):
    root = as_table(tmp_path, FORMS[form], header=("image", "EncodedPixels"))
    _, config, source = written(tmp_path, root / "masks.csv")
    section = config.dataset
    assert (section.kind, section.rle_column, section.images) == (
        "csv",
        "EncodedPixels",
        "../data/train",
    )
    assert section.rle == (None if form == "columns" else form)
    for i, plane in enumerate(planes(root)):
        np.testing.assert_array_equal(source.mask(i)[..., 0], plane > 0)


def test_a_class_in_the_column_of_images_is_found(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    rows = [
        (f"{k:03d}.jpg_{name}", rle.rle_encode(plane > 0))
        for k, plane in enumerate(planes(root))
        for name in (1, 2)
    ]
    with (root / "masks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("ImageId_ClassId", "EncodedPixels"), *rows])
    _, config, source = written(tmp_path, root / "masks.csv")
    assert (config.dataset.image_column, config.dataset.class_column) == ("ImageId", "ClassId")
    assert source.masks == MaskKind(2, exclusive=False)
    assert config.activation == "sigmoid"


def test_a_table_with_labels_asked_for_is_one_of_labels(tmp_path):
    root = as_table(tmp_path, rle.rle_encode, header=("image", "mask"))
    choice = TableChoice(label_columns=("mask",), images=root / "train")
    made = write_experiment(tmp_path / "run", root / "masks.csv", table=choice)
    assert load(made.config_path).dataset.rle_column is None


def test_a_column_called_mask_without_runs_is_no_mask(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    rows = [(f"{k:03d}.jpg", ("worn", "none")[k % 2]) for k in range(4)]
    with (root / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "mask"), *rows])
    made = write_experiment(tmp_path / "run", root / "table.csv")
    assert load(made.config_path).dataset.label_column == "mask"


def as_coco(root, *, outlined=True):
    ring = [[2, 2, 30, 2, 30, 20, 2, 20]]
    names = sorted(path.name for path in (root / "train").iterdir())
    annotations = [
        {
            "id": k,
            "image_id": k,
            "category_id": 1,
            "bbox": [2, 2, 28, 18],
            "segmentation": ring if outlined else [],
        }
        for k in range(len(names))
    ]
    document = {
        "images": [{"id": k, "file_name": name} for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "ship"}],
        "annotations": annotations,
    }
    path = root / "coco.json"
    path.write_text(json.dumps(document))
    return path


def test_coco_files_with_polygons_are_recognised(tmp_path):
    path = as_coco(draw_masks(tmp_path / "data", 4))
    made, config, source = written(tmp_path, path)
    assert (config.dataset.coco, config.dataset.masks) == ("../data/coco.json", True)
    assert source.labels[0].class_names == ("ship",)
    assert made.notes[1] == "masks drawn from the polygons and run lengths of a COCO file"


def test_boxes_that_are_labels_stay_labels(tmp_path):
    path = as_coco(draw_masks(tmp_path / "data", 4))
    choice = TableChoice(boxes_as_labels=True)
    made = write_experiment(tmp_path / "run", path, table=choice)
    assert load(made.config_path).dataset.boxes == "labels"


def test_boxes_without_outlines_are_no_masks(tmp_path):
    path = as_coco(draw_masks(tmp_path / "data", 4), outlined=False)
    with pytest.raises(DataError, match="expected labels of whole images"):
        write_experiment(tmp_path / "run", path)


def test_an_architecture_or_a_backbone_may_be_asked_for(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    _, config, _ = written(tmp_path, root, architecture="fpn")
    assert config.architecture == "fpn"
    (tmp_path / "run" / "config.yaml").unlink()
    _, config, _ = written(tmp_path, root, architecture="resnet18")
    assert (config.architecture, config.backbone) == ("Unet", "resnet18")


def test_an_architecture_of_masks_needs_masks(tmp_path):
    images = draw_folders(tmp_path / "images", 3)
    expected = r"expected a backbone, since .*images has no masks, got"
    with pytest.raises(ConfigError, match=expected) as error:
        write_experiment(tmp_path / "run", images, architecture="Unet")
    assert error.value.problems[0].slug == "cli/no-masks"


def test_images_that_are_missing_are_told(tmp_path):
    root = as_table(tmp_path, rle.rle_encode)
    shutil.rmtree(root / "train")
    with pytest.raises(
        DataError, match=r"masks.csv: expected its images in .*, found none of them"
    ):
        write_experiment(tmp_path / "run", root / "masks.csv")


def test_wide_images_stay_wide(tmp_path):
    root = draw_masks(tmp_path / "data", 4, size=(128, 800))
    _, config, _ = written(tmp_path, root)
    assert config.shape == (128, 800, 3)


def test_the_run_may_not_lie_among_the_masks(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    with pytest.raises(ConfigError, match="expected an experiment apart from its images"):
        write_experiment(root / "train_mask", root)


def test_a_broken_mask_is_told_and_no_reason_to_stop(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    (root / "train_mask" / "001.png").write_bytes(b"no picture")
    made, _, _ = written(tmp_path, root)
    assert any(note.startswith("1 of the 4 looked at cannot be used") for note in made.notes)


def in_colours(root, colours):
    """Paint the numbers of masks in colours; some are of other things."""
    for k, path in enumerate(sorted((root / "train_mask").glob("*.png"))):
        numbers = np.array(Image.open(path))
        painted = np.array(colours, np.uint8)[numbers % len(colours)]
        if k == 3:
            painted[:3, :3] = 255
        Image.fromarray(painted).save(path)


def test_colours_are_classes_and_a_rare_one_is_none(tmp_path, caplog):
    root = draw_masks(tmp_path / "data", 12, classes=2)
    in_colours(root, [(0, 0, 0), (0, 128, 0), (128, 0, 0)])
    made, config, source = written(tmp_path, root)
    named = {"background": (0, 0, 0), "class_1": (0, 128, 0), "class_2": (128, 0, 0)}
    assert set(source.reading.class_names) == set(named)
    assert config.dataset.mask_classes["background"] == (0, 0, 0)
    assert set(config.dataset.mask_classes.values()) == set(named.values())
    assert (config.activation, config.classes) == ("softmax", 3)
    text = made.config_path.read_text()
    assert "# Rename these classes as you like." in text
    assert "# thresholds" not in text  # exclusive classes refuse them
    assert "# smallest_area: auto" in text
    assert any("`mask_classes` in the config does" in note for note in made.notes)
    odd = next(t for t in caplog.messages if "colour is too rare" in t)
    assert odd.startswith("1 colour is too rare in masks for a class: [255, 255, 255], such as in ")
    assert "003.png" in odd


def test_one_colour_beside_black_is_one_class(tmp_path):
    root = draw_masks(tmp_path / "data", 6)
    in_colours(root, [(0, 0, 0), (200, 0, 0)])
    for path in (root / "train_mask").glob("*.png"):
        pixels = np.array(Image.open(path))
        pixels[(pixels == 255).all(axis=2)] = 0
        Image.fromarray(pixels).save(path)
    made, config, source = written(tmp_path, root)
    assert dict(config.dataset.mask_classes) == {"class_1": (200, 0, 0)}
    assert (config.activation, config.classes) == ("sigmoid", 1)
    assert "# thresholds: dice" in made.config_path.read_text()
    assert source.masks == MaskKind(1, exclusive=False)


def test_photographs_for_masks_are_refused_as_before(tmp_path):
    root = draw_masks(tmp_path / "data", 4)
    rng = np.random.default_rng(0)
    for path in (root / "train_mask").glob("*.png"):
        Image.fromarray(rng.integers(0, 256, (48, 48, 3), np.uint8)).save(path)
    with pytest.raises(DataError, match="got RGB") as caught:
        write_experiment(tmp_path / "run", root)
    assert caught.value.slug == "data/mask-colours"
