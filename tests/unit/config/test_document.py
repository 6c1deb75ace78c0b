import math
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fivefold.config.document import MAX_NODES, read
from fivefold.config.nodes import child, plain, walk
from fivefold.config.scalars import resolve
from fivefold.core.errors import ConfigError, UnsafeInputError

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def values(text):
    return plain(read(text, "config.yaml")[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-.5", -0.5),
        ("+1.", 1.0),
        ("010", 10),
        ("0o17", 15),
        ("0xFf", 255),
        ("True", True),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("1_000", "1_000"),
        ("1e", "1e"),
        ("9" * 400, "9" * 400),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize("text", [".nan", "-.inf", "1e999"])
def test_what_is_no_finite_number_is_refused(text):
    assert not math.isfinite(resolve(text))
    with pytest.raises(ConfigError, match=r"config\.yaml:1:5: expected a finite number"):
        read(f"lr: {text}", "config.yaml")


PLAIN = st.text("abcxyz", min_size=1, max_size=5)
TREES = st.recursive(
    st.integers() | st.booleans() | st.none() | PLAIN | st.floats(-1e6, 1e6).map(lambda x: x + 0.5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(PLAIN.filter(lambda key: key != "y"), TREES, max_size=5))
def test_values_equal_those_of_another_parser(tree):
    assert values(yaml.safe_dump(tree, allow_unicode=True)) == tree


def test_places_point_at_values():
    root, _ = read("a: 1\nb:\n  - c: x\n    d:\n      e: 2\n", "f.yaml")

    assert walk(root, ["a"])[-1].where("f.yaml") == "f.yaml:1:4"
    assert walk(root, ["b"])[-1].where("f.yaml") == "f.yaml:2:1"
    assert walk(root, ["b", 0, "d", "e"])[-1].where("f.yaml") == "f.yaml:5:10"


def test_items_of_a_list_are_found_by_name():
    root, _ = read("[Fliplr, Affine: {rotate: 3}]", "f.yaml")

    assert child(root, "Fliplr").where("f.yaml") == "f.yaml:1:2"
    assert walk(root, ["Affine", "rotate"])[-1].value == 3


def test_key_set_twice_says_where_it_was_first():
    _, (problem,) = read("lr: 1\nbatch: 2\nlr: 3\n", "f.yaml")

    assert problem.slug == "config/duplicate-key"
    assert str(problem) == "f.yaml:3:1: lr: set twice\n    first set on line 1"


@pytest.mark.parametrize(
    "text",
    ["a: !!python/object/apply:os.system [ls]", "!x {}", "a: !!str 3", "a: !!null [1]", "[! x]"],
)
def test_tags_are_refused(text):
    with pytest.raises(UnsafeInputError, match=r"f\.yaml:1:\d+: expected a value without") as error:
        read(text, "f.yaml")
    assert error.value.slug == "unsafe/yaml-tag"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(LAUGHS, 0.5), ("[" * 5000, 3), ("a: " + "x" * 1_000_001, 0.5), ("- " * 200, 3)],
)
def test_hostile_sizes_are_refused_at_once(text, seconds):
    started = time.process_time()
    with pytest.raises(UnsafeInputError, match="expected at most") as error:
        read(text, "f.yaml")
    assert error.value.slug == "unsafe/yaml-limits"
    assert time.process_time() - started < seconds


def test_aliases_count_with_what_they_stand_for():
    row = "[" + ", ".join("x" * 300) + "]"
    aliases = ", ".join(["*a"] * (MAX_NODES // 301))
    with pytest.raises(UnsafeInputError, match="at most 100,000 values"):
        read(f"a: &a {row}\nb: [{aliases}]", "f.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]", r"1:8: expected an anchor that stands before, got \*a"),
        ("<<: {a: 1}", "1:1: expected a name as key, got the merge key"),
        ("? [a]\n: 1", "1:3: expected a name as key, got a list"),
        ("a: 1\n---\nb: 2", "2:1: expected one YAML document, got several"),
        ("a: 'x", "1:6: expected YAML, got an error: found unexpected end of stream"),
        ("a: \x00", "1:1: expected YAML, got an error: special characters are not allowed"),
        ('a: "\\ud800"', "1:4: expected Unicode text"),
        ("%YAML 9.9\n---\na: 1", "1:1: expected YAML, got an error: found incompatible YAML"),
    ],
)
def test_what_is_not_yaml_names_line_and_column(text, message):
    with pytest.raises(ConfigError, match=rf"f\.yaml:{message}") as error:
        read(text, "f.yaml")
    assert error.value.slug == "config/syntax"
