"""Every loss, metric and schedule against a formula of others: a new one without it fails here."""

import inspect
import re
import sys

import numpy as np
import pytest
import torch
from drawn_predictions import multi_label, single_label
from references import LOSSES, METRICS, SCHEDULES

from fivefold.evaluation import compute, metrics
from fivefold.losses import losses
from fivefold.optim import Moment, build_schedule, schedules

OURS = "fivefold."
SOURCE = re.compile(
    r"https?://|\bKeras|\bMusket|musket_core|scikit-learn|\btorch|\btimm|segmentation_models"
)
SOURCE_OF_ALL = re.compile(r"[Dd]efinitions are|[Ff]ormulas (are|as in)|for the sources")


def ours(catalog):
    """Leave out what other tests have registered."""
    return [c for c in catalog.components() if c.make.__module__.startswith(OURS)]


@pytest.mark.parametrize(
    ("catalog", "references"),
    [(losses, LOSSES), (metrics, METRICS), (schedules, SCHEDULES)],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_everything_has_a_reference(catalog, references):
    assert {component.name for component in ours(catalog)} == references.keys()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_its_reference(name, seed):
    component = losses.get(name)
    rng = np.random.default_rng(seed)
    classes = component.facts.get("max_classes", 4)
    inputs = component.facts["inputs"]
    logits = rng.normal(0, 2, (11, classes))
    targets = (rng.random((11, classes)) < 0.4).astype(float)
    if inputs == "softmax":
        targets = np.eye(classes)[rng.integers(0, classes, 11)]
    shown = torch.tensor(logits)
    probs = shown.softmax(1) if inputs == "softmax" else shown.sigmoid()
    seen = probs if inputs == "probabilities" else shown
    found = component.make(seen, torch.tensor(targets)).mean().item()
    assert found == pytest.approx(LOSSES[name](probs.numpy(), targets), rel=2e-6, abs=1e-9)


@pytest.mark.parametrize("make", [single_label, multi_label])
@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_its_reference(name, make):
    for seed in range(2):
        predictions = make(seed, samples=30, classes=6)
        found = compute(predictions, [name])[name]
        assert found == pytest.approx(METRICS[name](predictions), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("lr", [0.02, 0.5])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_its_reference(name, lr):
    options, rate = SCHEDULES[name]
    schedule = build_schedule(name, options)
    for step in range(70):
        expected = rate(step, 10, 7, lr)
        assert schedule(Moment(step, 10, 7, lr, lr)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "component", [*ours(losses), *ours(metrics), *ours(schedules)], ids=lambda c: c.name
)
def test_a_docstring_has_a_definition_and_its_source(component):
    """The source may stand at the top of the module where all in it have the same."""
    text = inspect.getdoc(component.make) or ""
    words = text.partition("Args:")[0].split()
    assert len(words) >= 4
    module = inspect.getdoc(sys.modules[component.make.__module__]) or ""
    assert SOURCE.search(text) or SOURCE_OF_ALL.search(module)
