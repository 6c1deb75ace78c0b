import numpy as np
import pytest
from shapes import draw_folders

from fivefold.config import parse
from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.data import CsvSource, FilesSource, FolderSource
from fivefold.experiment.named_data import Reading
from fivefold.experiment.new_truth import assess_new, open_labelled, with_truth

SHAPES = ("circle", "square", "triangle")
TABLE = "architecture: resnet18\nstages: [{epochs: 1}]\ndataset: {csv: old.csv, %s}\n"


def predicted(ids, *heads):
    columns = sum(head.num_classes for head in heads)
    probs = np.full((len(ids), columns), 1 / columns, dtype=np.float32)
    return Predictions(tuple(ids), probs, heads)


def named(predictions):
    return [
        [name for name, holds in zip(predictions.class_names, row, strict=True) if holds]
        for row in predictions.truth
    ]


def table(folder, text):
    draw_folders(folder / "shapes", 2)
    (folder / "new.csv").write_text(text)
    return folder / "new.csv"


def test_truth_comes_into_the_models_columns_whatever_their_order(tmp_path):
    source = FolderSource(draw_folders(tmp_path / "photos", 2))
    ids = ["triangle/001.png", "circle/000.png"]
    head = Head("", "softmax", ("triangle", "star", "square", "circle"))
    assert named(with_truth(predicted(ids, head), source)) == [["triangle"], ["circle"]]


def test_classes_that_no_sample_has_are_undefined_and_no_error(tmp_path):
    source = FolderSource(draw_folders(tmp_path / "photos", 2))
    head = Head("", "softmax", (*SHAPES, "star"))
    found = assess_new(predicted(source.sample_ids, head), source, 0).heads[0]
    assert found.classes[3].recall.why == "no sample has it"
    why = found.headline["macro_recall"].why
    assert why.startswith("over 3 of 4 classes; 'star': no sample has it; no interval: ")


def test_classes_that_the_model_does_not_know_are_told_with_the_closest(tmp_path):
    source = FolderSource(draw_folders(tmp_path / "photos", 2))
    head = Head("", "softmax", ("circle", "square", "Triangle"))
    message = (
        r"expected only classes that the model knows, 'circle', 'square', 'Triangle', "
        r"got 2 samples of others: 'triangle' \(2\)"
    )
    with pytest.raises(DataError, match=message) as error:
        with_truth(predicted(source.sample_ids, head), source)
    assert error.value.slug == "data/other-classes"
    assert "did you mean 'Triangle'" in str(error.value.hint)


def test_another_set_of_classes_is_told_in_a_few_words(tmp_path):
    source = FolderSource(draw_folders(tmp_path / "photos", 1))
    head = Head("tags", "softmax", tuple(f"animal {i}" for i in range(9)))
    message = r"'animal 4' and 4 more, got 3 samples of others: 'circle' \(1\), 'square' \(1\), "
    with pytest.raises(DataError, match=message):
        with_truth(predicted(source.sample_ids, head), source)


def test_images_without_labels_cannot_be_measured_on(tmp_path):
    source = FilesSource(draw_folders(tmp_path / "photos", 1))
    head = Head("", "softmax", SHAPES)
    with pytest.raises(DataError, match="expected labelled samples, got none with a label") as e:
        with_truth(predicted(source.sample_ids, head), source)
    assert e.value.slug == "data/no-labels"


def test_outputs_are_matched_by_name(tmp_path):
    path = table(
        tmp_path, "image,shape,size\ncircle/000.png,circle,big\nsquare/001.png,square,small\n"
    )
    source = CsvSource(path, tmp_path / "shapes", label_column=["size", "shape"])
    heads = Head("shape", "softmax", SHAPES), Head("size", "softmax", ("big", "small"))
    found = with_truth(predicted(source.sample_ids, *heads), source)
    assert named(found) == [["circle", "big"], ["square", "small"]]
    other = Head("colour", "softmax", ("red", "blue"))
    message = r"expected labels for the outputs \['shape', 'colour'\], got \['size', 'shape'\]"
    with pytest.raises(DataError, match=message) as error:
        with_truth(predicted(source.sample_ids, heads[0], other), source)
    assert error.value.slug == "data/other-outputs"


def test_a_table_is_read_by_the_columns_of_training(tmp_path):
    text = "file;kind;patient\n" + "".join(
        f"{s}/00{i}.png;{s};{i}\n" for s in SHAPES for i in (0, 1)
    )
    path = table(tmp_path, text)
    keys = "images: shapes, image_column: file, label_column: kind, group_column: patient"
    config = parse(TABLE % keys, str(tmp_path / "config.yaml"))
    source = open_labelled(config, path, Reading(images=tmp_path / "shapes"))
    assert source.labels[0].class_names == SHAPES
    found = assess_new(predicted(source.sample_ids, Head("", "softmax", SHAPES)), source, 0)
    assert (found.grouped, found.units) == (True, 2)
    path.write_text(text.replace("patient", "doctor"))
    source = open_labelled(config, path, Reading(images=tmp_path / "shapes"))
    assert source.groups is None


def test_what_is_said_of_a_table_counts_more_than_training(tmp_path):
    path = table(tmp_path, "file,kind\ncircle/000.png,circle\nsquare/000.png,square\n")
    config = parse(TABLE % "label_column: label", str(tmp_path / "config.yaml"))
    reading = Reading(images=tmp_path / "shapes", label_column=("kind",))
    assert open_labelled(config, path, reading).labels[0].class_names == ("circle", "square")


def test_a_source_is_taken_as_it_is(tmp_path):
    source = FolderSource(draw_folders(tmp_path / "photos", 1))
    assert open_labelled(parse(TABLE % "images: a"), source) is source
