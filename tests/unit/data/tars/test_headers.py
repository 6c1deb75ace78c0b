import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.tars.headers import TarHeader, read_header

KINDS = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.CONTTYPE)


def expected_of(block):
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return TarHeader(info.name, info.size, info.type)


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.integers(0, 2**40),
    st.sampled_from(KINDS),
    st.sampled_from((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT)),
    st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), max_size=3),
)
def test_headers_are_read_as_by_python_damaged_or_not(name, size, kind, form, damage):
    info = tarfile.TarInfo("folder/" * 16 + "/" + name)
    info.size, info.type = size if kind in tarfile.REGULAR_TYPES else 0, kind
    try:
        block = bytearray(info.tobuf(form)[-512:])
    except ValueError:  # too large for the old format
        return
    for place, value in damage:
        block[place] = value
    assert read_header(bytes(block)) == expected_of(bytes(block))


def test_old_folders_are_no_files():
    info = tarfile.TarInfo("a/")
    info.type = tarfile.AREGTYPE
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    block[0:3] = b"a/\0"
    total = sum(block) - sum(block[148:156]) + 256
    block[148:156] = b"%06o\0 " % total
    assert read_header(bytes(block)).kind == tarfile.DIRTYPE
    assert not read_header(bytes(block)).is_file


@pytest.mark.parametrize("block", [b"", b"x" * 511, bytes(512), b"x" * 512])
def test_what_is_no_header_is_none(block):
    assert read_header(block) is None
