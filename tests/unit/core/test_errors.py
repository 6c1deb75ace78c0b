from multiprocessing import Pipe
from pathlib import Path

import pytest

from fivefold.core import errors
from fivefold.core.errors import ConfigError, DataError, FivefoldError, Problem, closest


def test_every_error_has_its_own_exit_code_or_shares_that_of_configs():
    codes = {e.__name__: e.exit_code for e in FivefoldError.__subclasses__()}
    assert codes == {
        "ConfigError": 2,
        "MissingExtraError": 2,
        "DataError": 3,
        "StateError": 4,
        "LockedError": 5,
        "ResourceError": 6,
        "NumericError": 7,
        "UnsafeInputError": 8,
        "WorkerError": 9,
    }


def test_the_tree_in_the_docstring_names_every_error_with_its_code():
    lines = errors.__doc__.splitlines()
    for error in FivefoldError.__subclasses__():
        (line,) = [line for line in lines if f" {error.__name__} " in line]
        assert line.split()[-1] == str(error.exit_code)


def test_a_problem_shows_place_sentence_and_hint():
    problem = Problem("config/x", "a.yaml:2:1", "lr: expected a number, got 'x'", "use 0.001")
    assert str(problem) == "a.yaml:2:1: lr: expected a number, got 'x'\n    use 0.001"


def test_a_problem_without_place_or_hint_is_just_its_sentence():
    assert str(Problem("config/x", "", "no")) == "no"


def test_a_config_error_shows_all_problems():
    error = ConfigError([Problem("a/b", "x:1", "one"), Problem("a/c", "x:2", "two")])
    assert str(error) == "x:1: one\nx:2: two"
    assert error.slug == "a/b"


def test_an_error_shows_its_hint_and_keeps_its_slug():
    error = DataError("no images", hint="add some", slug="data/empty")
    assert str(error) == "no images\n    add some"
    assert (error.slug, DataError("x").slug) == ("data/empty", "data")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("resnet81", "ResNet18"), ("EFFICIENTNETLITE", "EfficientNetLite0"), ("zzz", None)],
)
def test_the_closest_name_ignores_case(name, expected):
    assert closest(name, ["ResNet18", "EfficientNetLite0", "VGG16"]) == expected


def kinds(root):
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def made(kind):
    if issubclass(kind, ConfigError):
        problems = [Problem("config/a", "c.yaml:1", "x: bad", "do y"), Problem("config/b", "", "z")]
        return ConfigError.__new__(kind), problems
    return FivefoldError.__new__(kind), None


@pytest.mark.parametrize("kind", tuple(kinds(FivefoldError)), ids=lambda kind: kind.__name__)
def test_every_error_goes_through_a_pipe_as_it_is(kind):
    error, problems = made(kind)
    if problems:
        ConfigError.__init__(error, problems)
    else:
        FivefoldError.__init__(error, "a: expected b, got c", hint="do d", slug="data/empty")
    error.further = Path("x")
    error.add_note("seen in fold 3")
    ours, theirs = Pipe()
    with ours, theirs:
        ours.send(error)
        copied = theirs.recv()
    assert type(copied) is kind
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)
    assert copied.__notes__ == ["seen in fold 3"]
    assert getattr(copied, "problems", None) == (tuple(problems) if problems else None)
