import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.apps.mask_files.naming import file_stems, folder_names, plain_name


@pytest.mark.parametrize(
    ("ids", "stems"),
    [
        (["a.jpg", "b.PNG"], ["a", "b"]),
        (["train/a.jpg", "test/a.jpg"], ["train/a", "test/a"]),
        (["a.jpg", "a.png", "c.png"], ["a.jpg", "a.png", "c"]),
        (["A.jpg", "a.jpg"], ["A.jpg", "a.jpg-2"]),
        (["scan.2024", "v1.5.tif", "noending", ".jpg"], ["scan.2024", "v1.5", "noending", "_jpg"]),
        (["../../etc/x.png", "/etc/x.png", r"C:\x.png"], ["_/_/etc/x", "etc/x", "C_/x"]),
        (["", ".", ".."], ["_", "_-2", "_-3"]),
        (["x.jpg", "x.png/y.jpg"], ["x-2", "x.png/y"]),
        (["a?.jpg", "a*.jpg"], ["a_.jpg", "a_.jpg-2"]),
    ],
)
def test_names_are_as_expected(ids, stems):
    assert file_stems(ids) == stems


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=12), unique=True))
def test_no_two_are_alike_and_none_lies_outside(ids):
    found = file_stems(ids)
    files = {f"{stem}.png".casefold() for stem in found}
    assert len(files) == len(ids)
    for stem in found:
        parts = stem.split("/")
        assert all(part.strip(". ") and part[0] != "." for part in parts)
        stem.encode("utf-8", "surrogateescape")
    folders = {
        "/".join(stem.casefold().split("/")[:k])
        for stem in found
        for k in range(1, stem.count("/") + 1)
    }
    assert not files & folders


def test_long_names_are_cut_and_stay_different(tmp_path):
    one, other = (plain_name("é" * 200 + end) for end in "ab")
    assert one != other
    for name in (one, other):
        (tmp_path / f"{name}.png").touch()


def test_bytes_that_are_no_text_stay():
    assert file_stems(["\udcff.png"]) == ["\udcff"]


def test_folders_of_classes():
    names = ["car", "Car", "a/b", "..", "x.y"]
    found = folder_names(names)
    assert found[0] == "car"
    assert found[1] == "Car-2"
    assert found[2] == "a_b"
    assert found[4] == "x.y"
    assert len({name.casefold() for name in found}) == 5
    assert all("/" not in name and not name.startswith(".") for name in found)
