"""Parts of users' own: where they stand, and what is said of them."""

import functools
import inspect
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fivefold.core import errors
from fivefold.core.catalog import Catalog
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.own_parts import Part, is_own, is_users_file, place_of, shape_text

HERE = Path(__file__)


def line_of(thing, more=0):
    return f"{HERE}:{inspect.getsourcelines(thing)[1] + more}"


def part(function, **facts):
    return Part("thing", "mine", function, facts)


def decorated(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@decorated
def plain(a, b):
    return a[b]


class WithInit:
    name = "x"

    def other(self):
        pass

    def __init__(self):
        pass


@dataclass
class Bare:
    patience: int = 3


@dataclass
class WithMethod:
    patience: int = 3

    def run(self):
        return self.patience


def test_the_place_is_where_the_user_wrote_it():
    assert place_of(plain) == line_of(plain.__wrapped__)
    assert place_of(WithInit) == line_of(WithInit.__init__)
    assert place_of(Bare) == line_of(Bare)
    assert place_of(WithMethod) == line_of(WithMethod.run)
    assert place_of(len) == ""


def test_whose_a_part_is_shows_by_its_module():
    assert is_own(plain)
    assert is_own(json.dumps)
    assert not is_own(errors.closest)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (str(HERE), True),
        ("<stdin>", True),
        ("<string>", True),
        ("<frozen importlib._bootstrap>", False),
        (json.__file__, False),
        (np.__file__, False),
        (errors.__file__, False),
        ("somewhere.py", False),
    ],
)
def test_users_files_are_known_by_where_they_lie(file, expected):
    assert is_users_file(file) == expected


def work(function, *args, **options):
    with part(function).at_work(**options):
        return function(*args)


def test_what_a_part_raises_is_told_with_its_innermost_line():
    with pytest.raises(ConfigError, match="'mine': expected this code to run, got KeyError") as e:
        work(plain, {}, "missing")
    (problem,) = e.value.problems
    assert (problem.slug, problem.where) == ("config/part-failed", line_of(plain.__wrapped__, 2))
    assert isinstance(e.value.__cause__, KeyError)


def test_a_line_in_a_library_is_told_where_the_user_called_it():
    def parse(text):
        return json.loads(text)

    with pytest.raises(ConfigError, match="JSONDecodeError: Expecting value") as e:
        work(parse, "x")
    assert e.value.problems[0].where == line_of(parse, 1)


def test_a_call_that_never_reaches_the_part_is_told_where_it_is_written():
    with pytest.raises(ConfigError, match="TypeError") as e:
        work(WithInit, 1)
    assert e.value.problems[0].where.startswith(f"{HERE}:")


def failing(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        DataError("images: expected some, got none"),
        MemoryError("of all kinds"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        KeyboardInterrupt("stop"),
    ],
)
def test_what_others_word_better_passes(error):
    with pytest.raises(type(error), match=str(error)):
        work(failing(error))


def test_whoever_calls_may_know_an_error_better():
    with pytest.raises(ValueError, match="theirs"):
        work(failing(ValueError("theirs")), let_by=lambda e: isinstance(e, ValueError))
    with pytest.raises(ConfigError, match="TypeError: ours"):
        work(failing(TypeError("ours")), let_by=lambda e: isinstance(e, ValueError))


def test_only_the_first_line_of_an_error_is_told():
    with pytest.raises(ConfigError, match=r"got ValueError: first$"):
        work(failing(ValueError("first\nsecond")))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((2, 3), np.uint8), "ndarray of shape (2, 3) and type uint8"),
        (None, "NoneType"),
        ([1], "list"),
    ],
)
def test_values_are_named_by_type_and_shape(value, text):
    assert shape_text(value) == text


def guarded(own):
    def call(a, **options):
        if own.facts.get("best") is None:
            own.refuse_result("a direction", "none")
        return own.make(a, **options)

    if own.facts.get("worst"):
        own.refuse("no worst", "one")
    return call


def test_a_catalog_guards_what_is_a_users_and_leaves_its_own():
    catalog = Catalog("thing", ("a",), guarded)

    def mine(a, *, power: "int" = 2):
        """Raise to a power."""
        return a**power

    assert catalog.add(best="max")(mine) is mine
    found = catalog.get("mine")
    assert found.make is not mine
    assert (found.summary, found.make(3, power=3)) == ("Raise to a power.", 27)
    assert inspect.unwrap(found.make) is mine
    assert found.check({"power": "x"})[1][0].message == "expected a whole number, got 'x'"
    catalog.add(name="theirs")(errors.closest)
    assert catalog.get("theirs").make is errors.closest


def test_a_users_part_that_does_not_fit_is_not_registered():
    catalog = Catalog("thing", ("a",), guarded)
    with pytest.raises(ConfigError, match=r"thing 'two': expected a function of \(a\), and opt"):
        catalog.add(name="two")(lambda a, b: a)
    with pytest.raises(ConfigError, match="thing 'bad': expected no worst, got one") as e:
        catalog.add(name="bad", worst=True)(lambda a: a)
    assert e.value.slug == "config/bad-part"
    assert catalog.names() == []
    catalog.add(name="late")(lambda a: a)
    with pytest.raises(ConfigError, match="thing 'late': expected a direction, got none") as e:
        catalog.get("late").make(1)
    assert e.value.slug == "config/part-result"


def test_a_catalog_without_a_guard_takes_anything():
    catalog = Catalog("thing")
    catalog.add(name="any")(plain)
    assert catalog.get("any").make is plain
