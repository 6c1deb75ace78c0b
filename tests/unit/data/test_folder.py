import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.data.folder import FolderSource


def draw(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3)).save(root / name)


def test_folders_are_classes_in_sorted_order(tmp_path):
    draw(tmp_path, "cat/1.png", "ant/x/2.png", "bee/3.png")
    source = FolderSource(tmp_path)
    assert source.labels[0].class_names == ("ant", "bee", "cat")
    assert source.labels[0].exclusive
    assert source.sample_ids == ("ant/x/2.png", "bee/3.png", "cat/1.png")
    assert [source.target(i).argmax() for i in range(3)] == [0, 1, 2]


def test_numbered_classes_are_sorted_by_value(tmp_path):
    draw(tmp_path, "10/a.png", "9/a.png", "0/a.png")
    assert FolderSource(tmp_path).labels[0].class_names == ("0", "9", "10")


def test_files_beside_the_classes_are_excluded_by_a_rule(tmp_path):
    draw(tmp_path, "cat/1.png", "loose.png")
    assert FolderSource(tmp_path).excluded == (("loose.png", "outside-class-folders"),)


def test_folders_without_images_are_no_classes(tmp_path):
    draw(tmp_path, "cat/1.png")
    (tmp_path / "leerer Ordner").mkdir()
    source = FolderSource(tmp_path)
    assert source.labels[0].class_names == ("cat",)
    assert source.warnings == ("folder 'leerer Ordner' has no images: it is no class",)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").touch()
    (tmp_path / ".git").mkdir()
    assert FolderSource(tmp_path).warnings == (
        "folders 'leerer Ordner', 'notes' have no images: they are no classes",
    )


def test_empty_folders_alone_are_no_data(tmp_path):
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match="got 1 folder without images\n") as error:
        FolderSource(tmp_path)
    assert error.value.slug == "data/no-classes"


@pytest.mark.parametrize(
    ("names", "found"), [([], "got nothing"), (["1.png"], "no folders and 1 file\n")]
)
def test_a_folder_without_classes_is_refused(tmp_path, names, found):
    draw(tmp_path, *names)
    with pytest.raises(DataError, match=f"expected one folder per class, .*{found}") as error:
        FolderSource(tmp_path)
    assert error.value.slug == "data/no-classes"
