import json
from dataclasses import dataclass

import pytest

from fivefold.core.errors import StateError
from fivefold.core.sealed import read_sealed, write_sealed


@dataclass(frozen=True)
class Note:
    text: str
    numbers: tuple[float, ...]
    more: dict[str, object]


def write(path, **changes):
    record = {"text": "a\udcff", "numbers": (1, 1e-300, 0.1), "more": {10: None, 9: [True]}}
    return write_sealed(path, record | changes, version=3)


def read(path):
    return read_sealed(path, Note, version=3, hint="write it again")


def test_a_record_comes_back_as_json_has_it(tmp_path):
    write(tmp_path / "a")
    expected = Note("a\udcff", (1.0, 1e-300, 0.1), {"10": None, "9": [True]})
    assert read(tmp_path / "a") == expected


def test_the_same_record_gives_the_same_bytes(tmp_path):
    assert write(tmp_path / "a") == write(tmp_path / "b")


def places(value, path=()):
    """Yield the way to every value of a tree of JSON."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield from places(inner, (*path, key)) if isinstance(inner, dict | list) else [(*path, key)]


def edited(record, path, value):
    inner = record
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return record


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"z": 1}, float("nan")])
def test_an_edit_at_any_place_is_found(tmp_path, value):
    write(tmp_path / "a")
    text = (tmp_path / "a").read_text()
    for path in [p for p in places(json.loads(text)) if p]:
        (tmp_path / "a").write_text(json.dumps(edited(json.loads(text), path, value)))
        with pytest.raises(
            StateError, match=r"expected a record with the hash .*\n    write it aga"
        ):
            read(tmp_path / "a")


def test_an_additional_key_is_found(tmp_path):
    write(tmp_path / "a")
    record = json.loads((tmp_path / "a").read_text())
    (tmp_path / "a").write_text(json.dumps(record | {"other": 1}))
    with pytest.raises(StateError, match="expected a record with the hash") as error:
        read(tmp_path / "a")
    assert error.value.slug == "state/damaged"


def test_what_is_sealed_but_of_other_types_is_told_by_its_place(tmp_path):
    write(tmp_path / "a", numbers=[1, "x"])
    with pytest.raises(StateError, match=r"a: numbers\.1: expected a number, .*got 'x'") as error:
        read(tmp_path / "a")
    assert error.value.slug == "state/damaged"


def test_another_format_is_told(tmp_path):
    write_sealed(tmp_path / "a", {"text": "a"}, version=4)
    with pytest.raises(StateError, match="a: expected format 3, got one of another ver") as error:
        read(tmp_path / "a")
    assert error.value.slug == "state/format"


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "{}", "5", "", '{"seal": 5}'])
def test_what_is_no_record_of_ours_is_damage(tmp_path, text):
    (tmp_path / "a").write_text(text)
    with pytest.raises(StateError, match=r"a: expected a .*\n    write it again") as error:
        read(tmp_path / "a")
    assert error.value.slug == "state/damaged"


def test_every_depth_of_nesting_is_read_or_damage(tmp_path):
    for depth in range(100, 2000, 50):
        (tmp_path / "a").write_text('{"a":' + "[" * depth + "]" * depth + "}")
        with pytest.raises(StateError, match="a: expected a"):
            read(tmp_path / "a")
