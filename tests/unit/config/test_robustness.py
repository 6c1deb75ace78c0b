"""Whatever happens to a file, the answer is a config or one of our errors."""

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.config import parse
from fivefold.core.errors import ConfigError, UnsafeInputError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "musket"
TEXT = (
    (FIXTURES / "classification.yaml").read_text("utf-8")
    + """
folds_count: 5
dataset: {folder: data}
seed: 3
schedule: {OneCycle: {pct_start: 0.1}}
"""
)
MARKS = [
    ":",
    "-",
    "  ",
    "\n",
    "\t",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!",
    "<<: ",
    "? ",
    "'",
    '"',
    "|",
]
WORDS = [
    "null",
    "true",
    "-1",
    "1e999",
    ".nan",
    "0x",
    "9" * 5000,
    "%YAML 3\n",
    "---\n",
    "...",
    "\\ud8",
]
SNIPPETS = st.text(max_size=6) | st.sampled_from(MARKS) | st.sampled_from(WORDS)
EDITS = st.lists(
    st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), SNIPPETS), min_size=1, max_size=4
)


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    logging.getLogger("fivefold.config.load").disabled = True
    yield
    logging.getLogger("fivefold.config.load").disabled = False


def check(text, overrides=()):
    try:
        config = parse(text, overrides=overrides)
    except (ConfigError, UnsafeInputError):
        return
    config.resolve()
    config.not_yet()
    config.as_mapping()


@settings(max_examples=60, deadline=None)
@given(EDITS)
def test_edited_config_gives_a_config_or_our_error(edits):
    text = TEXT
    for start, length, snippet in edits:
        text = text[:start] + snippet + text[start + length :]
    check(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_a_config_or_our_error(text):
    check(text)


KEYS = ["lr", "shape", "stages", "stages.0", "stages.0.loss", "dataset", "dataset.csv", "weights"]
KEYS += ["optimizer", "optimizer.Adam.lr", "augmentation", "augmentation.0", "negatives", "classes"]
VALUES = [
    "",
    "3",
    "[1, 2]",
    "{a: 1}",
    "x",
    "[[]]",
    "{}",
    "[{}]",
    "null",
    "true",
    "[null]",
    "'",
    "-1",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES) | st.text(max_size=5))))
def test_any_override_gives_a_config_or_our_error(pairs):
    check("stages: [epochs: 1]", [f"{key}={value}" for key, value in pairs])
