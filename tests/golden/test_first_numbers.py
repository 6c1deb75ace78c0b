"""The numbers of a small run; whoever moves them says why in the commit that does."""

import pytest
from runs import CONFIG, fitted

from fivefold.engine.history import read_history

RECIPE = CONFIG + (
    "dropout: 0.1\nschedule: OneCycle\noptimizer: {AdamW: {weight_decay: 0.01}}\n"
    "augmentation: {Fliplr: 0.5, Affine: {rotate: [-15, 15], translate_percent: [-0.1, 0.1]}}\n"
)
EXPECTED = [1.0977129, 1.0969136, 1.0966384, 1.1173693, 1.1176513, 1.1183963]


def test_a_small_run_gives_the_numbers_that_it_always_gave(tmp_path):
    run = fitted(tmp_path, per_class=8, config=RECIPE)
    found = [
        row["val_loss"]
        for f in (0, 1)
        for s in (0, 1)
        for row in read_history(run.folder.metrics(f, s))
    ]
    assert found == pytest.approx(EXPECTED, rel=1e-4)
