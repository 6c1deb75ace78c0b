import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data.findings.spelling import misspelled, same_names


def distance(one, other):
    """Give the optimal string alignment distance, by its recursion."""
    table = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            steps = [table[i - 1, j] + 1, table[i, j - 1] + 1]
            steps.append(table[i - 1, j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and (one[i - 1], one[i - 2]) == (other[j - 2], other[j - 1]):
                steps.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(steps)
    return table[len(one), len(other)]


@given(st.lists(st.text("abc", min_size=4, max_size=6), min_size=2, max_size=6, unique=True))
def test_slips_are_the_pairs_one_step_apart(names):
    counts = [1 if k % 2 else 100 for k in range(len(names))]
    number = dict(zip(names, counts, strict=True))
    expected = {
        (rare, name)
        for rare in names
        for name in names
        if number[rare] < number[name] and distance(rare, name) == 1
    }
    assert set(misspelled(names, counts)) == expected


@pytest.mark.parametrize(
    "pair",
    [
        ("cat", "bat"),
        ("grade 1", "grade 2"),
        ("type a", "type b"),
        ("10000", "1000"),
        ("dog", "horse"),
    ],
)
def test_names_that_are_meant_to_differ_are_left_alone(pair):
    assert list(misspelled(pair, [1, 100])) == []


@pytest.mark.parametrize("wrong", ["caat", "Hosre", "hors ", "horsee", "house"])
def test_a_rare_slip_is_told_with_what_was_meant(wrong):
    names = ["cat", "horse", "elephant", wrong]
    expected = "cat" if wrong == "caat" else "horse"
    assert list(misspelled(names, [90, 80, 70, 2])) == [(wrong, expected)]


def test_two_frequent_names_are_two_classes():
    assert list(misspelled(["while", "white"], [50, 60])) == []


def test_names_of_one_form_are_put_together():
    names = ["cat", "Cat ", "caf\u00e9", "cafe\u0301", "dog"]
    assert list(same_names(names)) == [("cat", "Cat "), ("caf\u00e9", "cafe\u0301")]
