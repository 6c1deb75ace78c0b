"""Which classes are shown, and who looks."""

from types import SimpleNamespace

import numpy as np
import pytest

from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.experiment.explaining import Looking, Question, check_question, chosen_columns

HEADS = (Head("kind", "softmax", ("cat", "dog", "eel")), Head("tags", "sigmoid", ("wet", "old")))
PROBS = np.array([0.2, 0.7, 0.1, 0.6, 0.4], np.float32)


def columns(question=None, probs=PROBS, truth=None, thresholds=None):
    ensemble = SimpleNamespace(heads=HEADS)
    looking = Looking(ensemble, (0,), question or Question(), thresholds)
    return chosen_columns(looking, probs, None if truth is None else np.array(truth, np.float32))


def test_what_is_answered_is_shown_of_each_head():
    assert columns() == [1, 3]
    assert columns(Question(head="tags")) == [3]


def test_what_is_true_and_was_not_answered_comes_behind():
    assert columns(truth=[1, 0, 0, 1, 1]) == [1, 3, 0, 4]
    assert columns(truth=[0, 1, 0, 1, 0]) == [1, 3]


def test_where_no_label_is_likely_the_likeliest_is_shown():
    assert columns(probs=np.array([0.2, 0.7, 0.1, 0.1, 0.3], np.float32)) == [1, 4]


def test_thresholds_decide_what_is_answered():
    assert columns(thresholds=np.array([0.5, 0.5, 0.5, 0.7, 0.3])) == [1, 4]
    assert columns(thresholds=np.array([0.5, 0.5, 0.5, 0.5, 0.3])) == [1, 3, 4]


def test_named_and_likely_classes_are_shown_the_likeliest_first():
    assert columns(Question(classes=("eel", "cat", "old"))) == [0, 2, 4]
    assert columns(Question(at_least=0.2)) == [1, 0, 3, 4]
    assert columns(Question(at_least=0.2, head="kind"), truth=[0, 0, 1, 0, 0]) == [1, 0]
    assert columns(Question(at_least=0.95)) == []


def test_a_roll_out_has_one_map():
    assert columns(Question(method="rollout"), truth=[0, 0, 1, 0, 0]) == [1]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (Question(head="kinds"), "head: expected one of 'kind', 'tags', got 'kinds'\n    did you"),
        (Question(classes=("wet",), head="kind"), "expected one of 'cat', 'dog', 'eel', got 'wet'"),
    ],
)
def test_classes_are_those_of_the_head(question, told):
    with pytest.raises(ConfigError, match=told):
        check_question(question, HEADS)
    check_question(Question(classes=("wet", "cat")), HEADS)
