import json

import pytest

from fivefold.core import durable
from fivefold.core.errors import ResourceError
from fivefold.core.sealed import write_sealed
from fivefold.core.sealed_long import read_sealed_long, write_sealed_long

ROWS = [{"z": 1, "a": 'ä\udcff\n"', "b": k} for k in range(1100)]
PAIRS = [(f"{k:04}\udcff", [k, "x", ""]) for k in range(1100)]
REST = [{}, {"a": 1, "listed": [1, 2], "used": {"x": None}}, {"z": "é"}]


@pytest.fixture(params=["list", "mapping"])
def entries(request):
    return ROWS if request.param == "list" else PAIRS


def whole(entries):
    return dict(entries) if entries and isinstance(entries[0], tuple) else entries


def read(path, version=3):
    found = []

    def take(part):
        found.extend(part.items() if isinstance(part, dict) else part)

    return read_sealed_long(path, "rows", take, version=version), found


@pytest.mark.parametrize("count", [0, 1, 2, 512, 513, 1100])
@pytest.mark.parametrize("rest", REST, ids=["none", "both", "after"])
def test_the_bytes_are_those_of_a_record_that_is_written_at_once(tmp_path, entries, rest, count):
    some = entries[:count]
    write_sealed(tmp_path / "whole", {**rest, "rows": whole(some)}, version=3)
    write_sealed_long(tmp_path / "long", rest, "rows", iter(some), version=3)
    assert (tmp_path / "long").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("count", [1, 2, 512, 513, 1100])
@pytest.mark.parametrize("rest", REST, ids=["none", "both", "after"])
def test_what_was_written_comes_back_some_at_a_time(tmp_path, entries, rest, count):
    write_sealed_long(tmp_path / "a", rest, "rows", entries[:count], version=3)
    assert read(tmp_path / "a") == (rest, entries[:count])


def loaded(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_whatever_line_is_edited_nothing_else_than_was_written_is_read(tmp_path, entries):
    write_sealed_long(tmp_path / "a", REST[1], "rows", entries[:3], version=3)
    text = (tmp_path / "a").read_text()
    lines = text.splitlines(keepends=True)
    for k in range(len(lines)):
        for edit in ("", lines[k].replace("1", "2"), lines[k] * 2, "}\n"):
            edited = "".join([*lines[:k], edit, *lines[k + 1 :]])
            (tmp_path / "a").write_text(edited)
            same = json.loads(text) == loaded(edited)
            found = read(tmp_path / "a")
            assert found == (REST[1], entries[:3]) if same else found[0] is None


@pytest.mark.parametrize("change", ["layout", "order", "format", "nothing", "deep", "bytes"])
def test_files_that_are_laid_out_otherwise_are_left_to_who_reads_all(tmp_path, change):
    path = tmp_path / "a"
    write_sealed_long(path, {}, "rows", ROWS[:3], version=4 if change == "format" else 3)
    record = json.loads(path.read_text())
    if change == "layout":
        path.write_text(json.dumps(record))
    if change == "order":
        path.write_text(json.dumps(dict(reversed(record.items())), indent=2))
    if change == "nothing":
        path.unlink()
    if change == "deep":
        path.write_text('{\n  "rows": [\n' + "[" * 200_000 + "\n    ],\n  ],\n")
    if change == "bytes":
        path.write_bytes(path.read_bytes().replace(b"format", b"f\xffrmat"))
    assert read(path)[0] is None


def test_entries_that_are_refused_are_left_to_who_reads_all(tmp_path):
    def take(_):
        msg = "not as it should be"
        raise ValueError(msg)

    write_sealed_long(tmp_path / "a", {}, "rows", ROWS[:3], version=3)
    assert read_sealed_long(tmp_path / "a", "rows", take, version=3) is None


def test_a_refusal_of_the_disk_leaves_the_old_file(tmp_path, monkeypatch):
    write_sealed_long(tmp_path / "a", {}, "rows", ROWS[:1], version=3)
    before = (tmp_path / "a").read_bytes()

    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", refuse)
    with pytest.raises(ResourceError, match="a: expected room on the disk") as error:
        write_sealed_long(tmp_path / "a", {}, "rows", ROWS, version=3)
    assert error.value.slug == "resource/disk-full"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == before


def test_a_key_that_sorts_after_the_seal_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a key that sorts before 'seal', got 'text'"):
        write_sealed_long(tmp_path / "a", {}, "text", ROWS, version=3)
