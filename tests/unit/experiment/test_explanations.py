"""The small overlays of a run folder."""

import hashlib

import pytest

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.experiment.explanations import (
    Overlay,
    Overlays,
    read_overlays,
    read_picture,
    write_overlays,
)


def overlay(number, data, name="cat"):
    return Overlay(f"{number:02}.jpg", hashlib.sha256(data).hexdigest(), "", name, 0.75, 1)


def written(folder, pictures):
    samples = {name: overlay(k, data) for k, (name, data) in enumerate(pictures.items(), 1)}
    overlays = Overlays("gradcam", "layer4", 1, samples)
    write_overlays(folder, overlays, list(pictures.values()))
    return overlays


def test_what_is_written_is_read_in_its_order(tmp_path):
    folder = RunFolder.of(tmp_path)
    overlays = written(folder, {"z": b"first", "a": b"second", "ü/\n</script>": b"third"})
    found = read_overlays(folder)
    assert found == overlays
    assert list(found.samples) == ["z", "a", "ü/\n</script>"]
    assert read_picture(folder, found.samples["a"]) == b"second"


def test_a_run_without_overlays_has_none(tmp_path):
    assert read_overlays(RunFolder.of(tmp_path)) is None


def test_pictures_of_before_are_removed(tmp_path):
    folder = RunFolder.of(tmp_path)
    written(folder, {"a": b"1", "b": b"2"})
    written(folder, {"c": b"3"})
    names = sorted(path.name for path in (tmp_path / "explanations").iterdir())
    assert names == ["01.jpg", "explanations.json"]


def test_a_changed_picture_is_found(tmp_path):
    folder = RunFolder.of(tmp_path)
    overlays = written(folder, {"a": b"1"})
    (tmp_path / "explanations" / "01.jpg").write_bytes(b"other")
    with pytest.raises(StateError, match=r"01\.jpg: expected SHA-256"):
        read_picture(folder, overlays.samples["a"])


def test_a_changed_record_is_found(tmp_path):
    folder = RunFolder.of(tmp_path)
    written(folder, {"a": b"1"})
    text = folder.explanations_path.read_text().replace('"01.jpg"', '"../x.jpg"')
    folder.explanations_path.write_text(text)
    with pytest.raises(StateError, match=r"with the hash that it was written with, got another"):
        read_overlays(folder)
