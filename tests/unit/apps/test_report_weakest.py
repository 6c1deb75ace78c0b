import numpy as np
import pytest
from drawn_predictions import predict

from fivefold.apps.report.weakest import weakest_class
from fivefold.evaluation.assessment import assess


def sentence(wrong, samples=100):
    """Let so many of the last of three classes be taken for the first."""
    truth = np.repeat([0, 1, 2], samples)
    answers = truth.copy()
    answers[-wrong:] = 0
    found = predict(np.eye(3)[answers] * 0.8 + 0.2 / 3, np.eye(3)[truth])
    return weakest_class(found, assess(found, resamples=0))


@pytest.mark.parametrize(("wrong", "samples", "is_told"), [(9, 100, 0), (11, 100, 1), (2, 10, 0)])
def test_a_class_is_weak_if_it_is_far_behind_by_more_than_chance(wrong, samples, is_told):
    told = "Weakest class: c2, recall 0.89 (11 of 100 missed; 11 taken for c0)."
    assert sentence(wrong, samples) == (told if is_told else "")
