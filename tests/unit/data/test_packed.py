import hashlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data.packed import PackedDigests, PackedTexts


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.text("ab/"))
def test_texts_come_back_as_they_were(texts, prefix):
    given_texts = [prefix + text for text in texts]
    packed = PackedTexts(given_texts)
    assert (len(packed), list(packed)) == (len(given_texts), given_texts)
    assert packed[1:3] == tuple(given_texts[1:3])


def test_names_of_undecodable_bytes_come_back():
    names = [b"\xff\xfe.png".decode("utf-8", "surrogateescape"), "ä.png"]
    assert list(PackedTexts(names)) == names


def test_digests_come_back_as_they_were():
    digests = [hashlib.sha256(bytes([k])).hexdigest() for k in range(5)]
    packed = PackedDigests(digests)
    assert list(packed) == digests
    assert (packed[-1], packed[1:3]) == (digests[-1], tuple(digests[1:3]))


@pytest.mark.parametrize("packed", [PackedTexts([]), PackedDigests([])])
def test_there_is_nothing_in_nothing(packed):
    assert list(packed) == []
    with pytest.raises(IndexError, match="out of range"):
        packed[0]


def test_a_path_takes_little_more_than_its_own_part():
    paths = PackedTexts(f"/data/of/many/photos/{i:06d}.jpg" for i in range(1000))
    assert (sys.getsizeof(paths._block) + paths._ends.nbytes) / 1000 < 20
