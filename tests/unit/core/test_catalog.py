from typing import Annotated

import pytest
from pydantic import Field

from fivefold.core.catalog import Catalog
from fivefold.core.errors import ConfigError


@pytest.fixture
def shapes():
    catalog = Catalog("shape")

    @catalog.add("round", best="max")
    def circle(logits, *, radius: Annotated[float, Field(gt=0)] = 1.0, filled: bool = False):
        """A circle.

        More.
        """
        return radius

    return catalog


def test_names_and_aliases_are_found_in_any_case(shapes):
    assert shapes.get("CIRCLE") is shapes.get("Round")
    assert shapes.names() == ["circle"]


def test_an_unknown_name_brings_the_closest(shapes):
    with pytest.raises(ConfigError, match="known shape, got 'circel'\n    did you mean 'circle'"):
        shapes.get("circel")


def test_a_name_like_no_other_brings_the_command_that_lists_all(shapes):
    with pytest.raises(ConfigError, match="`fivefold list shapes` names all of them") as error:
        shapes.get("zzzzz")
    assert error.value.slug == "config/unknown-name"


def test_options_are_the_keyword_only_parameters(shapes):
    component = shapes.get("circle")
    assert list(component.options.model_fields) == ["radius", "filled"]
    assert component.summary == "A circle."
    assert component.facts == {"best": "max"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {"radius": 1.0, "filled": False}),
        ({}, {"radius": 1.0, "filled": False}),
        (3, {"radius": 3.0, "filled": False}),
        ({"filled": True}, {"radius": 1.0, "filled": True}),
    ],
)
def test_a_value_without_names_is_the_first_option(shapes, value, expected):
    assert shapes.get("circle").check(value) == (expected, [])


def test_every_wrong_option_is_explained(shapes):
    _, complaints = shapes.get("circle").check({"radius": -1, "filed": True})
    assert [(c.path, c.message, c.hint) for c in complaints] == [
        (("radius",), "expected greater than 0, got -1", ""),
        (("filed",), "unknown key", "did you mean 'filled'?"),
    ]


def test_a_name_cannot_be_taken_twice(shapes):
    def other(logits):
        """Another."""

    with pytest.raises(ValueError, match="shape 'Circle' is already the name of 'circle'"):
        shapes.add(name="Circle")(other)
