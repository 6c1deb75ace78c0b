import csv

import numpy as np
import pytest
from PIL import Image

from fivefold.apps.new import TableChoice, write_experiment
from fivefold.apps.new.defaults import choose, default_architecture
from fivefold.apps.new.naming import name_of_data, next_name, short_number
from fivefold.apps.new.survey import Survey, look_at
from fivefold.apps.new.template import describe, render
from fivefold.build import build_heads
from fivefold.config import load, parse
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent
from fivefold.data import FolderSource, Labels
from fivefold.data.audit import audit


@pytest.fixture
def photos(tmp_path):
    """Two classes, 6 and 4 images of 40 x 50 pixels, one of them broken."""
    root = tmp_path / "photos"
    for name, count in (("cat", 6), ("sea dog", 4)):
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((40, 50, 3), number, np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    (root / "cat" / "0.png").write_bytes(b"no image")
    return root


def survey_of(counts, *, exclusive=True, size=(100, 120), **others):
    from pathlib import Path

    return Survey(
        data=Path("data"),
        table=None,
        num_images=sum(counts.values()),
        outputs=(Labels("", tuple(counts), exclusive),),
        counts=(counts,),
        height=size[0],
        width=size[1],
        unreadable=others.get("unreadable", ()),
        missing=others.get("missing", ()),
        looked_at=8,
    )


def test_glance_counts_classes_and_finds_size_and_damage(photos):
    survey = look_at(photos)
    assert survey.counts == ({"cat": 6, "sea dog": 4},)
    assert (survey.height, survey.width, survey.looked_at) == (40, 50, 10)
    assert survey.unreadable == ("cat/0.png",)


def test_new_counts_what_check_counts(photos):
    (photos / "cat" / "notes.txt").touch()
    (photos / "loose.png").touch()
    survey = look_at(photos)
    expected = "12 listed = 10 images + 1 not an image by its name, 1 outside the class folders"
    assert expected in describe(survey)
    found = audit(FolderSource(photos), folds=0, progress=Silent())
    assert found.listed == survey.num_images + len(survey.excluded) == 12


def test_new_config_loads_and_names_the_data_from_its_own_folder(photos, tmp_path):
    written = write_experiment(tmp_path / "work" / "pets", photos, architecture="ResNet18")
    config = load(written.config_path)
    assert config.dataset.folder == "../../photos"
    assert config.architecture == "ResNet18"
    assert [stage.frozen for stage in config.resolve()] == [True, False]
    assert written.experiment == tmp_path / "work" / "pets"
    assert "10 images, 2 classes, one class each; about 40 x 50 pixels" in written.notes[0]
    text = written.config_path.read_text()
    assert "# 1 of the 10 images looked at cannot be read, such as 'cat/0.png'; training" in text


def test_yaml_file_may_be_named(photos, tmp_path):
    written = write_experiment(tmp_path / "a" / "mine.yaml", photos)
    assert written.config_path == tmp_path / "a" / "mine.yaml"
    assert load(written.config_path).dataset.folder == "../photos"


def test_existing_config_is_never_overwritten(photos, tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"config.yaml: expected no config here yet") as error:
        write_experiment(tmp_path, photos)
    assert error.value.slug == "config/exists"
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_folder_of_experiments_gets_the_next_one(photos, tmp_path):
    parent = tmp_path / "experiments"
    (parent / "001.pjm.resnet18").mkdir(parents=True)
    (parent / "001.pjm.resnet18" / "config.yaml").touch()
    (parent / "notes").mkdir()
    written = write_experiment(parent, photos, architecture="resnet18")
    assert written.config_path == parent / "002.photos.resnet18-lr5e-4" / "config.yaml"


@pytest.mark.slow
def test_unknown_architecture_is_refused_before_anything_is_written(photos, tmp_path):
    with pytest.raises(ConfigError, match="got 'ResNet1O8'") as error:
        write_experiment(tmp_path / "x", photos, architecture="ResNet1O8")
    assert error.value.slug == "config/unknown-name"
    assert not (tmp_path / "x").exists()


def test_table_finds_its_images_beside_it(photos, tmp_path):
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as file:
        rows = [("image", "label"), *((f"sea dog/{n}.png", "ab"[n % 2]) for n in range(4))]
        csv.writer(file).writerows(rows)
    survey = look_at(table)
    assert survey.images == photos
    config = load(write_experiment(tmp_path / "x", table).config_path)
    assert (config.dataset.csv, config.dataset.images) == ("../labels.csv", "../photos")


def test_table_without_its_images_says_how_to_name_them(tmp_path):
    (tmp_path / "labels.csv").write_text("image,label\na.png,x\nb.png,y\n")
    with pytest.raises(
        DataError, match=r"found none of them\n    say where they are: --images"
    ) as e:
        look_at(tmp_path / "labels.csv")
    assert e.value.slug == "data/images-not-found"


def test_images_folder_without_a_table_is_refused(photos):
    with pytest.raises(DataError, match="expected a table beside --images") as error:
        look_at(photos, TableChoice(images=photos))
    with pytest.raises(DataError, match="expected a table beside --image-column"):
        look_at(photos, TableChoice(image_column="x"))
    assert error.value.slug == "data/not-a-table"


def test_parts_of_a_data_set_are_no_classes(photos, tmp_path):
    for part in ("train", "test"):
        (tmp_path / "set" / part).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "set" / part / "a.png")
    with pytest.raises(DataError, match="expected one folder per class, got test, train") as error:
        look_at(tmp_path / "set")
    assert error.value.slug == "data/parts-not-classes"


def test_data_without_a_readable_image_is_refused(tmp_path):
    (tmp_path / "set" / "a").mkdir(parents=True)
    (tmp_path / "set" / "a" / "x.png").write_bytes(b"no")
    with pytest.raises(DataError, match="1 files of which none can be read") as error:
        look_at(tmp_path / "set")
    assert error.value.slug == "data/no-readable-image"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"0": 90, "1": 90}, "# no Fliplr"),
        ({"left eye": 90, "right eye": 90}, "# no Fliplr"),
        ({"cleft": 90, "cat": 90}, "  Fliplr: 0.5"),
    ],
)
def test_flip_is_left_out_where_it_changes_the_class(counts, expected):
    survey = survey_of(counts)
    assert expected in config_text(survey)


def config_text(survey, architecture="EfficientNetLite0"):
    from pathlib import Path

    return render(survey, choose(survey, architecture), Path())


def test_rare_classes_decide_the_metric_and_the_folds():
    text = config_text(survey_of({"many": 900, "few": 3}))
    assert parse(text).primary_metric == "val_macro_f1"
    assert parse(text).folds_count == 3
    assert "'few' has 3, and every fold needs one" in text


def test_several_labels_get_their_loss_and_metrics():
    config = parse(config_text(survey_of({"a": 50, "b": 60}, exclusive=False)))
    assert config.resolve()[1].losses == ("binary_crossentropy",)
    assert config.metrics == ["binary_accuracy", "macro_f1", "auc"] or "auc" in config.metrics


@pytest.mark.parametrize("exclusive", [True, False])
def test_predictions_are_scaled_and_thresholds_offered_where_there_are_any(exclusive):
    text = config_text(survey_of({"a": 50, "b": 60}, exclusive=exclusive))
    assert parse(text).calibration == "temperature"
    assert ("\n# thresholds: f1 " in text) is not exclusive
    if not exclusive:
        assert parse(text.replace("# thresholds: f1", "thresholds: f1")).thresholds == "f1"


@pytest.mark.parametrize(
    ("counts", "metric"),
    [({"a": 29, "b": 20}, "val_accuracy"), ({"a": 30, "b": 20}, "val_macro_f1")],
)
def test_metric_counts_classes_alike_once_one_is_half_as_large_again(counts, metric):
    assert parse(config_text(survey_of(counts))).primary_metric == metric


def test_a_rare_tag_among_others_takes_no_folds():
    assert parse(config_text(survey_of({"a": 50, "b": 1}, exclusive=False))).folds_count == 5


def test_empty_folder_keeps_five_folds_and_is_named(photos, tmp_path, caplog):
    (photos / "leerer Ordner").mkdir()
    for number in range(5):
        pixels = np.full((40, 50, 3), 100 + number, np.uint8)
        Image.fromarray(pixels).save(photos / "sea dog" / f"more-{number}.png")
    written = write_experiment(tmp_path / "x", photos)
    assert load(written.config_path).folds_count == 5
    assert "5 folds" in written.notes
    assert "folder 'leerer Ordner' has no images: it is no class" in caplog.text


def test_mirrored_images_are_pointed_out(photos, tmp_path):
    assert (
        "the augmentation mirrors images left-right"
        in (write_experiment(tmp_path / "x", photos).notes[-1])
    )
    (photos / "cat").rename(photos / "left")
    assert not any("mirrors" in n for n in write_experiment(tmp_path / "y", photos).notes)


def write_table(path, *lines):
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


SEA_DOGS = [f"sea dog/{n}.png" for n in range(4)]


@pytest.mark.parametrize(
    ("header", "separator", "image", "label"),
    [
        (("File Name", "Species", "Observer"), ",", "File Name", "Species"),
        (("Datei", "Art"), ";", "Datei", "Art"),
    ],
)
def test_columns_are_found_said_and_written(photos, tmp_path, header, separator, image, label):
    rows = [
        separator.join([name, "ab"[n % 2], "me"][: len(header)]) for n, name in enumerate(SEA_DOGS)
    ]
    table = write_table(tmp_path / "labels.csv", separator.join(header), *rows)
    written = write_experiment(tmp_path / "x", table)
    section = load(written.config_path).dataset
    assert (section.image_column, section.label_column, section.separator) == (image, label, None)
    assert f"columns: images in {image!r}, labels in {label!r}" in written.notes


def test_a_separator_of_ones_own_is_obeyed_and_decides_the_loss(photos, tmp_path):
    labels = ["sea dog", "dog", "sea", ""]
    rows = [f"{name},{labels[n % 4]}" for n, name in enumerate(SEA_DOGS)]
    table = write_table(tmp_path / "labels.csv", "image,label", *rows)
    choice = TableChoice(photos, separator=" ")
    written = write_experiment(tmp_path / "several", table, table=choice)
    config = load(written.config_path)
    assert config.dataset.separator == " "
    assert config.loss == "binary_crossentropy"


def test_separator_is_written_and_empty_cells_are_kept(photos, tmp_path, caplog):
    cells = ["x|y", "", "x", "y"]
    rows = [f"{name},{cell}" for name, cell in zip(SEA_DOGS, cells, strict=True)]
    table = write_table(tmp_path / "labels.csv", "image,tags", *rows)
    written = write_experiment(tmp_path / "x", table)
    assert load(written.config_path).dataset.separator == "|"
    assert "4 images, 2 classes, any number of classes each" in written.notes[0]
    assert any(note.endswith("several in a cell separated by '|'") for note in written.notes)
    assert "1 row has nothing in 'tags'" in caplog.text


def test_columns_that_cannot_be_told_are_asked_for_by_their_options(photos, tmp_path):
    rows = [f"{name},u,v" for name in SEA_DOGS]
    table = write_table(tmp_path / "labels.csv", "foo,bar,baz", *rows)
    hint = r"--label-column: expected a column such as .*\n    set --label-column to one"
    with pytest.raises(DataError, match=hint) as error:
        look_at(table)
    assert error.value.slug == "data/columns"
    with pytest.raises(DataError, match=r"--label-column: .* got 'bat'\n    did you mean 'ba[rz]'"):
        look_at(table, TableChoice(label_columns=("bat",)))


def test_several_label_columns_are_several_outputs(photos, tmp_path):
    rows = [f"{name},{'ab'[n % 2]},{('x|y', 'x', 'y', '')[n]}" for n, name in enumerate(SEA_DOGS)]
    table = write_table(tmp_path / "labels.csv", "file,kind,tags", *rows)
    choice = TableChoice(image_column="file", label_columns=("kind", "tags"))
    config = load(write_experiment(tmp_path / "x", table, table=choice).config_path)
    assert tuple(config.dataset.label_column) == ("kind", "tags")
    assert config.dataset.separator is None
    assert config.resolve()[1].losses == ("categorical_crossentropy", "binary_crossentropy")
    heads = build_heads(config, look_at(table, choice).outputs)
    assert [head.activation for head in heads] == ["softmax", "sigmoid"]


def test_missing_images_are_told_from_broken_ones(photos, tmp_path):
    rows = [f"{name},{'ab'[n % 2]}" for n, name in enumerate([*SEA_DOGS, "none.png", "cat/0.png"])]
    survey = look_at(write_table(tmp_path / "labels.csv", "file,label", *rows))
    assert (survey.missing, survey.unreadable) == (("none.png",), ("cat/0.png",))
    assert "1 of the 6 images looked at is missing, such as 'none.png'; training leaves such" in (
        "\n".join(describe(survey))
    )


@pytest.mark.parametrize(("size", "side"), [((8, 8), 64), ((100, 130), 128), ((3000, 4000), 224)])
def test_shape_follows_the_images(size, side):
    assert choose(survey_of({"a": 10, "b": 10}, size=size), None).side == side


def test_batchnorm_is_held_for_small_sets_only():
    assert choose(survey_of({"a": 100, "b": 100}), None).small
    assert not choose(survey_of({"a": 9000, "b": 9000}), None).small


def test_long_lists_of_strange_classes_stay_comments():
    counts = {f"class\n{n}: x  ## y": n + 10 for n in range(40)}
    config = parse(config_text(survey_of(counts)))
    assert config.folds_count == 5


def test_default_backbone_is_the_installed_one():
    assert default_architecture() in ("EfficientNetLite0", "convnext_nano.in12k_ft_in1k")


@pytest.mark.parametrize(
    ("value", "text"), [(5e-4, "5e-4"), (1e-3, "1e-3"), (2.5e-5, "2.5e-5"), (1.0, "1e0")]
)
def test_learning_rates_are_short(value, text):
    assert short_number(value) == text
    assert float(short_number(value)) == value


def test_names_count_on_from_the_highest(tmp_path):
    for name in ("001.a.b", "017.x.y", "999", "old"):
        (tmp_path / name).mkdir()
    assert next_name(tmp_path, "pets", "convnext_nano.in12k", 3e-4) == (
        "018.pets.convnext_nano-lr3e-4"
    )


@pytest.mark.parametrize(
    ("path", "name"), [("Sea Pets", "sea-pets"), ("pets/images", "pets"), ("pets/train", "pets")]
)
def test_data_is_called_by_the_folder_that_says_something(tmp_path, path, name):
    (tmp_path / path).mkdir(parents=True)
    assert name_of_data(tmp_path / path) == name


ODD_NAMES = [
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\ufffeb",
    "a\x1bb",
    'a"\\b',
    "a\u00a0b",
    "a\U000e0001b",
    "é😀",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_folders_and_classes_come_back_equal(photos, tmp_path, name):
    data = photos.rename(tmp_path / name)
    (data / "cat").rename(data / name)
    config = load(write_experiment(tmp_path / "x", data).config_path)
    assert config.dataset.folder == f"../{name}"


def test_a_path_that_is_no_utf8_is_refused(photos, tmp_path):
    data = photos.rename(tmp_path / "a\udcff")
    with pytest.raises(DataError, match="expected a path in UTF-8, got bytes") as error:
        write_experiment(tmp_path / "x", data)
    assert error.value.slug == "data/path-name"
    assert not (tmp_path / "x").exists()


def test_a_path_longer_than_a_config_takes_is_refused(photos, tmp_path):
    deep = tmp_path.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    with pytest.raises(DataError, match="expected a path of at most 1,000 letters") as error:
        write_experiment(tmp_path / "x", photos.rename(deep / "photos"))
    assert error.value.slug == "data/path-name"


@pytest.mark.parametrize(
    ("experiment", "data"),
    [("ex", "ex/data"), ("img/ex", "img"), ("img", "img"), ("ex", "ex/logs/a")],
)
def test_images_and_the_runs_own_files_stay_apart(photos, tmp_path, experiment, data):
    (tmp_path / data).parent.mkdir(parents=True, exist_ok=True)
    photos.rename(tmp_path / data)
    with pytest.raises(ConfigError, match="expected an experiment apart from its images") as error:
        write_experiment(tmp_path / experiment, tmp_path / data)
    assert error.value.problems[0].slug == "config/own-folder"
    assert not (tmp_path / experiment / "config.yaml").exists()


def test_a_table_beside_the_config_is_fine_but_not_images_among_the_runs_files(photos, tmp_path):
    root = tmp_path / "ex"
    root.mkdir()
    photos.rename(root / "photos")
    (root / "t.csv").write_text("image,label\nsea dog/1.png,x\nsea dog/2.png,y\n")
    (root / "photos").rename(root / "data")
    with pytest.raises(ConfigError, match="expected an experiment apart from its images"):
        write_experiment(root, root / "t.csv")
    (root / "data").rename(root / "photos")
    assert load(write_experiment(root, root / "t.csv").config_path).dataset.images == "photos"


def test_a_table_with_an_endless_name_still_finds_its_images(photos, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("image,label\n" + "x" * 300 + ",a\nsea dog/1.png,a\nsea dog/2.png,b\n")
    assert look_at(table).images == photos
