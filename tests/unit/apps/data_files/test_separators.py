import pytest

from fivefold.apps.data_files.separators import parts_of, separator_for
from fivefold.core.errors import ConfigError, DataError


def test_each_label_of_a_cell_is_taken_once():
    assert parts_of("a$ b $$a", "$") == ["a", "b"]
    assert parts_of("a$b", None) == ["a$b"]


def test_the_first_usual_sign_that_no_name_has_is_taken():
    assert separator_for(["a", "b"], None) == "|"
    assert separator_for(["a|b", "c;d"], None) == "$"
    assert separator_for(["a", "b"], "$") == "$"


def test_a_sign_that_a_name_has_is_refused():
    with pytest.raises(DataError, match=r"class 'a\$b': expected a name without") as caught:
        separator_for(["c", "a$b"], "$")
    assert caught.value.slug == "data/separator"


def test_a_letter_is_refused_before_names_are_looked_at():
    with pytest.raises(ConfigError, match="expected a sign such as"):
        separator_for(["c"], "x")
