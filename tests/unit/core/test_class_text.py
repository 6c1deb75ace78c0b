import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.class_text import (
    classes_as_text,
    classes_of_text,
    nothing_of,
    separator_of,
)

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x1f"), min_size=1, max_size=6)
    .map(str.strip)
    .filter(bool),
    min_size=2,
    max_size=5,
    unique=True,
)


@given(NAMES, st.data())
def test_any_choice_of_classes_is_read_as_it_was_written(class_names, data):
    chosen = [name for name in class_names if data.draw(st.booleans())]
    assert classes_of_text(classes_as_text(chosen, class_names), class_names) == tuple(chosen)


@pytest.mark.parametrize(
    ("class_names", "sign"), [(("cat", "dog"), "|"), (("a|b", "c"), ";"), (("a|b;c$", "~"), " + ")]
)
def test_the_sign_between_names_is_in_none_of_them(class_names, sign):
    assert separator_of(class_names) == sign


def test_no_class_has_a_word_of_its_own():
    assert nothing_of(("cat", "dog")) == "(none)"
    assert nothing_of(("(none)", "dog")) == "((none))"
    assert classes_of_text("(none)", ("(none)", "dog")) == ("(none)",)


def test_spaces_and_empty_places_do_not_count():
    assert classes_of_text(" dog| cat||dog", ("cat", "dog")) == ("dog", "cat")
    assert classes_of_text("cow", ("cat", "dog")) == ("cow",)
