import pytest
from shapes import draw_folders

from fivefold.apps.data_files.reading import (
    file_name,
    table_with_copies,
    table_with_exact_copies,
    table_without_copies,
)
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent
from fivefold.experiment.named_data import Reading, open_data


def test_copies_are_one_group_and_unreadable_files_are_none(tmp_path):
    root = draw_folders(tmp_path / "p", 2)
    (root / "circle/copy.png").write_bytes((root / "square/000.png").read_bytes())
    (root / "circle/gone.png").symlink_to(root / "circle/nowhere.png")
    (root / "circle/gone2.png").symlink_to(root / "circle/nowhere.png")
    opened = open_data(root, Reading())
    table, unread = table_with_copies(opened.source, Silent())
    assert len(unread) == 2
    group = dict(zip(table.ids, table.groups, strict=True))
    assert group["circle/copy.png"] == group["square/000.png"] == "circle/copy.png"
    assert len(set(group.values())) == len(table) - 1
    exact, unread = table_with_exact_copies(opened.source, Silent())
    assert (len(unread), list(exact.groups)) == (2, list(table.groups))
    assert len(set(table_without_copies(opened.source).groups)) == len(table)


@pytest.mark.parametrize("name", ["nothing", "a.yaml"])
def test_what_is_no_data_is_refused(tmp_path, name):
    (tmp_path / "a.yaml").touch()
    with pytest.raises(DataError, match="expected a folder of classes, a CSV table or") as caught:
        open_data(tmp_path / name, Reading())
    assert caught.value.slug == "data/not-data"


@pytest.mark.parametrize(
    ("reading", "option"),
    [
        (Reading(images="x"), "--images"),
        (Reading(separator="$"), "--separator"),
        (Reading(level=1), "--level"),
    ],
)
def test_an_option_that_means_nothing_for_a_folder_is_refused(tmp_path, reading, option):
    with pytest.raises(ConfigError, match=f"{option}: expected no such option with a folder"):
        open_data(tmp_path, reading)


@pytest.mark.parametrize(
    ("sample_id", "path", "name"),
    [
        ("a/1.png", "/photos/a/1.png", "a/1.png"),
        ("./1.png", "/photos/1.png", "./1.png"),
        ("a/1", "/photos/a/1.jpg", "a/1.jpg"),
        ("g", "/photos/g.jpg", "g.jpg"),
        ("png", "/photos/png.png", "png.png"),
        ("a.b", "/photos/a.b.tif", "a.b.tif"),
    ],
)
def test_a_file_is_called_by_its_id_with_its_ending(sample_id, path, name):
    assert file_name(sample_id, path) == name
