import itertools
import threading

import cv2
import numpy as np
import pytest
from PIL import Image

from fivefold.core.progress import Silent
from fivefold.data.audit import audit
from fivefold.data.batches import Batches
from fivefold.data.folder import FolderSource
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.preprocess import Preprocess
from fivefold.data.samples import table_of

SHAPE = (6, 6, 3)


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for name, k in itertools.product(("cat", "dog"), range(6)):
        path = tmp_path / "data" / name / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(path)
    source = FolderSource(tmp_path / "data")
    table = table_of(source, audit(source, folds=2, progress=Silent()))
    return ResizedImages(source, table, Kept(Preprocess(SHAPE, crop), len(source)))


def crop(image):
    return np.ascontiguousarray(image[:6, :6])


def noisy(image, rng):
    return image if rng is None else rng.permutation(image.ravel()).reshape(image.shape)


def batches(images, rows=range(11), **options):
    options = {"batch": 4, "prepare": noisy, "seed": 7, "place": (0, 1, 2), "threads": 2} | options
    return Batches(images, images.table, rows, **options)


def equal(first, second):
    first, second = list(first), list(second)
    return len(first) == len(second) and all(
        np.array_equal(a.indices, b.indices)
        and np.array_equal(a.images, b.images)
        and np.array_equal(a.targets, b.targets)
        for a, b in zip(first, second, strict=True)
    )


def test_without_a_place_rows_come_in_the_order_given(images):
    found = list(batches(images, [5, 0, 9, 3, 1], place=None))
    assert [batch.indices.tolist() for batch in found] == [[5, 0, 9, 3], [1]]
    expected = crop(images.source.sample(5).image)
    assert np.array_equal(found[0].images[0], expected)
    assert found[1].targets.tolist() == images.table.targets[[1]].tolist()


@pytest.mark.parametrize("threads", [0, 1, 2, 4])
def test_the_number_of_threads_changes_no_bit(images, threads):
    assert equal(batches(images, threads=threads), batches(images, threads=3))


def test_one_thread_makes_an_image(images):
    cv2.setNumThreads(2)
    list(batches(images))
    assert cv2.getNumThreads() == 1


def test_the_order_of_the_rows_changes_no_bit(images):
    assert equal(batches(images, list(range(11))[::-1]), batches(images))


@pytest.mark.parametrize("place", [(1, 1, 2), (0, 0, 2), (0, 1, 3)])
def test_every_place_has_its_own_order_and_noise(images, place):
    assert not equal(batches(images, place=place), batches(images))


def test_a_samples_noise_does_not_depend_on_its_company(images):
    def pixels_of(row, found):
        return next(b.images[b.indices == row][0] for b in found if row in b.indices)

    alone = pixels_of(4, list(batches(images, [4, 2], batch=1)))
    assert np.array_equal(alone, pixels_of(4, list(batches(images))))


@pytest.mark.parametrize(
    ("count", "batch", "sizes"),
    [
        (9, 4, [4, 5]),
        (10, 4, [4, 4, 2]),
        (8, 4, [4, 4]),
        (1, 4, [1]),
        (3, 1, [1, 1, 1]),
        (0, 4, []),
    ],
)
def test_a_last_sample_is_never_trained_on_alone(images, count, batch, sizes):
    found = batches(images, range(count), batch=batch)
    assert len(found) == len(sizes)
    assert [len(b.indices) for b in found] == sizes


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_while_preparing_names_the_sample(images, threads):
    def broken(image, rng):
        msg = "no such thing"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="no such thing") as error:
        list(batches(images, [2], prepare=broken, threads=threads))
    assert error.value.__notes__[0].startswith("while preparing cat/2.png (")


def test_threads_end_when_nobody_wants_more(images):
    before = threading.active_count()
    for _ in batches(images, batch=1):
        break
    assert threading.active_count() == before


class Mixed:
    """Turns a batch round, and writes into its truth which number it was given."""

    def __init__(self, rng, images, targets):
        self.order = np.arange(len(images))[::-1]
        self.images = images[self.order]
        self.targets = np.full_like(targets, rng.random())


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_batches_are_mixed_with_numbers_of_their_own_place(images, threads):
    plain = list(batches(images))
    mixed = list(batches(images, mix=Mixed, threads=threads))
    for before, after in zip(plain, mixed, strict=True):
        np.testing.assert_array_equal(after.indices, before.indices[::-1])
        np.testing.assert_array_equal(after.images, before.images[::-1])
    assert len({float(batch.targets[0, 0]) for batch in mixed}) == len(mixed)
    assert equal(batches(images, mix=Mixed), mixed)
    other = list(batches(images, mix=Mixed, place=(0, 1, 3)))
    assert other[0].targets[0, 0] != mixed[0].targets[0, 0]


def test_what_has_no_place_is_not_mixed(images):
    assert equal(batches(images, mix=Mixed, place=None), batches(images, place=None))


def test_a_row_that_comes_twice_is_augmented_in_two_ways(images):
    rows = [0, 3, 3, 3, 5]
    found = {}
    for batch in batches(images, rows):
        for row, pixels in zip(batch.indices.tolist(), batch.images, strict=True):
            found.setdefault(row, []).append(pixels.tobytes())
    assert {row: len(each) for row, each in found.items()} == {0: 1, 3: 3, 5: 1}
    assert len(set(found[3])) == 3
    assert equal(batches(images, rows), batches(images, rows, threads=0))


def test_names_of_random_numbers_are_the_ids_where_no_row_comes_twice(images):
    once = batches(images)
    for number, rows in enumerate(once.parts):
        assert once.names(number) == [images.table.ids[row] for row in rows]
    twice = batches(images, [2, 2], batch=2)
    name = images.table.ids[2]
    assert twice.names(0) == [name, f"{name}#1"]
