import copy
import logging

import numpy as np
import pytest
from drawn_source import Drawn
from shapes import draw_folders

from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.data import FolderSource, PythonSource, audit
from fivefold.data.views import cache_in_memory, map_images


def test_every_image_goes_through_the_function():
    source = map_images(Drawn(3), lambda image: 255 - image)
    assert source.image(2)[0, 0].tolist() == [253] * 3
    assert source.sample(1).image[0, 0, 0] == 254
    assert source.fetch(1).decode((1, 1)).image[0, 0, 0] == 254


def test_a_sample_is_known_by_what_comes_out():
    plain, same = Drawn(2), map_images(Drawn(2), lambda image: image)
    other = map_images(Drawn(2), lambda image: image + 1)
    assert same.fetch(0).digest == plain.fetch(0).digest
    assert other.fetch(0).digest == plain.fetch(1).digest != plain.fetch(0).digest


def test_a_changed_function_is_seen_although_files_are_the_same(tmp_path):
    folder = FolderSource(draw_folders(tmp_path / "shapes", 4))
    first = audit(map_images(folder, lambda image: image), folds=2, progress=Silent())
    run = RunFolder.of(tmp_path / "run")
    first.save(run)
    second = audit(
        map_images(folder, lambda image: image // 2),
        folds=2,
        progress=Silent(),
        previous=run.audit_path,
    )
    assert not set(first.rows.digests) & set(second.rows.digests)


def test_the_function_may_write_into_its_image():
    items = [np.zeros((4, 4, 3), np.uint8), np.ones((4, 4, 3), np.uint8)]
    source = PythonSource([(image, k) for k, image in enumerate(items)])

    def brighten(image):
        image += 9
        return image

    assert map_images(source, brighten).image(0).max() == 9
    assert items[0].max() == 0


def test_grey_and_fractions_are_images_too():
    assert map_images(Drawn(1), lambda image: image[:, :, 0]).image(0).shape == (6, 8, 1)
    halves = map_images(Drawn(1), lambda image: np.full((2, 2, 3), 0.5, np.float32)).image(0)
    assert set(np.unique(halves)) <= {127, 128}


def test_what_the_function_raises_sets_the_sample_aside():
    def picky(image):
        if image[0, 0, 0] == 1:
            text = "I do not like this one"
            raise ValueError(text)
        return image

    found = audit(map_images(Drawn(9), picky), folds=2, progress=Silent())
    assert (found.used, found.quarantined) == (8, 1)
    assert "I do not like this one" in found.rows[1].detail


def test_images_are_read_once():
    source = Drawn(3)
    cached = cache_in_memory(source)
    for _ in range(3):
        assert cached.image(1)[0, 0, 0] == 1
        assert cached.fetch(2).decode(None).image[0, 0, 0] == 2
    assert source.reads == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        cached.image(1)[0] = 5


def test_images_beyond_the_limit_are_read_each_time(caplog):
    source = Drawn(3)
    cached = cache_in_memory(source, max_bytes=2 * 6 * 8 * 3)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert [int(cached.image(i)[0, 0, 0]) for i in range(3)] == [0, 1, 2]
    assert source.reads == [0, 1, 2, 2]
    assert [r.getMessage() for r in caplog.records] == [
        "memory for 288 bytes of pixels is full with 2 of 3 images: others are read each time"
    ]


def test_a_changed_image_is_read_again():
    source = Drawn(2)
    source.stamp = lambda i: f"1:{len(marks)}"
    marks, cached = [], cache_in_memory(source)
    cached.image(0)
    cached.image(0)
    marks.append("touched")
    cached.image(0)
    cached.image(0)
    assert source.reads == [0, 0]


def test_other_processes_get_no_pixels():
    cached = cache_in_memory(Drawn(2))
    cached.image(0)
    other = copy.deepcopy(cached)
    assert other._source.reads == [0]
    assert other.image(0)[0, 0, 0] == 0
    assert other._source.reads == [0, 0]


def test_memory_of_nothing_is_refused():
    with pytest.raises(DataError, match="max_bytes: expected at least 1, got 0") as error:
        cache_in_memory(Drawn(1), max_bytes=0)
    assert error.value.slug == "data/view-option"


def test_a_mapped_source_of_cached_ones_reads_each_file_once():
    source = Drawn(2)
    mapped = map_images(cache_in_memory(source), lambda image: image + 1)
    assert [int(mapped.image(1).max()) for _ in range(3)] == [2, 2, 2]
    assert source.reads == [1]
