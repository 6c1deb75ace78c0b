import hashlib

import pytest
from PIL import Image
from shapes import draw_folders

from fivefold.apps.data_files.resizing import Wanted, resize_folder
from fivefold.core.errors import ConfigError, DataError, UnsafeInputError
from fivefold.core.progress import Silent


def small(source, output, longest=16, **options):
    return resize_folder(source, output, Wanted(longest), progress=Silent(), **options)


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def photos(tmp_path):
    return draw_folders(tmp_path / "photos", 2)


def test_every_image_is_written_under_its_name_and_the_source_stays(photos, tmp_path):
    Image.new("RGB", (8, 4)).save(photos / "loose.png")
    (photos / "notes.txt").touch()
    before = digests(photos)
    done = small(photos, tmp_path / "new")
    assert digests(photos) == before
    assert digests(tmp_path / "new").keys() == before.keys() - {"notes.txt"}
    assert (done.images, done.enlarged, done.left_out) == (7, 1, {"not-an-image-name": 1})
    for path in (tmp_path / "new").rglob("*.png"):
        with Image.open(path) as image:
            assert max(image.size) == 16


def test_the_same_bytes_come_however_many_work(photos, tmp_path):
    for jobs in (1, 3):
        wanted = Wanted(16, grayscale=True, jobs=jobs)
        resize_folder(photos, tmp_path / str(jobs), wanted, progress=Silent())
    assert digests(tmp_path / "1") == digests(tmp_path / "3")


def test_unreadable_files_are_named_and_not_written(photos, tmp_path):
    (photos / "circle/bad.png").write_bytes(b"no image")
    done = small(photos, tmp_path / "new")
    assert list(done.unreadable) == ["circle/bad.png"]
    assert "the content is none of JPEG" in done.unreadable["circle/bad.png"]
    assert not (tmp_path / "new/circle/bad.png").exists()


def test_nothing_but_unreadable_files_is_refused(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="expected images, got 1 files of which none can") as caught:
        small(tmp_path / "p", tmp_path / "new")
    assert caught.value.slug == "data/no-readable-image"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("place", ["photos", "photos/new", "photos/circle", "."])
def test_nothing_is_written_among_the_images(photos, tmp_path, place, force):
    before = digests(tmp_path)
    with pytest.raises(ConfigError, match=r"expected a folder apart|expected a new folder"):
        small(photos, tmp_path / place, force=force)
    assert digests(tmp_path) == before


def test_a_folder_that_is_there_is_written_into_only_with_force(photos, tmp_path):
    (tmp_path / "new/circle").mkdir(parents=True)
    (tmp_path / "new/mine").touch()
    with pytest.raises(ConfigError, match="expected a new folder, got one with something in it"):
        small(photos, tmp_path / "new")
    assert small(photos, tmp_path / "new", force=True).images == 6
    assert (tmp_path / "new/mine").exists()


def test_a_link_in_the_new_folder_leads_nowhere_else(photos, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/circle").symlink_to(photos / "circle")
    before = digests(photos)
    with pytest.raises(UnsafeInputError, match="got a link that leads out of it") as caught:
        small(photos, tmp_path / "new", force=True)
    assert caught.value.slug == "unsafe/outside-folder"
    assert digests(photos) == before


@pytest.mark.parametrize("longest", [0, -1, 10_001])
def test_a_side_that_cannot_be_is_refused(photos, tmp_path, longest):
    with pytest.raises(ConfigError, match="--max-size: expected from 1 to 10000") as caught:
        small(photos, tmp_path / "new", longest)
    assert caught.value.problems[0].slug == "cli/max-size"
