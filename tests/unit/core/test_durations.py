import pytest

from fivefold.core.durations import exactly, roughly


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")]
)
def test_what_took_some_time_is_told_exactly(seconds, text):
    assert exactly(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "1 s"), (89, "89 s"), (100, "2 min"), (5400, "1.5 h")]
)
def test_what_may_take_some_time_is_told_roughly(seconds, text):
    assert roughly(seconds) == text
