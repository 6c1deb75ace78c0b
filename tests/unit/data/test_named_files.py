"""Files are found by ids, and never outside of their folder."""

import pytest

from fivefold.core.errors import UnsafeInputError
from fivefold.data.named_files import file_of, paths_of


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    (root / "deep").mkdir(parents=True)
    for name in ("a.png", "b.jpg", "b.png", "deep/c.JPG", "no-ending"):
        (root / name).touch()
    (tmp_path / "secret.png").touch()
    return root


@pytest.mark.parametrize(
    ("sample_id", "found"),
    [
        ("a.png", "a.png"),
        ("a", "a.png"),
        ("b", "b.png"),
        ("deep/c", "deep/c.JPG"),
        ("no-ending", "no-ending"),
        ("./deep//c", "deep/c.JPG"),
        ("not-there", "not-there"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_a_file_is_found_with_or_without_its_ending(folder, sample_id, found):
    assert list(paths_of(folder, [sample_id])) == [str(folder / found)]


def test_the_ending_that_is_asked_for_comes_first(folder):
    assert file_of(folder, "b", "jpg") == str(folder / "b.jpg")


def test_files_of_the_current_folder_have_no_folder_before_them(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (here,) = paths_of(type(folder)(), ["deep/c"])
    assert here == "deep/c.JPG"


def test_links_may_lead_anywhere_inside(folder):
    (folder / "link.png").symlink_to(folder / "a.png")
    (folder / "folder").symlink_to(folder / "deep", target_is_directory=True)
    ids = ["link.png", "folder/c.JPG", "a.png"]
    assert len(list(paths_of(folder, ids))) == 3


def test_links_that_lead_outside_are_refused_for_files_and_folders(folder):
    (folder / "file.png").symlink_to(folder.parent / "secret.png")
    (folder / "out").symlink_to(folder.parent, target_is_directory=True)
    with pytest.raises(UnsafeInputError, match=r"'file\.png', 'out/secret', '\.\./secret'"):
        list(paths_of(folder, ["a", "file.png", "out/secret", "../secret", "b"]))


def test_a_broken_link_is_named_and_may_not_point_outside(folder):
    (folder / "lost.png").symlink_to(folder / "nothing.png")
    (folder / "gone.png").symlink_to(folder.parent / "nothing.png")
    assert list(paths_of(folder, ["lost.png"])) == [str(folder / "lost.png")]
    with pytest.raises(UnsafeInputError, match=r"'gone\.png'"):
        list(paths_of(folder, ["lost.png", "gone.png"]))


def test_a_folder_of_an_ids_name_is_no_file(folder):
    (folder / "b.bmp").mkdir()
    (folder / "a").mkdir()
    assert list(paths_of(folder, ["a", "b"])) == [str(folder / "a.png"), str(folder / "b.png")]
