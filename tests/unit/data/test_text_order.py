import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from fivefold.data import text_order
from fivefold.data.packed import PackedTexts
from fivefold.data.text_order import TextIndex, first_alike, joined, order_of, sorted_texts

ANY = st.text(st.characters(exclude_categories=()), max_size=3)  # lone surrogates too
SOME = st.lists(st.one_of(ANY, st.text("ab", max_size=2)), max_size=40)


@pytest.fixture(autouse=True, params=[0, 1000])
def short_runs(monkeypatch, request):
    monkeypatch.setattr(text_order, "_RUN", 7)
    monkeypatch.setattr(text_order, "_MOST_BYTES", request.param)


@given(SOME)
def test_texts_are_sorted_as_python_sorts_them(texts):
    assert sorted_texts(iter(texts)) == tuple(sorted(texts))


@given(SOME)
def test_the_order_of_texts_sorts_them_and_keeps_equal_ones_in_place(texts):
    order = order_of(PackedTexts(texts))
    expected = sorted(range(len(texts)), key=texts.__getitem__)
    if order is None:
        assert sorted(set(texts)) == texts
    else:
        assert order.tolist() == expected


def test_texts_that_differ_in_zeros_at_their_end_are_in_order():
    assert order_of(["a\0\0", "b", "a", "a\0"]).tolist() == [2, 3, 0, 1]


@given(SOME)
def test_the_first_text_that_equals_each_is_found(texts):
    assert first_alike(PackedTexts(texts)).tolist() == [texts.index(text) for text in texts]


@given(SOME, ANY)
def test_a_text_is_found_where_it_is(texts, other):
    unique = list(dict.fromkeys(texts))
    index = TextIndex(PackedTexts(unique))
    assert [index.find(text) for text in unique] == list(range(len(unique)))
    assert index.find(other) == (unique.index(other) if other in unique else None)


def test_texts_of_one_mark_are_told_apart(monkeypatch):
    monkeypatch.setattr(text_order, "hash", len, raising=False)
    texts = ["a", "b", "a", "cc", "b", "c"]
    assert first_alike(texts).tolist() == [0, 1, 0, 3, 1, 5]
    index = TextIndex(["a", "b", "cc", "c"])
    assert [index.find(text) for text in ("c", "cc", "a", "d", "dd", "ddd")] == [
        3,
        2,
        0,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("seed", range(10))
def test_joined_places_are_the_connected_components(seed):
    rng = np.random.default_rng(seed)
    keys = [(rng.integers(20), rng.integers(25)) for _ in range(30)]
    shared = [[a == c or b == d for c, d in keys] for a, b in keys]
    _, component = connected_components(np.array(shared))
    firsts = [first_alike([str(key[k]) for key in keys]) for k in range(2)]
    assert joined(*firsts).tolist() == first_alike([str(c) for c in component]).tolist()
    assert joined(firsts[0]).tolist() == firsts[0].tolist()
