import json

import numpy as np
import pytest
from fake_mask_run import ONE, THREE, fake_masks, make_mask_run, scores_of

from fivefold.config import load
from fivefold.core.errors import StateError
from fivefold.core.maps import Maps, MapWriter, Packed
from fivefold.core.progress import Silent
from fivefold.evaluation.mask_answers import mask_of
from fivefold.evaluation.mask_assessment import assess_masks
from fivefold.experiment.applying import (
    decision_record,
    decision_rows,
    held_out_coverage,
    told,
)
from fivefold.experiment.assessing import assess_run, has_holdout, measured
from fivefold.experiment.decisions import (
    Wishes,
    decisions_for,
    make_decisions,
    read_decisions,
    renew_decisions,
    write_decisions,
)
from fivefold.experiment.finished import find_finished
from fivefold.experiment.mask_decided import assess_masks_decided
from fivefold.experiment.stored_maps import maps_of_folds

CUT = "thresholds: dice\nsmallest_area: auto\n"


def decided(folder):
    return make_decisions(folder, (0, 1, 2), 0, Wishes.by(load(folder.config_path)))


def test_nothing_asked_for_leaves_masks_as_the_models_say_them(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    for fold in range(3):  # which needs no maps
        folder.maps("validation", fold, 0).unlink()
    decisions = decided(folder)
    assert decisions.wishes.changes_nothing
    assert (decisions.heads[0].thresholds, decisions.heads[0].areas) == ((0.5,), ())
    assert told(decisions) == ""


def test_decisions_on_masks_are_kept_and_read_back(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra=CUT)
    decisions = decided(folder)
    assert decisions.wishes.counted_at == (48, 64)
    assert 0.3 < decisions.heads[0].thresholds[0] < 0.5  # the models are shy
    assert len(decisions.without) == 3
    write_decisions(folder, decisions)
    assert read_decisions(folder) == decisions
    again = decisions_for(folder, (0, 1, 2), 0, decisions.wishes)
    assert again == decisions


def test_the_same_run_gives_the_same_bytes(tmp_path):
    texts = []
    for name in "ab":
        folder = make_mask_run(tmp_path / name, head=THREE, extra=CUT)
        write_decisions(folder, decided(folder))
        texts.append(folder.decisions_path.read_bytes())
    assert texts[0] == texts[1]


def test_decisions_on_masks_are_told(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra=CUT)
    decisions = decided(folder)
    rows = dict(decision_rows(decisions))
    assert rows["thresholds"].endswith(": the highest dice of all pixels")
    assert rows["smallest parts"].endswith(" pixels of 48 x 64")
    assert "prediction sets" not in rows
    assert "thresholds for the highest dice of all pixels; smallest parts" in told(decisions)
    assert held_out_coverage(folder, decisions) == ()
    record = json.loads(json.dumps(decision_record(decisions)))
    assert record["asked"]["smallest_area"] == "auto"
    assert record["heads"][0]["smallest_areas"].keys() == {"shape"}


def test_numbers_of_the_config_are_taken_for_all_classes(tmp_path):
    folder = make_mask_run(tmp_path / "run", head=THREE, extra="smallest_area: 9\n")
    decisions = decided(folder)
    assert (decisions.heads[0].thresholds, decisions.heads[0].areas) == ((), (0, 9, 9))
    assert decisions.without == ()


def test_other_wishes_choose_again_without_training(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    write_decisions(folder, decided(folder))
    folder.config_path.write_text(folder.config_path.read_text("utf-8") + CUT, "utf-8")
    assert find_finished(folder.config_path).decided
    assert read_decisions(folder).wishes.smallest_area == "auto"
    assert not renew_decisions(folder, load(folder.config_path), (0, 1, 2))


def test_maps_that_are_needed_and_gone_are_an_error(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra=CUT)
    folder.maps("validation", 1, 0).unlink()
    message = r"validation-1\.0\.maps: expected the probabilities of pixels that a fold has kept"
    with pytest.raises(StateError, match=message) as error:
        decided(folder)
    assert error.value.slug == "state/no-maps"


def test_each_fold_is_measured_by_what_the_others_chose(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra=CUT)
    config, decisions = load(folder.config_path), decided(folder)
    assessed = assess_masks_decided(folder, config, decisions, Silent())
    hits = said = true = 0
    for maps, cut in zip(maps_of_folds(folder, range(3), 0), decisions.without, strict=True):
        for _, level, truth in maps.pairs():
            mask = mask_of(level, ONE, cut.thresholds, cut.areas) == 1
            hits, said = hits + (mask & (truth == 1)).sum(), said + mask.sum()
            true += (truth == 1).sum()
    assert assessed.headline["dice"].value == pytest.approx(2 * hits / (said + true))
    raw = assess_run(folder, config)
    assert assessed.headline["dice"].value > raw.headline["dice"].value
    assert assessed.folds == (0, 1, 2)


def test_what_changes_nothing_has_no_numbers_of_its_own(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    config = load(folder.config_path)
    assert assess_masks_decided(folder, config, decided(folder), Silent()) is None


def test_one_fold_alone_has_no_honest_numbers(tmp_path):
    folder = make_mask_run(tmp_path / "run", folds=1, extra=CUT)
    config = load(folder.config_path)
    decisions = make_decisions(folder, (0,), 0, Wishes.by(config))
    assert assess_masks_decided(folder, config, decisions, Silent()) is None


def with_holdout(folder, head=ONE):
    ids, maps, truths = fake_masks(folder.root, head, 10, 7, shy=0.2)
    scores_of(ids, maps, truths, head, -1).save(folder.ensemble_scores(0))
    with MapWriter(folder.ensemble_maps(0), head, -1, 0) as writer:
        for sample_id, level, truth in zip(ids, maps, truths, strict=True):
            writer.add(sample_id, Packed.of(level, truth))
        writer.commit()


def test_the_holdout_is_measured_as_predict_decides(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra=CUT)
    with_holdout(folder)
    config, decisions = load(folder.config_path), decided(folder)
    assert has_holdout(folder, config)
    raw = assess_run(folder, config, holdout=True)
    found = assess_masks_decided(folder, config, decisions, Silent(), holdout=True)
    assert found.samples == raw.samples == 10
    assert found.headline["recall"].value > raw.headline["recall"].value
    (one,) = decisions.heads
    truths = []
    for _, level, truth in Maps(folder.ensemble_maps(0)).pairs():
        mask = mask_of(level, ONE, one.thresholds, one.areas)
        truths.append([(mask & truth).sum(), mask.sum(), truth.sum()])
    hits, said, true = np.sum(truths, axis=0)
    assert found.headline["iou"].value == pytest.approx(hits / (said + true - hits))


@pytest.mark.parametrize("extra", [CUT, "thresholds: 0.3\n"])
def test_without_maps_numbers_of_chosen_masks_are_left_out_and_that_is_told(
    tmp_path, caplog, extra
):
    folder = make_mask_run(tmp_path / "run", extra=extra)
    with_holdout(folder)
    config, decisions = load(folder.config_path), decided(folder)
    folder.maps("validation", 2, 0).unlink()
    folder.ensemble_maps(0).unlink()
    for holdout in (False, True):
        assert assess_masks_decided(folder, config, decisions, Silent(), holdout=holdout) is None
    first, second = caplog.messages
    assert first.endswith(
        "validation-2.0.maps: is not there; what thresholds and parts make of masks is not measured"
    )
    assert "holdout" in second


def test_maps_of_other_images_are_an_error(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra=CUT)
    config, decisions = load(folder.config_path), decided(folder)
    one, other = (folder.maps("validation", fold, 0) for fold in (0, 1))
    one.write_bytes(other.read_bytes())
    with pytest.raises(StateError, match=r"expected maps of the images that were measured, got o"):
        assess_masks_decided(folder, config, decisions, Silent())


def test_a_run_of_masks_is_assessed_with_its_folds(tmp_path):
    folder = make_mask_run(tmp_path / "run", head=THREE)
    config = load(folder.config_path)
    assessed = assess_run(folder, config, resamples=50)
    assert (assessed.samples, assessed.folds) == (36, (0, 1, 2))
    whole = assess_masks(assessed.scores, resamples=0)
    assert assessed.headline["iou"].value == whole.headline["iou"].value
    found = measured(folder, config)
    assert found["oof"]["dice"] == pytest.approx(whole.headline["dice"].value)
    assert found["folds"].keys() == {0, 1, 2}
