import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError, DataError, StateError
from fivefold.experiment.loading import load_checked
from fivefold.experiment.named_files import check_files, missing_files, placed_in

NAMED = """\
architecture: ResNet18
shape: [32, 32, 4]
weights: net.pth
dataset: {csv: train.csv, images: pictures}
extra_train_data: {folder: more}
stages:
  - epochs: 1
  - {epochs: 1, initial_weights: other/best-0.0.weights}
"""


def config_of(tmp_path, text=NAMED):
    return parse(text, str(tmp_path / "config.yaml"))


def told(problems, tmp_path):
    return [str(problem).removeprefix(f"{tmp_path}/").partition("\n")[0] for problem in problems]


def test_every_missing_file_is_told_with_its_place(tmp_path):
    assert told(missing_files(config_of(tmp_path)), tmp_path) == [
        "config.yaml:3:10: weights: expected a file, got 'net.pth', which does not exist",
        "config.yaml:8:34: stages.1.initial_weights: expected a file, got "
        "'other/best-0.0.weights', which does not exist",
        "config.yaml:4:35: dataset.images: expected a folder, got 'pictures', which does not exist",
        "config.yaml:4:16: dataset.csv: expected a table, got 'train.csv', which does not exist",
        "config.yaml:5:28: extra_train_data.folder: expected a folder, got 'more', "
        "which does not exist",
    ]


def test_weights_of_pascal_voc_are_no_file_where_masks_are_made(tmp_path):
    text = "architecture: DeepLabV3\nbackbone: mobilenetv2\nencoder_weights: pascal_voc"
    assert missing_files(config_of(tmp_path, text)) == []
    (problem,) = missing_files(config_of(tmp_path, "architecture: ResNet50\nweights: pascal_voc"))
    assert problem.message == "weights: expected a file, got 'pascal_voc', which does not exist"
    (other,) = missing_files(config_of(tmp_path, text.replace("pascal_voc", "voc")))
    assert other.hint.startswith("`weights` is imagenet, pascal_voc, none or a file;")


def test_files_that_are_there_are_no_problem_and_data_count_only_where_they_are_used(tmp_path):
    for folder in ("pictures", "more", "other"):
        (tmp_path / folder).mkdir()
    for file in ("net.pth", "train.csv", "other/best-0.0.safetensors"):
        (tmp_path / file).touch()
    assert missing_files(config_of(tmp_path)) == []
    (tmp_path / "train.csv").unlink()
    assert missing_files(config_of(tmp_path), data=False) == []


def test_a_file_where_a_folder_is_wanted_is_said_to_be_none(tmp_path):
    (tmp_path / "photos").touch()
    (problem,) = missing_files(config_of(tmp_path, "dataset: {folder: photos}"))
    assert problem.message == "dataset.folder: expected a folder, got 'photos', which is none"


def test_corrections_start_at_the_config_whatever_the_data_do(tmp_path):
    (tmp_path / "all" / "photos").mkdir(parents=True)
    (tmp_path / "all" / "fixes.csv").touch()
    text = "datasets_path: all\ndataset: {folder: photos, corrections: fixes.csv}\n"
    config = config_of(tmp_path, text)
    assert told(missing_files(config), tmp_path) == [
        "config.yaml:2:40: dataset.corrections: expected a table, got 'fixes.csv', "
        "which does not exist"
    ]
    (tmp_path / "fixes.csv").touch()
    assert missing_files(config) == []


def test_paths_of_data_start_at_datasets_path(tmp_path):
    (tmp_path / "all" / "photos").mkdir(parents=True)
    text = "datasets_path: all\ndataset: {folder: photos}\n"
    assert missing_files(config_of(tmp_path, text)) == []


def test_a_stage_may_start_from_what_an_earlier_one_will_write(tmp_path):
    stage = "{epochs: 1, initial_weights: weights/best-0.0.weights}"
    config = config_of(tmp_path, f"stages: [{stage}, {stage}]")
    assert [p.message.split(":")[0] for p in missing_files(config)] == ["stages.0.initial_weights"]


def test_a_wrong_config_tells_its_missing_files_with_its_other_problems(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(NAMED.replace("epochs: 1, ", "epochs: 0, ") + "loss: crossentropi\n")
    with pytest.raises(ConfigError, match="crossentropi") as error:
        load_checked(path)
    keys = [line.split(": ")[1] for line in told(error.value.problems, tmp_path)]
    assert keys == [
        "weights",
        "dataset.csv",
        "dataset.images",
        "extra_train_data.folder",
        "stages.1.epochs",
        "stages.1.initial_weights",
        "loss",
    ]


def test_what_was_trained_may_be_read_after_its_files_are_gone(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(NAMED)
    assert load_checked(path).weights == "net.pth"


def test_training_does_not_begin_without_its_files(tmp_path):
    with pytest.raises(DataError, match=r"config\.yaml:3:10: weights(.|\n)*5:28") as error:
        check_files(config_of(tmp_path), data=True)
    assert error.value.slug == "weights/not-found"


@pytest.mark.parametrize(
    ("slug", "text", "expected"),
    [
        ("data/channels", "cat.png: expected 4", "2:8: shape: cat.png: expected 4"),
        ("weights/not-found", "weights: expected", "3:10: weights: expected"),
        ("weights/mismatch", "{dir}/net.pth: expected", "3:10: weights: {dir}/net.pth: expected"),
        (
            "weights/damaged",
            "{dir}/other/best-0.0.safetensors: expected",
            "8:34: stages.1.initial_weights: {dir}/other/best-0.0.safetensors: expected",
        ),
    ],
)
def test_what_does_not_fit_is_placed_in_the_config(tmp_path, slug, text, expected):
    text, expected = text.format(dir=tmp_path), expected.format(dir=tmp_path)
    with pytest.raises(DataError, match="expected") as error, placed_in(config_of(tmp_path)):
        raise DataError(text, hint="do this", slug=slug)
    assert str(error.value) == f"{tmp_path}/config.yaml:{expected}\n    do this"
    assert (error.value.slug, error.value.hint) == (slug, "do this")


@pytest.mark.parametrize(
    "error",
    [
        DataError("cat.png: expected an image", slug="data/unreadable"),
        DataError("bundle: expected weights", slug="weights/damaged"),
        StateError("weights: expected others", slug="state/weights-changed"),
    ],
)
def test_other_errors_stay_as_they_are(tmp_path, error):
    with pytest.raises(type(error)) as raised, placed_in(config_of(tmp_path)):
        raise error
    assert raised.value is error
