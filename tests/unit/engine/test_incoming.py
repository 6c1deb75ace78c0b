import threading

import numpy as np
import pytest
from PIL import Image

from fivefold.build import build_images
from fivefold.build.pixels import build_preprocess
from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import FilesSource, PythonSource
from fivefold.data.audit import audit
from fivefold.data.samples import table_of
from fivefold.engine.incoming import read_batches

SHAPE = (32, 40, 3)


def read(source, batch, threads=2, shape=SHAPE):
    return list(read_batches(source, build_preprocess(shape), batch=batch, threads=threads))


@pytest.fixture
def pictures(tmp_path):
    """Draw noise: PNG, grey, turned by EXIF, a JPEG that is decoded smaller; two are broken."""
    rng = np.random.default_rng(0)

    def noise(*shape):
        return Image.fromarray(rng.integers(0, 256, shape, np.uint8))

    noise(50, 60, 3).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    noise(45, 45).save(tmp_path / "c.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(90, 200, 3).save(tmp_path / "d.jpg", exif=exif)
    noise(1200, 1600, 3).save(tmp_path / "e.jpg")
    (tmp_path / "f.png").write_bytes(b"")
    return FilesSource(tmp_path)


def test_pixels_are_those_that_training_sees(pictures):
    table = table_of(pictures, audit(pictures, folds=0, progress=Silent()))
    images = build_images(SHAPE, pictures, table)
    found = np.concatenate([one.batch.images for one in read(pictures, 2)])
    assert [pictures.sample_ids[i] for i in table.indices] == ["a.png", "c.png", "d.jpg", "e.jpg"]
    np.testing.assert_array_equal(found, [images.get(row) for row in range(len(table))])


@pytest.mark.parametrize("threads", [1, 3])
def test_broken_images_leave_no_gap_in_a_batch(pictures, threads):
    first, second, last = read(pictures, 2, threads), *read(pictures, 3, threads)
    assert [one.batch.indices.tolist() for one in first] == [[0, 2], [3, 4], []]
    assert [[(i, problem.reason) for i, problem in one.broken] for one in first] == [
        [(1, "format_not_allowed")],
        [],
        [(5, "empty")],
    ]
    assert second.batch.indices.tolist() == [0, 2, 3]
    assert last.batch.indices.tolist() == [4]
    assert [i for i, _ in last.broken] == [5]


def test_no_more_is_read_than_two_batches_ahead():
    read_so_far = []

    class Endless:
        def __len__(self):
            return 1000

        def get_id(self, i):
            return i

        def get_target(self, i):
            return None

        def __getitem__(self, i):
            read_so_far.append(i)
            return np.zeros((8, 8, 3), np.uint8), None

    source = PythonSource(Endless(), ())
    batches = read_batches(source, build_preprocess((8, 8, 3)), batch=10, threads=2)
    assert next(batches).batch.indices.tolist() == list(range(10))
    batches.close()
    assert len(read_so_far) <= 2 * 10 + 2
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


def test_channels_that_cannot_be_made_are_an_error_that_names_the_image(pictures):
    with pytest.raises(DataError, match=r"a\.png \(.*\): expected an image with 5 channels, got 3"):
        read(pictures, 2, shape=(32, 40, 5))
