import contextlib
import math
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.losses.expression import ExpressionError, Term, loss_names, parse_expression

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
WEIGHTS = st.floats(0, 1e6)
SPACES = st.text(" \t", max_size=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("binary_crossentropy", [(1, "binary_crossentropy")]),
        ("binary_crossentropy+0.1*dice_loss", [(1, "binary_crossentropy"), (0.1, "dice_loss")]),
        ("5*f1_loss+0.3*focal_loss", [(5, "f1_loss"), (0.3, "focal_loss")]),
        ("dice_loss*0.5*2+mse", [(1, "dice_loss"), (1, "mse")]),
        ("2 * dice * .25", [(0.5, "dice")]),
        (".5*x", [(0.5, "x")]),
        ("0.5*x", [(0.5, "x")]),
        ("  a  -  2. * b ", [(1, "a"), (-2, "b")]),
        ("-a + b", [(-1, "a"), (1, "b")]),
        ("+a", [(1, "a")]),
        ("1e-4*a+2E1*b", [(1e-4, "a"), (20, "b")]),
        ("a\n+ b", [(1, "a"), (1, "b")]),
    ],
)
def test_a_sum_of_losses_is_read(text, expected):
    assert [(term.weight, term.name) for term in parse_expression(text)] == expected


def test_options_stand_in_brackets_behind_a_name():
    (first, second) = parse_expression("0.5*bce( label_smoothing = .1 , b=-2 )+ce")
    assert first == Term(0.5, "bce", {"label_smoothing": 0.1, "b": -2.0})
    assert second == Term(1.0, "ce", {})


def test_options_may_be_nothing_and_yes_and_no():
    (term,) = parse_expression("focal_loss(alpha=None, gamma=3, x=true, y=False, z=null)")
    assert term.options == {"alpha": None, "gamma": 3.0, "x": True, "y": False, "z": None}


@given(st.lists(st.tuples(st.sampled_from("+-"), WEIGHTS, NAMES, SPACES), min_size=1, max_size=6))
def test_what_is_written_is_what_is_read(parts):
    text = "".join(f"{sign}{gap}{weight!r}{gap}*{name}{gap}" for sign, weight, name, gap in parts)
    expected = [(weight if sign == "+" else -weight, name) for sign, weight, name, _ in parts]
    assert [(term.weight, term.name) for term in parse_expression(text)] == expected
    assert loss_names(text) == [name for *_, name, _ in parts]


@given(st.text(max_size=60))
def test_any_text_is_a_sum_of_losses_or_an_expression_error(text):
    with contextlib.suppress(ExpressionError):
        terms = parse_expression(text)
        assert all(term.name and math.isfinite(term.weight) for term in terms)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a loss such as 'binary_crossentropy"),
        ("  ", "expected a loss such as 'binary_crossentropy"),
        ("0.5", r"'0\.5': expected '\*' and the name of a loss, got its end"),
        ("a+", r"'a\+': expected a name or a number, got its end"),
        ("a*b", r"'a\*b': expected a number, got 'b'"),
        ("a b", r"'a b': expected '\+', '-' or '\*', got 'b'"),
        ("0.1a", r"'0\.1a': expected '\*' and the name of a loss, got 'a'"),
        ("(a)", r"expected a name or a number, got '\('"),
        ("a/2", r"expected '\+', '-' or '\*', got '/'"),
        ("1e999*a", "expected a finite factor of 'a', got inf"),
        ("a(b=1", r"expected ',' or '\)', got its end"),
        ("a()", r"expected the name of an option, got '\)'"),
        ("a(b=1,b=2)", "expected 'b' once, got it twice"),
        ("a(b=c)", "expected a number, got 'c'"),
        ("٣*a", "expected a name or a number"),
        ("__import__('os').system('ls')", 'expected the name of an option, got "\'"'),
        ("a.__class__", r"expected '\+', '-' or '\*', got '\.'"),
    ],
)
def test_anything_else_is_an_error_that_says_where(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse_expression(text)


@pytest.mark.parametrize("text", ["9" * 10_000, "(" * 10_000, "a+" * 5_000, "a" * 9_999 + "!"])
def test_ten_thousand_characters_are_refused_at_once_and_in_one_line(text):
    started = time.perf_counter()
    with pytest.raises(ExpressionError, match="expected") as error:
        parse_expression(text)
    assert len(str(error.value)) < 200
    assert time.perf_counter() - started < 1


def test_the_parser_does_not_load_torch():
    code = "import sys, fivefold.losses.expression; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
