import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.data import FOLDS, PATTERNS, draw, standard_set
from fivefold.core.progress import Silent
from fivefold.data import FolderSource, audit, table_of
from fivefold.data.drawn_folds import make_splits


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return standard_set(tmp_path_factory.mktemp("pictures"), 50, size=(48, 64))


def test_picture_is_a_function_of_its_class_and_number():
    photos = list(load_sample_images().images)
    first, again = (draw(photos, "rings", 7, (48, 64)) for _ in "ab")
    other = draw(photos, "rings", 8, (48, 64))
    assert (first == again).all()
    assert (first != other).any()


def test_mirror_image_of_a_pattern_without_a_sense_keeps_its_class():
    x = np.linspace(-20, 20, 41, dtype=np.float32)[None]
    y = np.linspace(-10, 10, 21, dtype=np.float32)[:, None]
    pattern = PATTERNS["rings"](x, y)
    assert np.allclose(pattern, pattern[:, ::-1])


def test_each_class_has_equally_many(pictures):
    counts = {folder.name: len(list(folder.iterdir())) for folder in pictures.images.iterdir()}
    assert counts == dict.fromkeys(PATTERNS, 5)


def test_pictures_have_the_size_that_was_asked_for(pictures):
    with Image.open(pictures.images / "rings" / "0000.jpg") as image:
        assert image.size == (64, 48)


def test_folds_are_those_that_fivefold_makes(pictures):
    source = FolderSource(pictures.images)
    table = table_of(source, audit(source, folds=FOLDS, progress=Silent()))
    assert make_splits(table, folds=FOLDS).fold_of == pictures.fold_of


def test_links_of_a_fold_lead_to_all_pictures_once(pictures):
    fold = pictures.root / "fold_2"
    val = {path.relative_to(fold / "val").as_posix() for path in (fold / "val").rglob("*.jpg")}
    train = {p.relative_to(fold / "train").as_posix() for p in (fold / "train").rglob("*.jpg")}
    assert val == {name for name, own in pictures.fold_of.items() if own == 2}
    assert train == pictures.fold_of.keys() - val


def test_second_call_finds_the_same_set(pictures):
    assert standard_set(pictures.root.parent, 50, size=(48, 64)) == pictures
