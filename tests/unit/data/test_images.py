"""Where a sample's pixels come from, and that it does not matter."""

import io
import itertools
from dataclasses import replace
from functools import partial
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
from PIL import Image

from fivefold.augment import resize
from fivefold.core.cache_home import CacheHome
from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data.audit import audit
from fivefold.data.folder import FolderSource
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.preprocess import Preprocess
from fivefold.data.python_class import PythonSource
from fivefold.data.samples import table_of

SHAPE = (6, 6, 3)


def crop(image):
    return np.ascontiguousarray(image[:6, :6])


def read_by(source, preprocess, home=None, **options):
    """Audit a source and give its images."""
    kept = Kept(preprocess, len(source), home, **options)
    table = table_of(source, audit(source, folds=0, progress=Silent(), kept=kept))
    return ResizedImages(source, table, kept)


def without_audit(images, preprocess, **options):
    """Give the images of the same table that no audit has kept."""
    return ResizedImages(
        images.source, images.table, Kept(preprocess, len(images.source), **options)
    )


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


@pytest.fixture
def reads(monkeypatch):
    """Collect which positions are read, by the audit or after it."""
    found = []
    for name in ("image", "fetch"):
        original = getattr(FolderSource, name)
        monkeypatch.setattr(
            FolderSource,
            name,
            lambda self, i, *rest, original=original: found.append(i) or original(self, i, *rest),
        )
    return found


def every(images):
    return [images.get(row) for row in range(len(images.table))]


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_pixels_are_decoded_once_where_they_fit(images, reads):
    first = every(images)
    assert equal(first, every(images))
    assert sorted(reads) == list(range(12))
    small = without_audit(images, Preprocess(SHAPE, crop), byte_limit=0)
    assert equal(every(small), first)
    every(small)
    assert len(reads) == 36


def photo(height, width):
    pixels = np.random.default_rng(height).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def draw_all_kinds(root):
    """Write images of every kind that decoding treats on its own."""
    (root / "a").mkdir(parents=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    photo(3000, 4000).save(root / "a" / "large.jpg", quality=80)
    photo(1500, 2000).save(root / "a" / "turned.jpg", exif=turned)
    photo(1999, 1000).convert("L").save(root / "a" / "grey.jpg")
    photo(300, 200).save(root / "a" / "small.jpg")
    photo(50, 40).save(root / "a" / "tiny.jpg")
    photo(900, 700).convert("CMYK").save(root / "a" / "cmyk.jpg", progressive=True)
    photo(700, 900).save(root / "a" / "lossless.png")
    photo(700, 900).convert("L").save(root / "a" / "grey.png")
    photo(700, 900).save(root / "a" / "other.webp")


@pytest.mark.parametrize("shape", [(224, 224, 3), (96, 160, 1)])
def test_disk_memory_and_source_give_the_same_bits(tmp_path, shape):
    """Tolerance: 0 bits. The slow twin reads every sample by itself each time."""
    draw_all_kinds(tmp_path / "data")
    source = FolderSource(tmp_path / "data")
    preprocess = Preprocess(shape, partial(resize, height=shape[0], width=shape[1]))
    home = CacheHome(tmp_path / "cache", 10**9)
    written = read_by(source, preprocess, home)
    found_again = read_by(source, preprocess, home)
    remembered = read_by(source, preprocess)
    read_each_time = without_audit(remembered, preprocess, byte_limit=0)
    slow = [
        preprocess(source.image(int(i), shape[:2]), "") for i in remembered.table.indices.tolist()
    ]
    for images in (written, found_again, remembered, read_each_time):
        assert len(images.table) == 9
        assert equal(every(images), slow)
        assert equal(every(images), slow)


def test_the_audit_says_the_same_with_and_without_pixels(tmp_path):
    draw_all_kinds(tmp_path / "data")
    for progressive in (False, True):
        photo(700, 900).save(tmp_path / "whole.jpg", progressive=progressive)
        whole = (tmp_path / "whole.jpg").read_bytes()
        for part in range(1, 6):
            cut = tmp_path / "data" / "a" / f"cut-{progressive}-{part}.jpg"
            cut.write_bytes(whole[: len(whole) * part // 6])
    source = FolderSource(tmp_path / "data")
    preprocess = Preprocess((64, 64, 3), partial(resize, height=64, width=64))
    home = CacheHome(tmp_path / "cache", 10**9)
    plain = audit(source, folds=0, progress=Silent())
    assert plain.quarantined == 10
    sizes = {row.sample_id: (row.height, row.width) for row in plain.rows}
    assert (sizes["a/large.jpg"], sizes["a/turned.jpg"]) == ((3000, 4000), (2000, 1500))
    found = []
    for cache in (home, home, None):
        kept = Kept(preprocess, len(source), cache)
        found.append(audit(source, folds=0, progress=Silent(), kept=kept))
        assert list(map(unmeasured, found[-1].rows)) == list(map(unmeasured, plain.rows))
    assert found[0] == found[1] == found[2]


def unmeasured(row):
    """Leave out numbers that depend on the fraction of its size a JPEG is decoded at."""
    return replace(row, look=row.look.partition(" ")[0])


def test_training_decodes_nothing_after_the_audit(images, reads, tmp_path):
    preprocess = Preprocess(SHAPE, crop)
    home = CacheHome(tmp_path / "cache", 10**9)
    for cache in (home, None):
        audited = read_by(images.source, preprocess, cache)
        assert sorted(reads) == list(range(12))
        every(audited)
        assert len(reads) == 12
        reads.clear()


def test_pixels_on_the_disk_are_found_in_other_folders_under_other_names(images, tmp_path):
    preprocess = Preprocess(SHAPE, crop)
    home = CacheHome(tmp_path / "cache", 10**9)
    first = every(read_by(images.source, preprocess, home))
    (tmp_path / "data").rename(tmp_path / "moved")
    (tmp_path / "moved" / "cat").rename(tmp_path / "moved" / "lion")
    decoded = []
    watched = Preprocess(SHAPE, lambda image: decoded.append(1) or crop(image))
    again = read_by(FolderSource(tmp_path / "moved"), watched, home)
    ids = sorted(range(12), key=lambda k: again.table.ids[k].replace("lion", "cat"))
    assert equal([again.get(k) for k in ids], first)
    assert decoded == []


def test_memory_is_told_truly(images, tmp_path):
    preprocess = Preprocess(SHAPE, crop)
    assert (images.num_bytes, images.num_bytes_ahead) == (12 * 108, 12 * 108)
    images.get(3)
    assert (images.num_bytes, images.num_bytes_ahead) == (12 * 108, 11 * 108)
    filled = read_by(images.source, preprocess)
    assert (filled.num_bytes, filled.num_bytes_ahead) == (12 * 108, 0)
    on_disk = read_by(images.source, preprocess, CacheHome(tmp_path / "cache", 10**9))
    assert (on_disk.num_bytes, on_disk.num_bytes_ahead) == (0, 0)
    nowhere = read_by(images.source, preprocess, byte_limit=0)
    assert (nowhere.num_bytes, nowhere.num_bytes_ahead) == (0, 0)


def test_another_process_maps_the_same_files(images, tmp_path):
    preprocess = Preprocess(SHAPE, crop)
    home = CacheHome(tmp_path / "cache", 10**9)
    rows = [5, 2, 11]
    audited = read_by(images.source, preprocess, home)
    some = ResizedImages(
        images.source, audited.table.take(rows), Kept(preprocess, len(images.source), home)
    )
    sent = bytes(ForkingPickler.dumps(some))
    assert len(sent) < 6000
    assert equal(every(ForkingPickler.loads(sent)), [audited.get(row) for row in rows])
    for path in home.root.rglob("*.index"):
        path.unlink()
    gone = ForkingPickler.loads(sent)
    assert gone.num_bytes == 3 * 108
    assert equal(every(gone), [audited.get(row) for row in rows])


def test_memory_is_not_sent_to_another_process(images):
    before = len(bytes(ForkingPickler.dumps(images)))
    expected = every(images)
    sent = bytes(ForkingPickler.dumps(images))
    assert len(sent) == before
    assert equal(every(ForkingPickler.loads(sent)), expected)


def test_damaged_rows_are_read_from_their_files(images, tmp_path, caplog):
    preprocess = Preprocess(SHAPE, crop)
    home = CacheHome(tmp_path / "cache", 10**9)
    expected = [image.copy() for image in every(read_by(images.source, preprocess, home))]
    (array,) = home.root.rglob("*.npy")
    data = bytearray(array.read_bytes())
    data[-1] ^= 1
    data[128] ^= 1
    array.write_bytes(data)
    for told in (1, 0):  # the second run has mended it
        caplog.clear()
        assert equal(every(read_by(images.source, preprocess, home)), expected)
        assert caplog.text.count("the pixel cache is damaged") == told


@pytest.mark.parametrize("cached", [False, True])
def test_shared_pixels_cannot_be_written(images, tmp_path, cached):
    home = CacheHome(tmp_path / "cache", 10**9) if cached else None
    audited = read_by(images.source, Preprocess(SHAPE, crop), home)
    for found in (audited, images, images):
        with pytest.raises(ValueError, match="read-only"):
            found.get(0)[:] = 0


def test_a_users_code_is_not_called_again_after_the_audit(tmp_path):
    calls = []

    class Drawn:
        def __len__(self):
            return 6

        def get_id(self, i):
            return f"s{i}"

        def get_target(self, i):
            return i % 2

        def __getitem__(self, i):
            calls.append(i)
            return np.full((9, 9, 3), i, np.uint8), i % 2

    home = CacheHome(tmp_path / "cache", 10**9)
    for _ in range(2):
        found = read_by(PythonSource(Drawn()), Preprocess(SHAPE, crop), home)
        assert [image[0, 0, 0] for image in every(found)] == list(range(6))
    assert sorted(calls) == sorted([*range(6)] * 2)


def test_grey_networks_get_grey_pixels(images):
    assert without_audit(images, Preprocess((6, 6, 1), crop)).get(0).shape == (6, 6, 1)


@pytest.mark.parametrize("audited", [False, True])
def test_a_wrong_number_of_channels_is_named_with_the_sample(images, audited):
    read = read_by if audited else lambda _, preprocess: without_audit(images, preprocess)
    found = read(images.source, Preprocess((6, 6, 4), crop))
    with pytest.raises(DataError, match=r"cat/0\.png \(.*\): expected an image with 4 channels"):
        found.get(0)


def test_a_file_that_changed_since_the_audit_is_named(images):
    Image.new("RGB", (8, 8)).save(images.source.path(3))
    with pytest.raises(DataError, match=r"cat/3\.png .*audited, got a changed one") as error:
        images.get(3)
    assert error.value.slug == "data/changed-file"


def test_a_file_that_vanished_is_named(images, tmp_path):
    (tmp_path / "data" / "dog" / "0.png").unlink()
    with pytest.raises(DataError, match=r"dog/0\.png .*as before, got missing") as error:
        every(images)
    assert error.value.slug == "data/vanished"


def test_pixels_of_another_shape_are_named(images):
    wrong = without_audit(images, Preprocess(SHAPE, lambda image: image))
    with pytest.raises(DataError, match=r"expected pixels \(6, 6, 3\), got \(8, 9, 3\)") as error:
        wrong.get(0)
    assert error.value.slug == "data/shape"


def test_an_image_of_the_right_size_is_taken_as_it_is():
    file = io.BytesIO()
    photo(6, 6).save(file, "PNG")
    image = np.asarray(Image.open(file))
    assert np.array_equal(Preprocess(SHAPE, partial(resize, height=6, width=6))(image, ""), image)
