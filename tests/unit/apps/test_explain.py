"""Pictures of where models look."""

import csv
import io

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image as Pillow

from fivefold.apps.explain import Look, write_explanations
from fivefold.apps.explain.overlay import as_seen, in_colors, laid_over
from fivefold.apps.explain.panels import draw_panels
from fivefold.apps.explain.writing import file_name
from fivefold.experiment.explaining import ClassMap, Explanation


def explanation(number=0, name="a/cat.jpg", *, classes=("cat",), shape=(60, 80, 3), maps=True):
    rng = np.random.default_rng(number)
    image = rng.integers(0, 256, shape, np.uint8)
    heat = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape[:2])
    found = [ClassMap("", one, 0.5, None, heat) for one in classes] if maps else []
    return Explanation(number, name, image, tuple(found), (0, 1), "layer4")


def opened(data):
    return np.asarray(Pillow.open(io.BytesIO(data)))


def test_colours_are_those_of_viridis():
    levels = np.linspace(0, 1, 256, dtype=np.float32)[None]
    expected = mpl.colormaps["viridis"](np.arange(256))[:, :3] * 255
    assert np.abs(in_colors(levels)[0] - expected).max() <= 2


def test_colours_grow_lighter_with_the_map():
    lab = cv2.cvtColor(in_colors(np.linspace(0, 1, 256, dtype=np.float32)[None]), cv2.COLOR_RGB2LAB)
    assert (np.diff(lab[0, :, 0].astype(int)) >= -1).all()


def test_colours_lie_where_the_map_is():
    picture = np.full((40, 40, 3), 128, np.uint8)
    heat = np.zeros((40, 40), np.float32)
    heat[:20] = 1
    drawn = laid_over(picture, heat, 1.0).astype(int)
    assert np.abs(drawn[5, 5] - [253, 231, 37]).max() <= 2  # yellow
    assert drawn[35, 5, 2] > drawn[35, 5, 1]  # violet, half opaque
    assert np.array_equal(drawn[:, 0], drawn[:, 39])


def test_alpha_0_shows_the_picture_alone():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    drawn = laid_over(picture, np.ones((20, 30), np.float32), 0.0)
    assert (drawn[..., 0] == drawn[..., 1]).all()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert np.corrcoef(drawn[..., 0].ravel(), grey.ravel())[0, 1] > 0.999


@pytest.mark.parametrize(
    ("shape", "least", "most", "expected"),
    [
        ((60, 80, 3), 0, 0, (60, 80)),
        ((60, 80, 1), 240, 1024, (180, 240)),
        ((3000, 1500, 4), 240, 1024, (1024, 512)),
        ((3000, 1500, 2), 240, 0, (3000, 1500)),
        ((1, 4000, 3), 240, 1000, (1, 1000)),
    ],
)
def test_pictures_are_rgb_and_of_a_size_to_look_at(shape, least, most, expected):
    assert as_seen(np.zeros(shape, np.uint8), least, most).shape == (*expected, 3)


def test_each_class_has_a_picture_beside_the_image():
    one = opened(draw_panels(explanation(), 0.6, 1024))
    three = opened(draw_panels(explanation(classes=("cat", "dog", "eel")), 0.6, 1024))
    assert three.shape[1] == pytest.approx(2 * one.shape[1], abs=20)
    assert three.shape[0] == one.shape[0]
    many = opened(draw_panels(explanation(classes=[f"c{k}" for k in range(20)]), 0.6, 1024))
    assert many.shape[1] <= 2600


def test_the_same_explanation_gives_the_same_bytes():
    assert draw_panels(explanation(), 0.6, 0) == draw_panels(explanation(), 0.6, 0)


@pytest.mark.parametrize("name", ["\ud800x", "a" * 10_000, "</script>", "\u202etxt", "", "\n\n"])
def test_any_name_is_drawn_and_written(tmp_path, name):
    found = (one for one in [explanation(name=name, classes=(name or "c",))])
    written = write_explanations(found, tmp_path, Look())
    (path,) = tmp_path.glob("*.png")
    assert path.name == written.rows[0]["file"]
    assert path.name.isascii()


def test_files_are_named_by_number_and_what_is_plain_of_the_id():
    assert file_name(7, "roses/my photo (1).jpg") == "00007-my_photo_1.png"
    assert file_name(1, "..\\..\\x.tar.gz") == "00001-x.tar.png"
    assert file_name(12, "日本.png") == "00012.png"
    assert len(file_name(1, "x" * 500)) < 80


def test_the_table_is_of_all_maps_in_the_order_of_the_numbers(tmp_path):
    found = (explanation(k, f"{k}.png", classes=("a", "b")) for k in (2, 0, 1))
    written = write_explanations(found, tmp_path, Look())
    assert (written.pictures, written.without) == (3, 0)
    rows = list(csv.DictReader((tmp_path / "explanations.csv").read_text().splitlines()))
    assert [(row["id"], row["class"]) for row in rows] == [
        (f"{k}.png", name) for k in range(3) for name in "ab"
    ]
    assert rows[0] == {
        "file": "00001-0.png",
        "id": "0.png",
        "head": "",
        "class": "a",
        "probability": "0.500000",
        "true": "",
        "folds": "0 1",
        "layer": "layer4",
    }


def test_what_was_written_stays_when_it_is_stopped(tmp_path):
    def interrupted():
        yield explanation(0)
        yield explanation(1)
        msg = "stop"
        raise KeyboardInterrupt(msg)

    with pytest.raises(KeyboardInterrupt, match="stop"):
        write_explanations(interrupted(), tmp_path, Look())
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert len((tmp_path / "explanations.csv").read_text().splitlines()) == 3


def test_images_without_a_likely_class_have_no_picture(tmp_path):
    found = (explanation(k, maps=k == 1) for k in range(3))
    written = write_explanations(found, tmp_path, Look())
    assert (written.pictures, written.without) == (1, 2)
