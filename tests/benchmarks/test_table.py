import math

import pytest

from benchmarks.table import Goal, Row, allowance, best_peer, markdown, number, plain


def row(**more):
    values = {"ours": 50.0, "peer": 100.0, "peer_name": "timm", **more}
    return Row("time", "s", Goal("ratio", "most", 0.6), **values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "-"),
        (0, "0"),
        (0.6, "0.6"),
        (0.02, "0.02"),
        (0.01234, "0.0123"),
        (2.0, "2"),
        (12.345, "12.35"),
        (10.0, "10"),
        (100.0, "100"),
        (8000, "8,000"),
        (62800.4, "62,800"),
    ],
)
def test_numbers_have_about_three_digits(value, text):
    assert number(value) == text


def test_ratio_is_ours_divided_by_the_best_peers():
    assert row().ratio == 0.5


def test_ratio_without_a_peer_is_unknown():
    assert math.isnan(row(peer=math.nan).ratio)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(50.0, "reached"), (60.0, "reached"), (61.0, "missed"), (math.nan, "not run")],
)
def test_verdict_of_a_ratio_that_must_be_small(ours, verdict):
    assert row(ours=ours).verdict == verdict


def test_verdict_of_a_value_that_must_be_large():
    goal = Goal("ours", "least", 8000)
    assert Row("loading", "img/s", goal, ours=8000).verdict == "reached"
    assert Row("loading", "img/s", goal, ours=7999).verdict == "missed"


def test_row_whose_ratio_is_unknown_reaches_nothing():
    assert row(peer=math.nan, void="no peer was run").verdict == "not run: no peer was run"


def test_void_row_says_why_instead_of_a_verdict():
    assert row(void="accuracy 90.0% against 99.0%").verdict == "void: accuracy 90.0% against 99.0%"


def test_fastest_peer_is_compared():
    assert best_peer(0.95, {"a": (30.0, 0.95), "b": (20.0, 0.95)}) == ("b", "")


def test_less_accurate_peer_is_not_compared():
    assert best_peer(0.95, {"a": (30.0, 0.95), "b": (20.0, 0.93)}) == ("a", "")


def test_peer_within_one_and_a_half_points_is_compared():
    assert best_peer(0.95, {"a": (30.0, 0.95), "b": (20.0, 0.936)}) == ("b", "")


def test_more_accurate_fastest_peer_makes_the_row_void():
    assert best_peer(0.95, {"b": (20.0, 0.97)}) == ("b", "accuracy 95.0% against 97.0%")


def test_row_is_void_where_no_peer_is_as_accurate():
    assert best_peer(0.95, {"b": (20.0, 0.5)}) == ("", "no peer is as accurate")


def test_accuracy_does_not_count_where_there_is_none():
    assert best_peer(math.nan, {"a": (3.0, math.nan), "b": (2.0, math.nan)}) == ("b", "")


def test_markdown_has_one_line_for_each_row_and_a_dash_for_what_is_unknown():
    assert markdown([row()]).splitlines() == [
        "| metric | ours | best peer | ratio | goal | limit | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| time, s | 50 | 100 (timm) | 0.5 | ≤ 0.6× | - | reached |",
    ]


def test_columns_of_the_plain_table_are_aligned():
    first, second = plain([row()]).splitlines()
    assert first.index("verdict") == second.index("reached")


def test_allowance_is_one_and_a_half_points_for_many_pictures():
    assert allowance(0.98, 800) == 0.015


def test_allowance_grows_where_chance_alone_makes_more():
    assert allowance(0.5, 25) == pytest.approx(0.2)
    assert best_peer(0.95, {"b": (20.0, 0.90)}, 20) == ("b", "")
