from pathlib import Path

import pytest

from fivefold.augment import folders_in, located

INSIDE = [
    lambda named: ("BackgroundReplacer", named),
    lambda named: ("Sometimes", {"p": 0.5, "then": {"BackgroundReplacer": named}}),
    lambda named: ("OneOf", ["Fliplr", {"Sequential": [{"backgroundreplacer": named}]}]),
    lambda named: ("SomeOf", {"n": 1, "children": [{"Background Augmenter": named}]}),
]


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("around", [lambda path: path, lambda path: {"path": path, "rate": 0.5}])
def test_relative_folders_begin_where_the_config_lies_at_any_depth(tmp_path, inside, around):
    items = [("Fliplr", 0.5), inside(around("beaches"))]
    found = located(items, tmp_path)
    assert found == [("Fliplr", 0.5), inside(around(str(tmp_path / "beaches")))]
    assert folders_in(found) == [tmp_path / "beaches"]
    assert items == [("Fliplr", 0.5), inside(around("beaches"))]


def test_what_is_absolute_or_at_home_or_written_as_on_windows_is_found(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        for written in (str(tmp_path / "a" / "b"), "~/a/b", "..\\a\\b", ".\\..\\a\\b"):
            (folder,) = folders_in(located([("BackgroundReplacer", written)], tmp_path / "a"))
            assert folder.resolve() == (tmp_path / "a" / "b").resolve()


@pytest.mark.parametrize("value", [None, 3, {"path": 3}, {"rate": 0.5}, [], "", {}])
def test_what_is_wrong_stays_for_the_check(value):
    items = [("BackgroundReplacer", value), ("NoSuchThing", {"path": "a"}), ("OneOf", value)]
    found = located(items, Path("here"))
    assert found[1:] == items[1:]
    assert value == "" or found == items
