"""Transforms: every image goes through them, wherever it enters the network."""

import numpy as np
import pytest
from runs import CONFIG, fitted

from fivefold.core.predictions import Predictions

pytestmark = pytest.mark.slow

TRANSFORMS = "transforms: {Invert: 1.0, Multiply: [0.5, 1.5]}\naugmentation: {Fliplr: 0.5}\n"


def test_predictions_see_what_validation_and_the_holdout_saw(tmp_path):
    experiment = fitted(tmp_path, per_class=10, config=CONFIG + TRANSFORMS + "testSplit: 0.2\n")
    found = experiment.predict(tmp_path / "shapes", folds=[1])
    for name in ("validation", "holdout"):
        saved = Predictions.load(experiment.folder.predictions(name, 1, 1))
        chosen = [found.ids.index(sample_id) for sample_id in saved.ids]
        np.testing.assert_allclose(found.probs[chosen], saved.probs, atol=1e-6)


def test_they_change_what_is_learned_and_are_drawn_alike_in_every_run(tmp_path):
    runs = []
    for number, config in enumerate((CONFIG + TRANSFORMS, CONFIG + TRANSFORMS, CONFIG)):
        folder = tmp_path / str(number)
        folder.mkdir()
        experiment = fitted(folder, config=config)
        runs.append(experiment.folder.predictions("validation", 0, 1).read_bytes())
    assert runs[0] == runs[1] != runs[2]
