import copy
import hashlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fivefold.data.packed import (
    ChosenTexts,
    GatheredTexts,
    JoinedTexts,
    PackedDigests,
    PackedTexts,
    WrappedTexts,
    chosen,
    packed,
    packed_beside,
    packed_digests,
    small,
)

ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates too
MANY = ["", *(f"cat/{i:06d}.jpg" for i in range(200)), "dog/x.png"]


@given(st.lists(ANY), st.text("ab/"), st.text(".jpg"))
def test_texts_come_back_as_they_were(texts, prefix, suffix):
    known = [prefix + text + suffix for text in texts]
    found = PackedTexts(known)
    assert (len(found), list(found), found) == (len(known), known, tuple(known))
    assert [found[k] for k in range(len(known))] == known
    assert found[1:3] == tuple(known[1:3])
    assert copy.deepcopy(found) == found


@pytest.mark.parametrize("count", [63, 64, 65, 128, 202])
def test_texts_of_several_blocks_come_back(count):
    found = PackedTexts(MANY[:count])
    assert list(found) == [found[k] for k in range(count)] == MANY[:count]
    assert (found[0], found[-1], found[62:66]) == (
        MANY[0],
        MANY[count - 1],
        (*MANY[:count][62:66],),
    )


def test_names_of_undecodable_bytes_come_back():
    names = [b"\xff\xfe.png".decode("utf-8", "surrogateescape"), "ä.png", "\udcc3", "\udcc3\udca9"]
    assert list(PackedTexts(names)) == names


def test_texts_are_as_equal_as_tuples_are():
    texts = PackedTexts(["a", "b"])
    assert texts == ("a", "b")
    assert texts == WrappedTexts(texts, "", "")
    assert texts not in (("a",), ("a", "c"), ["a", "b"])
    assert (hash(texts), repr(texts)) == (hash(("a", "b")), repr(("a", "b")))


@given(st.data())
def test_chosen_texts_are_those_at_the_rows(data):
    rows = data.draw(arrays(np.int64, st.integers(0, 9), elements=st.integers(0, len(MANY) - 1)))
    expected = tuple(MANY[row] for row in rows)
    assert chosen(PackedTexts(MANY), rows) == chosen(tuple(MANY), rows) == expected


def test_a_first_id_without_a_letter_is_found_nowhere():
    assert packed_beside(["/x/", "/x/a"], PackedTexts(["", "a"])) == ("/x/", "/x/a")


def test_all_texts_in_their_order_are_not_chosen_again():
    texts = PackedTexts(MANY)
    assert chosen(texts, np.arange(len(MANY))) is texts
    assert packed(texts) is texts
    assert isinstance(chosen(texts, np.arange(len(MANY))[::-1]), ChosenTexts)


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        ([f"/data/{name}" for name in MANY[1:]], WrappedTexts),
        ([f"/cat/{name}.png" for name in MANY[1:]], WrappedTexts),
        ([f"/data/{name}" for name in [*MANY[1:-1], "other"]], PackedTexts),
        (["/data/x.png" for _ in MANY[1:]], PackedTexts),
    ],
)
def test_paths_made_of_ids_are_wrapped_ids(paths, kind):
    found = packed_beside(iter(paths), PackedTexts(MANY[1:]))
    assert (list(found), type(found)) == (paths, kind)


def test_digests_come_back_as_they_were():
    digests = [hashlib.sha256(bytes([k])).hexdigest() for k in range(5)]
    found = PackedDigests(iter(digests))
    assert [found[k] for k in range(len(digests))] == list(found)
    assert list(found) == digests
    assert (found[-1], found[1:3]) == (digests[-1], tuple(digests[1:3]))
    assert list(PackedDigests(["", digests[0]])) == ["", digests[0]]


@pytest.mark.parametrize(
    "nothing",
    [PackedTexts([]), PackedDigests([]), packed_beside([], PackedTexts([]))],
)
def test_there_is_nothing_in_nothing(nothing):
    assert list(nothing) == []
    with pytest.raises(IndexError, match="out of range"):
        nothing[0]


@given(arrays(np.int64, st.integers(0, 5)))
def test_small_numbers_are_the_same_numbers(numbers):
    assert small(numbers).tolist() == numbers.tolist()


@pytest.mark.parametrize(("high", "num_bytes"), [(255, 1), (256, 2), (65536, 4), (2**32, 8)])
def test_small_numbers_take_as_few_bytes_as_they_can(high, num_bytes):
    assert small(np.array([0, high])).itemsize == num_bytes
    assert small(np.array([-1, 127])).itemsize == 1


def test_a_path_takes_little_more_than_its_own_part():
    paths = PackedTexts(f"/data/of/many/photos/{i:06d}.jpg" for i in range(6400))
    assert len(pickle.dumps(paths)) / 6400 < 6


@given(st.lists(st.text(), max_size=20), st.integers(1, 7))
def test_joined_texts_are_those_of_all_parts(texts, size):
    parts = [PackedTexts(texts[k : k + size]) for k in range(0, len(texts), size)]
    found = JoinedTexts(parts)
    assert (len(found), list(found), found[1:4]) == (len(texts), texts, tuple(texts[1:4]))


@pytest.mark.parametrize("count", [0, 1, 4096, 4097, 9000])
def test_texts_that_come_one_by_one_are_all_there(count):
    gathered = GatheredTexts(PackedTexts)
    for k in range(count):
        gathered.add(str(k))
    assert gathered.done() == tuple(map(str, range(count)))


DIGEST = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("odd", ["", "0" * 64, DIGEST.upper(), DIGEST[:-1], "x", DIGEST + "\n"])
def test_what_is_no_digest_comes_back_too(odd):
    found = packed_digests([DIGEST, odd])
    assert list(found) == [DIGEST, odd]
    assert isinstance(found, PackedDigests) == (odd == "")


@pytest.mark.parametrize("paths", [["a"], ["a", "b", "c"]])
def test_other_numbers_of_paths_and_ids_are_a_defect(paths):
    with pytest.raises(ValueError, match="argument"):
        packed_beside(paths, PackedTexts(["a", "b"]))
