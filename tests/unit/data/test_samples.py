import hashlib

import numpy as np
import pytest

from fivefold.data.samples import SampleTable
from fivefold.data.source import Labels


def table(count=6, **changes):
    facts = {
        "ids": tuple(f"s{i}" for i in range(count)),
        "indices": np.arange(count),
        "targets": np.eye(2, dtype=np.float32)[np.arange(count) % 2],
        "labels": (Labels("", ("cat", "dog"), exclusive=True),),
        "groups": tuple(f"s{i}" for i in range(count)),
        "digests": tuple(f"d{i}" for i in range(count)),
    }
    return SampleTable(**(facts | changes))


def test_the_fingerprint_ignores_the_order():
    assert table().take([3, 1, 0, 2, 5, 4]).fingerprint == table().fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"ids": ("x", *(f"s{i}" for i in range(1, 6)))},
        {"digests": ("x", *(f"d{i}" for i in range(1, 6)))},
        {"targets": np.eye(2, dtype=np.float32)[[1, 1, 0, 1, 0, 1]]},
    ],
)
def test_the_fingerprint_notices_every_change(changes):
    assert table(**changes).fingerprint != table().fingerprint


@pytest.mark.parametrize("exclusive", [True, False])
def test_marks_are_ids_digests_and_labels_in_the_order_of_the_ids(exclusive):
    rng, count = np.random.default_rng(0), 5_000
    one = np.eye(3, dtype=np.float32)[rng.integers(3, size=count)]
    other = one if exclusive else rng.integers(0, 2, (count, 3)).astype(np.float32)
    labels = (
        Labels("a", ("x", "y", "z"), exclusive=exclusive),
        Labels("b", ("p", "q", "r"), exclusive=True),
    )
    facts = {"labels": labels, "targets": np.concatenate([other, one], axis=1)}
    mixed = table(count, **facts, ids=tuple(f"{k}" for k in rng.permutation(count)))
    rows = sorted(range(count), key=mixed.ids.__getitem__)
    expected = [(mixed.ids[row], mixed.digests[row], mixed.label_text(row)) for row in rows]
    assert list(mixed.marks()) == expected
    text = "".join("\x1f".join(mark) + "\x1e" for mark in expected)
    assert mixed.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_marks_without_labels_have_none():
    assert list(table(2, targets=None, labels=()).marks()) == [("s0", "d0", ""), ("s1", "d1", "")]
    assert list(table(1, labels=()).marks()) == [("s0", "d0", "")]


def test_ranks_are_the_places_in_the_order_of_ids():
    assert table(ids=("b", "a10", "c", "a9", "B", "")).ranks.tolist() == [4, 2, 5, 3, 1, 0]


def test_rows_are_taken_by_mask_and_by_number():
    mask = np.array([False, True, False, False, True, False])
    assert table().take(mask).ids == table().take([1, 4]).ids == ("s1", "s4")
    assert table().take([4, 1]).targets.tolist() == [[1, 0], [0, 1]]


def test_labels_are_written_as_text():
    labels = (Labels("a", ("x", "y"), exclusive=False), Labels("b", ("p", "q"), exclusive=True))
    targets = np.array([[1, 1, 0, 1], [0, 0, 1, 0]], dtype=np.float32)
    both = table(2, targets=targets, labels=labels)
    assert [both.label_text(row) for row in range(2)] == ["x|y;q", ";p"]
    assert both.without_labels().label_text(0) == ""
