import pytest

from fivefold.engine.captions import SMALL, font, shortened, shortened_in_the_middle, wrapped


def test_what_fits_is_left_as_it_is():
    assert shortened("daisy", 204) == "daisy"
    assert shortened_in_the_middle("daisy/1.png", 204) == "daisy/1.png"
    assert wrapped("true: ", ["big", "blue"], " 0.93", 204) == ["true: big, blue 0.93"]


def test_of_a_long_id_both_ends_stay():
    text = shortened_in_the_middle("daisy/" + "picture of a meadow " * 9 + "0815.jpeg", 204)
    assert text.startswith("daisy/pict")
    assert text.endswith("0815.jpeg")
    assert text.count("…") == 1
    assert font(SMALL).getlength(text) <= 204


def test_a_very_long_id_is_not_shown_as_if_it_were_whole():
    assert "…" in shortened_in_the_middle("i" * 401, 100_000)


def test_several_labels_are_wrapped_between_names():
    lines = wrapped("✗ ", ["big", "blue", "round", "shiny", "striped"], " ≥ 0.99", 204)
    assert lines == ["✗ big, blue, round, shiny,", "striped ≥ 0.99"]


@pytest.mark.parametrize("count", [1, 2, 5, 1000])
@pytest.mark.parametrize("name", ["i", "moderately long", "W" * 300, "a\nb", "\udcff", ""])
def test_no_line_is_too_wide_and_the_end_is_never_cut_off(count, name):
    lines = wrapped("✗ ", [name] * count, " ≥ 0.51", 204)
    assert len(lines) <= 2
    assert max(map(font().getlength, lines)) <= 204
    assert lines[-1].endswith(" ≥ 0.51")
    assert lines[0].startswith("✗ ")
