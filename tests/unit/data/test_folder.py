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


def test_a_class_without_images_is_still_a_class(tmp_path):
    draw(tmp_path, "cat/1.png")
    (tmp_path / "dog").mkdir()
    assert FolderSource(tmp_path).labels[0].class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("names", "found"), [([], "got nothing"), (["1.png"], "no folders and 1 file\n")]
)
def test_a_folder_without_classes_is_refused(tmp_path, names, found):
    draw(tmp_path, *names)
    with pytest.raises(DataError, match=f"expected one folder per class, .*{found}") as error:
        FolderSource(tmp_path)
    assert error.value.slug == "data/no-classes"
