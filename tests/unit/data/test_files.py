import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.data.files import FilesSource, list_files


def draw(path: Path, value: int = 7) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (value, 0, 0)).save(path)
    return path


def test_files_below_a_folder_are_listed_with_forward_slashes(tmp_path):
    draw(tmp_path / "b.png")
    draw(tmp_path / "a" / "deep" / "c.png")
    assert list_files(tmp_path).files == ("a/deep/c.png", "b.png")


def test_every_entry_is_either_listed_or_excluded_by_a_named_rule(tmp_path):
    draw(tmp_path / "a" / "1.png")
    for name in (".hidden.png", "a/readme.txt", ".git/x.png", "__MACOSX/y.png", "a/Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert dict(list_files(tmp_path).excluded) == {
        ".git": "hidden",
        ".hidden.png": "hidden",
        "__MACOSX": "hidden",
        "a/Thumbs.db": "system-file",
        "a/readme.txt": "not-an-image-name",
    }


def test_a_loop_of_links_ends(tmp_path):
    draw(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    listing = list_files(tmp_path)
    assert listing.files == ("a/1.png", "self")
    assert listing.excluded == (("a/again", "link-to-folder"),)


def test_the_root_itself_may_be_a_link(tmp_path):
    draw(tmp_path / "real" / "1.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list_files(tmp_path / "link").files == ("1.png",)


def test_links_that_leave_the_root_are_refused(tmp_path):
    outside = draw(tmp_path / "outside.png")
    draw(tmp_path / "data" / "1.png")
    (tmp_path / "data" / "escape.png").symlink_to(outside)
    with pytest.raises(UnsafeInputError, match=r"links that lead out.*'escape\.png'") as error:
        list_files(tmp_path / "data")
    assert error.value.slug == "unsafe/outside-folder"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="expected a folder of images, got nothing") as error:
        list_files(tmp_path / "none")
    assert error.value.slug == "data/missing-folder"


def test_an_unreadable_folder_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError, match="readable folder, got Permission denied") as error:
        list_files(tmp_path)
    assert error.value.slug == "data/unreadable-folder"


def test_names_that_are_no_unicode_survive(tmp_path):
    name = b"caf\xe9 \n.png".decode("utf-8", "surrogateescape")
    draw(tmp_path / name)
    source = FilesSource(tmp_path)
    assert source.sample_ids == (name,)
    assert source.sample(0).image.shape == (3, 4, 3)


def test_a_folder_gives_unlabelled_samples(tmp_path):
    path = draw(tmp_path / "a" / "1.png", 9)
    source = FilesSource(tmp_path)
    sample, fetched = source.sample(0), source.fetch(0)
    assert (sample.sample_id, sample.target, source.labels) == ("a/1.png", None, ())
    assert np.array_equal(sample.image, np.array(Image.open(path)))
    assert np.array_equal(fetched.decode(None).image, sample.image)
    assert fetched.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.stamp(0) == f"{path.stat().st_size}:{path.stat().st_mtime_ns}"


def test_chosen_files_are_named_by_their_paths(tmp_path):
    paths = [draw(tmp_path / "1.png"), draw(tmp_path / "2.png")]
    assert FilesSource(paths).sample_ids == tuple(path.as_posix() for path in paths)
    assert FilesSource(paths[0]).sample_ids == ("1.png",)


def test_a_chosen_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.png: expected an image or a folder") as error:
        FilesSource([tmp_path / "none.png"])
    assert error.value.slug == "data/missing-file"


def test_a_file_chosen_twice_is_refused(tmp_path):
    path = draw(tmp_path / "1.png")
    with pytest.raises(DataError, match="expected each image once") as error:
        FilesSource([path, path])
    assert error.value.slug == "data/duplicate-id"


def test_a_file_that_vanished_has_no_stamp(tmp_path):
    path = draw(tmp_path / "1.png")
    source = FilesSource(tmp_path)
    path.unlink()
    assert source.stamp(0) == ""
