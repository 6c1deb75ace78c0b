import gzip
import io
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tar_files import write_tar

from fivefold.core.errors import DataError
from fivefold.data.tars.members import read_tar

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def contents(path, index):
    data = path.read_bytes()
    found = {}
    for sample, ending, start, size in index.members.tolist():
        found[index.keys[sample], index.endings[ending]] = data[start : start + size]
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_members_of_one_key_are_one_sample(kind, tmp_path):
    members = [
        ("d/1.jpg", "one"),
        ("d/1.cls", "3"),
        ("./d/2.seg.png", "two"),
        ("d/2.cls", "4" * 999),
    ]
    index = read_tar(path := write_tar(tmp_path / "a.tar", members, kind=kind))
    assert list(index.keys) == ["d/1", "d/2"]
    assert contents(path, index) == {
        ("d/1", "jpg"): b"one",
        ("d/1", "cls"): b"3",
        ("d/2", "seg.png"): b"two",
        ("d/2", "cls"): b"4" * 999,
    }
    assert index.damaged_at == -1


@pytest.mark.parametrize("kind", FORMATS[1:])
def test_long_names_and_those_of_any_language_are_read(kind, tmp_path):
    name = "päth/" * 40 + "файл"
    path = write_tar(tmp_path / "a.tar", [(f"{name}.png", "x"), ("b.png", "y")], kind=kind)
    assert contents(path, read_tar(path)) == {(name, "png"): b"x", ("b", "png"): b"y"}


def test_members_far_apart_belong_together_and_the_last_of_a_name_counts(tmp_path):
    members = [("1.jpg", "old"), ("2.jpg", "b"), ("1.cls", "0"), ("2.cls", "1"), ("1.jpg", "new")]
    index = read_tar(path := write_tar(tmp_path / "a.tar", members))
    assert contents(path, index)["1", "jpg"] == b"new"
    assert len(index.members) == 4


def test_what_is_no_file_with_an_ending_is_passed_over(tmp_path):
    with tarfile.open(path := tmp_path / "a.tar", "w") as tar:
        folder = tarfile.TarInfo("d")
        folder.type = tarfile.DIRTYPE
        link = tarfile.TarInfo("d/1.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        for info in (folder, link, tarfile.TarInfo("README"), tarfile.TarInfo("d/._2.jpg")):
            tar.addfile(info)
        tar.addfile(tarfile.TarInfo("d/3.jpg"))
    assert list(read_tar(path).keys) == ["d/3"]


def test_a_cut_file_gives_what_is_whole_and_says_where_it_ends(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("1.jpg", "x" * 600), ("2.jpg", "y" * 600)])
    data = path.read_bytes()
    path.write_bytes(data[: 512 + 1024 + 100])
    index = read_tar(path)
    assert (list(index.keys), index.damaged_at) == (["1"], 1536)
    path.write_bytes(data[: 512 + 1024 + 512 + 100])
    assert list(read_tar(path).keys) == ["1", "2"]
    assert read_tar(path).damaged_at == 512 + 1024 + 512 + 100


def test_a_damaged_header_ends_the_walk(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("1.jpg", "x"), ("2.jpg", "y"), ("3.jpg", "z")])
    data = bytearray(path.read_bytes())
    data[1024 + 20] ^= 1
    path.write_bytes(data)
    index = read_tar(path)
    assert (list(index.keys), index.damaged_at) == (["1"], 1024)


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 99])
def test_what_is_no_tar_is_damaged_from_the_beginning(data, tmp_path):
    (tmp_path / "a.tar").write_bytes(data)
    index = read_tar(tmp_path / "a.tar")
    assert (len(index.keys), index.damaged_at) == (0, 0)


def test_compressed_files_are_refused(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(gzip.compress(b"x"))
    with pytest.raises(DataError, match="not compressed, got gzip") as error:
        read_tar(path)
    assert error.value.slug == "data/bad-shard"


def test_a_folder_is_no_tar_file(tmp_path):
    with pytest.raises(DataError, match="expected a tar file, got a folder"):
        read_tar(tmp_path)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_members_are_found_as_by_python(kind, tmp_path):
    rng = np.random.default_rng(0)
    names = [f"{k % 7}/{k}.{'jpg' if k % 2 else 'json'}" for k in range(50)]
    members = [
        (name, bytes(rng.integers(0, 256, k * 37, dtype=np.uint8))) for k, name in enumerate(names)
    ]
    path = write_tar(tmp_path / "a.tar", members, kind=kind)
    with tarfile.open(path) as tar:
        expected = sorted((info.offset_data, info.size) for info in tar)
    found = read_tar(path).members[["start", "size"]].tolist()
    assert sorted(found) == expected


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damage_leads_to_anything_but_an_index(tmp_path, data):
    file = io.BytesIO()
    with tarfile.open(
        fileobj=file, mode="w", format=data.draw(st.sampled_from(FORMATS[1:]))
    ) as tar:
        for name in ("a.jpg", "ä" * 90 + ".cls", "b.json"):
            info = tarfile.TarInfo(name)
            info.size = 10
            tar.addfile(info, io.BytesIO(b"x" * 10))
    content = bytearray(file.getvalue()[:8192])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.tar"
    path.write_bytes(content[: data.draw(st.integers(7, len(content)))])
    index = read_tar(path)
    assert index.damaged_at <= len(content)
    assert len(index.keys) <= len(index.members)
