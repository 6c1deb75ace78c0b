import io
import os
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tar_files import cats_and_dogs, png, write_tar

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import audit, table_of
from fivefold.data.audit import examine_headers
from fivefold.data.decode import Limits, decode, read_header
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.source import Labels
from fivefold.data.tars import ShardSource


def opened(tmp_path, members, **options):
    return ShardSource(write_tar(tmp_path / "a.tar", members), **options)


def targets(source):
    return [source.target(i).astype(int).tolist() for i in range(len(source))]


def test_samples_of_all_files_are_one_source(tmp_path):
    source = ShardSource(cats_and_dogs(tmp_path))
    assert source.sample_ids[3:5] == ("train-000000.tar/0003", "train-000001.tar/0004")
    assert source.labels == (Labels("", ("0", "1"), exclusive=True),)
    assert targets(source) == [[1, 0], [0, 1]] * 4
    np.testing.assert_array_equal(source.image(6), decode(png(6)))
    assert source.path(6) == str(tmp_path / "train-000001.tar")
    size = (tmp_path / "train-000001.tar").stat().st_size
    assert source.stamp(6).startswith(f"{size}:")


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for folder in ("x", "y"):
        write_tar(tmp_path / folder / "a.tar", [("1.png", png(1))])
    assert ShardSource(tmp_path / "{x,y}" / "a.tar").sample_ids == ("x/a.tar/1", "y/a.tar/1")


@pytest.mark.parametrize(
    ("values", "options", "names", "expected"),
    [
        ([{"label": "cat"}, {"label": "dog"}], {}, ("cat", "dog"), [[1, 0], [0, 1]]),
        ([{"x": 10}, {"x": 9}], {"label": "x"}, ("9", "10"), [[0, 1], [1, 0]]),
        ([{"labels": ["b", "a"]}, {"labels": []}], {}, ("a", "b"), [[1, 1], [0, 0]]),
        ([{"label": "a|b"}, {"label": "b"}], {"separator": "|"}, ("a", "b"), [[1, 1], [0, 1]]),
        ([3, 1], {"label": "json"}, ("1", "3"), [[0, 1], [1, 0]]),
    ],
)
def test_labels_may_be_in_json(values, options, names, expected, tmp_path):
    members = [
        (f"{k}.{what}", v)
        for k, v in enumerate(values)
        for what, v in (("png", png(k)), ("json", v))
    ]
    source = opened(tmp_path, members, **options)
    several = isinstance(values[0], dict) and ("labels" in values[0] or "separator" in options)
    assert source.labels == (Labels("", names, exclusive=not several),)
    assert targets(source) == expected


def test_a_class_in_a_text_comes_before_json(tmp_path):
    members = [("1.png", png(1)), ("1.cls", " 7\n"), ("1.json", {"caption": "a cat"})]
    assert opened(tmp_path, members).labels[0].class_names == ("7",)


def test_samples_that_cannot_be_used_are_named(tmp_path):
    members = [("1.png", png(1)), ("1.cls", "0"), ("2.cls", "1"), ("3.png", png(3))]
    members += [("4.png", png(4)), ("4.cls", b"\xff\xfe"), ("5.png", png(5)), ("5.cls", "")]
    source = opened(tmp_path, members)
    assert source.sample_ids == ("a.tar/1",)
    assert sorted(source.excluded) == [
        ("a.tar/2", "no-image"),
        ("a.tar/3", "no-label"),
        ("a.tar/4", "damaged-label"),
        ("a.tar/5", "no-label"),
    ]


def test_a_cut_file_loses_what_was_cut_and_says_so(tmp_path):
    pattern = cats_and_dogs(tmp_path, shards=1, per_shard=8)
    path = tmp_path / "train-000000.tar"
    starts = sorted(ShardSource(pattern)._starts.tolist())
    data = path.read_bytes()
    path.write_bytes(data[: starts[-1] + 20])
    source = ShardSource(pattern)
    found = audit(source, folds=3, progress=Silent())
    assert (found.used, found.listed) == (7, 9)
    text = "1 tar file damaged or cut off, 1 without a label; namely"
    assert any(text in warning for warning in found.warnings)


def test_an_image_beyond_the_end_of_its_file_is_set_aside(tmp_path):
    members = [("1.cls", "0"), ("2.cls", "1"), ("1.png", png(1)), ("2.png", png(2))]
    path = write_tar(tmp_path / "a.tar", members)
    start = int(ShardSource(path)._starts[1])
    path.write_bytes(path.read_bytes()[: start + 10])
    source = ShardSource(path)
    with pytest.raises(ImageProblem, match=r"its tar file ends .* bytes before the image") as error:
        source.fetch(1)
    assert error.value.reason == Reason.TRUNCATED
    assert source.excluded == ((f"a.tar from byte {start + 10} on", "damaged-shard"),)


def test_an_image_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    source = opened(tmp_path, [("1.png", png(1)), ("1.cls", "0")])
    monkeypatch.setattr("fivefold.data.tars.source.DEFAULT_LIMITS", Limits(max_bytes=50))
    with pytest.raises(ImageProblem, match=r"bytes, at most 50 are read") as error:
        source.fetch(0)
    assert error.value.reason == Reason.TOO_LARGE


def test_a_damaged_image_is_set_aside_by_the_audit(tmp_path):
    pattern = cats_and_dogs(tmp_path, per_shard=6)
    path = tmp_path / "train-000000.tar"
    data = bytearray(path.read_bytes())
    start = int(ShardSource(pattern)._starts[2])
    data[start : start + 60] = bytes(60)
    path.write_bytes(data)
    found = audit(ShardSource(pattern), folds=2, progress=Silent())
    assert (found.used, found.quarantined) == (11, 1)


def test_a_file_that_has_gone_is_a_missing_image(tmp_path):
    source = ShardSource(cats_and_dogs(tmp_path))
    (tmp_path / "train-000001.tar").unlink()
    with pytest.raises(ImageProblem, match="no such tar file any more"):
        source.image(7)
    assert source.stamp(7) == ""
    assert source.image(0).shape == (6, 8, 3)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x", "a/../../b"])
def test_names_that_lead_outside_are_only_names(name, tmp_path):
    source = opened(tmp_path, [(f"{name}.png", png(1)), (f"{name}.cls", "0")])
    assert source.sample_ids == (f"a.tar/{name}",)
    np.testing.assert_array_equal(source.image(0), decode(png(1)))
    assert source.path(0) == str(tmp_path / "a.tar")


def test_two_images_of_a_sample_need_a_choice(tmp_path):
    members = [("1.left.png", png(1)), ("1.right.png", png(2)), ("1.cls", "0")]
    text = r"'1': expected one image for each sample, got left\.png and right\.png\n.*image_column"
    with pytest.raises(DataError, match=text) as error:
        opened(tmp_path, members)
    assert error.value.slug == "data/bad-shard"
    source = opened(tmp_path, members, image_ending="right.png")
    np.testing.assert_array_equal(source.image(0), decode(png(2)))


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ({"label": 1.5}, {}, r"a\.tar: 1\.json: label: expected a class by its name .*, got 1\.5"),
        ({"label": True}, {}, "label: expected a class by its name or number, got True"),
        ({"kind": "cat"}, {}, r"expected a key with the label, such as 'label', got \['kind'\]"),
        ({"kind": "cat"}, {"label": "kinds"}, r"expected the key 'kinds', got none\n.*'kind'"),
    ],
)
def test_json_that_says_something_else_is_refused(value, options, text, tmp_path):
    with pytest.raises(DataError, match=text) as error:
        opened(tmp_path, [("1.png", png(1)), ("1.json", value)], **options)
    assert error.value.slug == "data/shard-labels"


def test_labels_that_are_nowhere_are_answered_with_what_is_there(tmp_path):
    text = r"members with labels that end in 'clas', got none\n.*did you mean 'cls'"
    with pytest.raises(DataError, match=text):
        opened(tmp_path, [("1.png", png(1)), ("1.cls", "0")], label="clas")


def test_files_without_images_are_refused(tmp_path):
    with pytest.raises(DataError, match="expected at least 1 image, got none in 1 tar file: 1 "):
        opened(tmp_path, [("1.cls", "0")])


def test_images_alone_have_no_labels(tmp_path):
    source = opened(tmp_path, [("1.png", png(1))])
    assert (source.labels, source.target(0)) == ((), None)


def test_a_table_is_made_of_it(tmp_path):
    source = ShardSource(cats_and_dogs(tmp_path))
    table = table_of(source, audit(source, folds=2, progress=Silent()))
    assert [table.label_text(row) for row in range(4)] == ["0", "1", "0", "1"]


def test_a_pipe_is_refused_and_nobody_waits(tmp_path):
    os.mkfifo(tmp_path / "a.tar")
    with pytest.raises(
        DataError, match=r"a\.tar: expected a tar file, got a pipe, socket or device"
    ):
        ShardSource(tmp_path / "a.tar")
    with pytest.raises(DataError, match="expected a tar file, got a folder"):
        ShardSource(tmp_path)


def test_files_without_a_sample_say_why(tmp_path):
    members = [("1.png", png(1)), ("1.cls", b""), ("2.cls", b"cat")]
    found = "got none in 1 tar file: 1 without an image, 1 without a label; namely 'a.tar/2', "
    with pytest.raises(DataError, match=re.escape(found)) as error:
        opened(tmp_path, members)
    assert error.value.slug == "data/bad-shard"
    (tmp_path / "a.tar").write_bytes(b"no tar file at all")
    with pytest.raises(
        DataError, match=r"1 tar file damaged or cut off; namely 'a\.tar from byte 0"
    ):
        ShardSource(tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("label", "rule"), [(b'{"label": " "}', "no-label"), (b'{"label": "\\ud800"}', "damaged-label")]
)
def test_labels_of_blanks_or_of_halves_of_signs_are_none(label, rule, tmp_path):
    members = [("1.png", png(1)), ("1.json", b'{"label": "cat"}')]
    source = opened(tmp_path, [*members, ("2.png", png(2)), ("2.json", label)])
    assert source.excluded == (("a.tar/2", rule),)
    assert source.labels[0].class_names == ("cat",)


def of_kind(image, name, **options):
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def test_headers_are_those_of_the_same_files_on_their_own(tmp_path):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    turned = Image.Exif()
    turned[0x112] = 6
    contents = {
        "1.jpg": of_kind(image, "JPEG", exif=turned),
        "2.png": of_kind(image.convert("L"), "PNG"),
        "3.webp": of_kind(image, "WEBP"),
        "4.gif": of_kind(image, "GIF"),
        "5.jpg": of_kind(image, "JPEG", comment=b"x" * 9000),
    }
    source = opened(tmp_path, list(contents.items()))
    for i, (name, content) in enumerate(contents.items()):
        (tmp_path / name).write_bytes(content)
        alone = read_header(tmp_path / name)
        assert source.header(i) == replace(alone, stamp=source.stamp(i))


@pytest.mark.parametrize("content", [b"", b"no image", png(1)[:20]])
def test_headers_tell_what_is_no_image(tmp_path, content):
    source = opened(tmp_path, [("1.png", png(1)), ("2.png", content), ("3.png", png(3))])
    (tmp_path / "2.png").write_bytes(content)
    with pytest.raises(ImageProblem, match=r"bytes|image|cut") as alone:
        read_header(tmp_path / "2.png")
    with pytest.raises(ImageProblem, match=re.escape(str(alone.value))) as error:
        source.header(1)
    assert error.value.reason == alone.value.reason
    assert source.header(2).height == 6


def test_an_audit_of_headers_decodes_no_member(tmp_path, monkeypatch):
    source = ShardSource(cats_and_dogs(tmp_path))
    monkeypatch.setattr("fivefold.data.tars.source.decode_sized", None)
    found = examine_headers(source, folds=2, progress=Silent())
    assert (found.audit.used, found.refusals) == (8, [])
    assert set(map(tuple, found.audit.rows.sizes.tolist())) == {(6, 8)}
