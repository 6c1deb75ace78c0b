"""What options mean that several commands share."""

import pytest
import typer

from fivefold.cli.arguments import column_names


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (None, ()),
        (["kind"], ("kind",)),
        (["kind, colour", "site"], ("kind", "colour", "site")),
        (['"a,b",c'], ("a,b", "c")),
        ([""], ("",)),
    ],
)
def test_columns_are_named_with_commas_or_one_after_the_other(texts, names):
    assert column_names(texts, "--label-column") == names


@pytest.mark.parametrize("texts", [["a,b", "a"], ["a\nb"]])
def test_columns_that_are_no_list_of_names_are_refused(texts):
    with pytest.raises(typer.BadParameter, match="expected"):
        column_names(texts, "--label-column")
