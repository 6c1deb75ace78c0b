import numpy as np
import pytest
from tar_files import png, write_tar

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import CsvSource, PredictionItem
from fivefold.data.audit import audit
from fivefold.data.python_class import PythonSource
from fivefold.data.tars import ShardSource


def test_cells_of_separators_only_are_no_labels(tmp_path):
    from PIL import Image

    rows = ["image,label"]
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name)
        rows.append(f'{name},";"')
    (tmp_path / "t.csv").write_text("\n".join(rows))
    source = CsvSource(tmp_path / "t.csv", tmp_path, separator=";")
    with pytest.raises(DataError, match="expected at least 1 class, got none: no sample") as error:
        audit(source, folds=2, progress=Silent())
    assert error.value.slug == "data/no-labels"


class Declared:
    """Twelve images of two classes, and the names of many that have none."""

    def __init__(self, count, both):
        self.classes = ["a", "b", *(f"c{number:03}" for number in range(count))]
        self.both = both

    def __len__(self):
        return 12

    def __getitem__(self, item):
        label = np.zeros(len(self.classes), np.float32)
        label[: 2 if item in self.both else 1] = 1
        if item % 2:
            label[:2] = label[1::-1]
        return PredictionItem(str(item), np.full((4, 4, 3), item, np.uint8), label)


def declared(count, both=()):
    return PythonSource(Declared(count, both), progress=Silent())


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (10, "class 'c009' has no usable image, 2 folds need at least 2"),
        (11, "1 more class likewise"),
        (168, "158 more classes likewise"),
    ],
)
def test_of_many_classes_without_images_ten_are_named(count, last):
    source = declared(count)
    with pytest.raises(DataError, match="class 'c000' has no usable image, 2 folds") as error:
        audit(source, folds=2, progress=Silent())
    lines = str(error.value).splitlines()
    assert error.value.slug == "data/rare-class"
    assert len(lines) == min(count, 11) + 1
    assert lines[-2] == last


def test_a_warning_of_many_classes_names_ten():
    found = audit(declared(168, both=(0, 1)), folds=2, progress=Silent())
    (told,) = [text for text in found.warnings if text.startswith("class ")]
    assert told.endswith(
        "class 'c009' has no usable image, 158 more classes likewise: "
        "some of 2 folds will not hold them"
    )


def test_groups_that_share_a_copy_are_not_separable(tmp_path):
    from PIL import Image

    rows = ["image,label,patient"]
    for k, (label, shade) in enumerate((("a", 0), ("a", 0), ("b", 1), ("b", 2))):
        Image.fromarray(np.full((4, 4, 3), shade, np.uint8)).save(tmp_path / f"{k}.png")
        rows.append(f"{k}.png,{label},p{k}")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    source = CsvSource(tmp_path / "t.csv", tmp_path, group_column="patient")
    with pytest.raises(DataError, match="'a' has 2 samples of which 1 may be separated, 2 folds"):
        audit(source, folds=2, progress=Silent())


def test_images_without_labels_cannot_be_trained_on(tmp_path):
    write_tar(tmp_path / "a.tar", [(f"{k}.png", png(k)) for k in range(4)])
    source = ShardSource(tmp_path / "a.tar")
    with pytest.raises(DataError, match="expected at least 1 class, got none: no sample") as error:
        audit(source, folds=2, progress=Silent())
    assert error.value.slug == "data/no-labels"
    assert audit(source, folds=0, progress=Silent()).used == 4
