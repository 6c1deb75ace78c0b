"""Small pictures of samples: from their files, or from the pixels that the run has kept."""

import base64
import hashlib
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from fivefold.apps.report.embedded import Thumbnails
from fivefold.apps.report.kept_pixels import KeptPixels
from fivefold.core.cache_home import cache_home
from fivefold.data.pixel_store import PixelStore
from fivefold.data.preprocess import Preprocess
from fivefold.data.shards import Known

DIGEST = hashlib.sha256(b"sample").hexdigest()


def kept(pixels, digest=DIGEST):
    """Keep pixels in the cache as a run does."""
    store = PixelStore(cache_home(True), Preprocess(pixels.shape, lambda image: image))
    store.add(digest, pixels, Known(*pixels.shape[:2]), 1)
    store.commit()
    return KeptPixels({"shape": list(pixels.shape)})


def rows(*rows):
    return {"rows": list(rows)}


def pixels_of(url):
    kind, _, data = url.partition(";base64,")
    return kind, np.asarray(Pillow.open(io.BytesIO(base64.b64decode(data))))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_that_are_no_files_are_shown_from_the_cache(tmp_path, cache_folder, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 16, channels), dtype=np.uint8)
    read = Thumbnails(
        tmp_path, rows({"sample_id": "a", "digest": DIGEST, "path": ""}), kept(pixels)
    )
    kind, shown = pixels_of(read(["a"])["a"])
    assert kind == "data:image/png"
    expected = pixels[:, :, :3] if channels > 2 else pixels[:, :, 0]
    assert (shown == expected).all()


def test_a_file_comes_before_the_cache(tmp_path, cache_folder):
    path = tmp_path / "a.png"
    Pillow.new("RGB", (8, 8), (1, 2, 3)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    row = {"sample_id": "a", "digest": digest, "path": str(path)}
    read = Thumbnails(tmp_path, rows(row), kept(np.zeros((9, 9, 3), np.uint8), digest))
    assert (pixels_of(read(["a"])["a"])[1] == (1, 2, 3)).all()
    path.unlink()
    assert pixels_of(read(["a"])["a"])[1].shape == (9, 9, 3)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"shape": "x"},
        {"shape": [8, 8]},
        {"shape": [8, True, 3]},
        {"shape": [9, 9, 3]},
        {"shape": [8, 8, 3], "cache": False},
    ],
)
def test_a_cache_that_is_not_there_is_not_made(tmp_path, cache_folder, config):
    assert KeptPixels(config).read(DIGEST) is None
    assert not cache_folder.exists()


@pytest.mark.parametrize("digest", [None, 7, "", "zz", DIGEST[:-1], DIGEST + "0"])
def test_odd_digests_have_no_pixels(cache_folder, digest):
    assert kept(np.zeros((8, 8, 3), np.uint8)).read(digest) is None


def test_a_damaged_cache_is_said_and_stops_nothing(tmp_path, cache_folder, caplog):
    found = kept(np.zeros((8, 8, 3), np.uint8))
    for path in cache_folder.rglob("*.index"):
        path.write_bytes(b"no")
    assert found.read(DIGEST) is None
    assert "the pixel cache is damaged" in caplog.text


def test_very_much_is_not_read(tmp_path):
    listed = []
    for name in ("a", "b", "c"):
        path = tmp_path / f"{name}.png"
        Pillow.new("RGB", (8, 8)).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        stamp = "399999000:1" if name == "b" else "600:1"
        listed.append({"sample_id": name, "digest": digest, "path": str(path), "stamp": stamp})
    read = Thumbnails(tmp_path, rows(*listed), KeptPixels({}))
    assert set(read(["a"])) | set(read(["b", "c"])) == {"a", "b"}


def test_a_large_photograph_becomes_a_small_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    Pillow.fromarray(np.random.default_rng(0).integers(0, 256, (600, 900, 3), np.uint8)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    row = {"sample_id": "a", "digest": digest, "path": str(path)}
    kind, shown = pixels_of(Thumbnails(tmp_path, rows(row), KeptPixels({}))(["a"])["a"])
    assert (kind, shown.shape) == ("data:image/jpeg", (85, 128, 3))


@pytest.mark.parametrize("moved", ["renamed", "deep/er/renamed"])
def test_a_run_folder_that_was_moved_and_renamed_finds_its_images(tmp_path, moved):
    root = tmp_path / moved
    path = root / "digits" / "3" / "a.png"
    path.parent.mkdir(parents=True)
    Pillow.new("RGB", (8, 8)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    row = {"sample_id": "3/a.png", "digest": digest, "path": "old-name/digits/3/a.png"}
    assert "3/a.png" in Thumbnails(root, rows(row), KeptPixels({}))(["3/a.png"])
