"""Trained masks: decided, measured, predicted and reported."""

import numpy as np
import pytest
from mask_runs import CONFIG, fitted_masks
from shapes import draw_masks

from fivefold.apps.report import write_report
from fivefold.core.errors import ConfigError
from fivefold.core.maps import Maps
from fivefold.evaluation.mask_answers import mask_of
from fivefold.experiment.decisions import read_decisions
from fivefold.experiment.experiment import Experiment

DECIDED = CONFIG + "testSplit: 0.2\nactivation: sigmoid\nthresholds: image_dice\n"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("done")
    config = DECIDED + "smallest_area: auto\n"
    return fitted_masks(folder, count=16, config=config, empty_every=4)


def test_what_is_decided_at_the_end_of_training_is_applied_by_predict(done):
    decisions = read_decisions(done.folder)
    (one,) = decisions.heads
    assert decisions.wishes.counted_at == (32, 32)
    assert one.thresholds[0] != 0.5
    for found in done.predict_masks(done.folder.root / "train"):
        scale = found.size[0] * found.size[1] / 32**2
        expected = mask_of(found.arr, found.head, one.thresholds, one.areas, scale=scale)
        np.testing.assert_array_equal(found.mask, expected)


def test_other_keys_of_a_finished_run_train_nothing(done, caplog):
    weights = done.folder.weights(0, 1).stat().st_mtime_ns
    path = done.folder.config_path
    text = path.read_text("utf-8")
    try:
        path.write_text(text.replace("image_dice", "0.3").replace("auto", "4"), "utf-8")
        assert Experiment.load(path).fit().decided
        assert read_decisions(done.folder).heads[0].areas == (4,)
        assert done.folder.weights(0, 1).stat().st_mtime_ns == weights
    finally:
        path.write_text(text, "utf-8")
        Experiment.load(path).fit()


def test_the_run_is_measured_out_of_fold_and_on_its_holdout(done):
    whole, held_out = done.assess(), done.assess(holdout=True)
    assert whole.samples + held_out.samples == 16
    assert whole.folds == (0, 1)
    assert held_out.folds == ()
    assert done.evaluate()["oof"]["iou"] == pytest.approx(whole.headline["iou"].value)
    assert set(Maps(done.folder.ensemble_maps(1)).ids) == set(held_out.scores.ids)


def test_new_images_are_measured_in_tiles_too(done, tmp_path):
    draw_masks(tmp_path / "new", 3, size=96, seed=9)
    whole, tiles = (done.assess(tmp_path / "new", tiles=share) for share in (False, 0.5))
    assert whole.scores.ids == tiles.scores.ids
    assert whole.scores.true.tolist() == tiles.scores.true.tolist()
    assert whole.headline["dice"].value != tiles.headline["dice"].value
    with pytest.raises(ConfigError, match="tiles: expected none without new images, got True"):
        done.assess(tiles=True)


def test_new_images_are_measured_and_known_ones_told(done, tmp_path):
    draw_masks(tmp_path / "new", 5, size=48, seed=9)
    found = done.assess(tmp_path / "new")
    assert (found.samples, found.pixels, found.trained_on) == (5, 5 * 48 * 48, 0)
    again = done.assess(done.folder.root)
    assert again.trained_on == done.assess().samples
    assert "were trained on, so these numbers are too good; out of fold they" in again.notes[0]


def test_the_report_shows_what_the_cache_has_kept(done):
    text = write_report(done.folder).read_text("utf-8")
    assert text.count('alt="The true mask of') > 8
    assert "dice of foreground by threshold" in text
    assert "What <code>predict</code> makes of it" in text
