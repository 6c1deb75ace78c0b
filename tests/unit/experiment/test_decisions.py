import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from fake_run import fake_predictions

from fivefold.config import parse
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import join, mean_of
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Head
from fivefold.evaluation import prediction_rows
from fivefold.evaluation.prediction_sets import choose_levels
from fivefold.evaluation.temperature import fit_temperature, with_temperature
from fivefold.evaluation.thresholds import answers_at, choose_thresholds
from fivefold.experiment.applying import (
    decision_rows,
    held_out_coverage,
    scaled,
    sets_of,
    temperatures_of,
    thresholds_of,
    told,
    told_of_sets,
)
from fivefold.experiment.decisions import (
    Wishes,
    decisions_for,
    make_decisions,
    read_decisions,
    renew_decisions,
    write_decisions,
)

HEADS = (Head("kind", "softmax", ("a", "b", "c")), Head("tags", "sigmoid", ("x", "y")))
WISHES = Wishes(True, ThresholdAim("f_beta", 1.0), 0.8)
STAGES = "stages: [{epochs: 1}, {epochs: 1}]\n"
CONFIG = f"{STAGES}calibration: temperature\nthresholds: f1\ncoverage: 0.8\n"


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder.of(tmp_path)
    for fold in (0, 1, 2):
        classes = np.arange(fold, 120, 3)
        fake_predictions(classes, HEADS, fold).save(folder.predictions("validation", fold, 1))
        held_out = fake_predictions(np.arange(30), HEADS, fold)
        ids = tuple(f"holdout-{i}" for i in range(30))
        replace(held_out, ids=ids).save(folder.predictions("holdout", fold, 1))
    return folder


def predictions(folder):
    from fivefold.core.predictions import Predictions

    return join([Predictions.load(folder.predictions("validation", f, 1)) for f in (0, 1, 2)])


def test_each_head_gets_what_its_own_predictions_say(folder):
    found = make_decisions(folder, (0, 1, 2), 1, WISHES)
    kind, tags = predictions(folder).by_head()
    assert [one.head for one in found.heads] == list(HEADS)
    assert [one.temperature for one in found.heads] == [fit_temperature(p) for p in (kind, tags)]
    probs = with_temperature(tags.probs, "sigmoid", found.heads[1].temperature)
    expected = choose_thresholds(replace(tags, probs=probs), WISHES.thresholds)
    assert found.heads[1].thresholds == expected.thresholds
    assert found.heads[1].levels == choose_levels(replace(tags, probs=probs), 0.8).levels
    assert found.heads[1].levels != choose_levels(tags, 0.8).levels
    assert found.heads[0].thresholds == ()
    assert (found.stage, found.folds, found.samples) == (1, (0, 1, 2), 120)
    assert [remark.partition(", ")[0] for remark in found.remarks] == [
        "kind: calibration: nearly every answer is right: their number vouches for a mean "
        "confidence of 0.9918",
        "kind: thresholds: its most probable class is the answer",
    ]


def test_a_temperature_that_does_not_lower_the_log_loss_is_not_applied(folder):
    for fold in (0, 1):  # too sure in one fold, not sure enough in the other
        one = fake_predictions(np.arange(300), HEADS[:1], fold, 2.5)
        probs = one.probs ** (4.0, 0.25)[fold]
        probs /= probs.sum(axis=1, keepdims=True)
        ids = tuple(f"{fold}-{i}" for i in range(300))
        replace(one, ids=ids, probs=probs).save(folder.predictions("validation", fold, 0))
    found = make_decisions(folder, (0, 1), 0, Wishes(temperature=True))
    assert found.heads[0].temperature == 1
    (remark,) = found.remarks
    assert remark.startswith("kind: calibration: a temperature of ")
    assert "is not applied: chosen without each fold, it does not lower the log loss (" in remark
    alone = make_decisions(folder, (0,), 0, Wishes(temperature=True))
    assert alone.heads[0].temperature > 2
    assert alone.remarks == (
        "kind: calibration: one fold alone cannot tell whether a temperature helps",
    )


def test_what_is_written_is_read_and_has_the_same_bytes_again(folder):
    found = make_decisions(folder, (0, 1, 2), 1, WISHES)
    write_decisions(folder, found)
    first = folder.decisions_path.read_bytes()
    assert read_decisions(folder) == found
    write_decisions(folder, make_decisions(folder, (0, 1, 2), 1, WISHES))
    assert folder.decisions_path.read_bytes() == first


def test_an_edited_file_is_refused_with_the_way_out(folder):
    write_decisions(folder, make_decisions(folder, (0, 1, 2), 1, WISHES))
    record = json.loads(folder.decisions_path.read_text())
    record["heads"][0]["temperature"] = 2.0
    folder.decisions_path.write_text(json.dumps(record))
    with pytest.raises(StateError, match="expected a record with the hash") as caught:
        read_decisions(folder)
    assert caught.value.slug == "state/damaged"
    assert "delete it; `fivefold fit" in str(caught.value)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1}'])
def test_a_damaged_file_is_refused(folder, damage):
    folder.decisions_path.write_bytes(damage)
    with pytest.raises(StateError, match=r"decisions\.json"):
        read_decisions(folder)


def test_what_was_chosen_on_other_predictions_is_refused(folder):
    write_decisions(folder, make_decisions(folder, (0, 1, 2), 1, WISHES))
    fake_predictions(np.arange(0, 120, 3), HEADS, 5).save(folder.predictions("validation", 0, 1))
    with pytest.raises(StateError, match="got what was chosen on others") as caught:
        read_decisions(folder)
    assert caught.value.slug == "state/decisions"


def test_what_was_chosen_on_other_classes_is_refused_without_all_predictions(folder):
    found = make_decisions(folder, (0, 1, 2), 1, WISHES)
    other = replace(found.heads[0], head=replace(HEADS[0], class_names=("q", "r", "s")))
    write_decisions(folder, replace(found, heads=(other, found.heads[1]), folds=(0, 1, 2, 3)))
    with pytest.raises(StateError, match="got what was chosen on others"):
        decisions_for(folder, (0, 1, 2), 1, WISHES)


def test_what_was_chosen_on_other_folds_is_made_again(folder, caplog):
    caplog.set_level(logging.INFO)
    write_decisions(folder, replace(make_decisions(folder, (0, 1, 2), 1, WISHES), folds=(0, 1, 3)))
    assert renew_decisions(folder, parse(CONFIG), (0, 1, 2))
    assert "made, since predictions are others; nothing is trained" in caplog.text
    assert read_decisions(folder) == make_decisions(folder, (0, 1, 2), 1, WISHES)


def test_weights_need_no_predictions_to_use_what_was_chosen(folder):
    found = make_decisions(folder, (0, 1, 2), 1, WISHES)
    write_decisions(folder, found)
    folder.predictions("validation", 0, 1).unlink()
    assert decisions_for(folder, (0, 1, 2), 1, WISHES) == found
    with pytest.raises(StateError, match="expected saved predictions"):
        decisions_for(folder, (0, 1, 2), 1, Wishes())


def test_decisions_on_other_classes_are_refused(folder):
    found = make_decisions(folder, (0, 1, 2), 1, WISHES)
    with pytest.raises(
        StateError, match=r"\['q', 'x', 'y'\], got some on \['a', 'b', 'c'"
    ) as caught:
        temperatures_of(found, [Head("kind", "softmax", ("q",)), HEADS[1]], folder)
    assert caught.value.slug == "state/decisions"


def test_another_wish_is_fulfilled_without_training_and_told(folder, caplog):
    caplog.set_level(logging.INFO)
    assert renew_decisions(folder, parse(CONFIG), (0, 1, 2))
    assert "made, since there were none; nothing is trained" in caplog.text
    assert not renew_decisions(folder, parse(CONFIG), (0, 1, 2))
    assert renew_decisions(folder, parse(STAGES), (0, 1, 2))
    assert "since the config asks for others" in caplog.text
    assert read_decisions(folder).wishes == Wishes()
    fake_predictions(np.arange(0, 120, 3), HEADS, 5).save(folder.predictions("validation", 0, 1))
    assert renew_decisions(folder, parse(STAGES), (0, 1, 2))
    assert "since predictions are others" in caplog.text


def test_what_could_not_be_had_is_warned_of(folder, caplog):
    renew_decisions(folder, parse(f"{STAGES}thresholds: f1\n"), (0, 1, 2))
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warning.startswith("kind: thresholds: its most probable class is the answer")


def test_stored_decisions_are_taken_and_others_made_in_memory(folder):
    renew_decisions(folder, parse(CONFIG), (0, 1, 2))
    stored = folder.decisions_path.read_bytes()
    assert decisions_for(folder, (0, 1, 2), 1, WISHES) == read_decisions(folder)
    other = decisions_for(folder, (0, 1), 1, replace(WISHES, coverage=0.6))
    assert (other.wishes.coverage, other.folds, other.samples) == (0.6, (0, 1), 80)
    assert folder.decisions_path.read_bytes() == stored


def test_a_linear_output_is_left_as_it_is(folder):
    heads = (Head("", "linear", ("a", "b", "c")),)
    fake_predictions(np.arange(40), heads).save(folder.predictions("validation", 0, 0))
    found = make_decisions(folder, (0,), 0, WISHES)
    assert found.heads[0].temperature == 1
    assert found.remarks[0] == (
        "calibration: a linear output says no probabilities: it stays as it is"
    )


def test_probabilities_are_scaled_head_by_head():
    found = fake_predictions(np.arange(20), HEADS)
    probs = scaled(found.probs, HEADS, [2.0, 0.5])
    np.testing.assert_array_equal(probs[:, :3], with_temperature(found.probs[:, :3], "softmax", 2))
    np.testing.assert_array_equal(
        probs[:, 3:], with_temperature(found.probs[:, 3:], "sigmoid", 0.5)
    )
    assert scaled(found.probs, HEADS, [1.0, 1.0]) is found.probs
    assert scaled(found.probs, HEADS, []) is found.probs


def test_thresholds_and_sets_are_given_for_all_columns(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, WISHES)
    found = predictions(folder)
    temperatures = temperatures_of(decisions, HEADS, folder)
    found = replace(found, probs=scaled(found.probs, HEADS, temperatures))
    assert thresholds_of(decisions).tolist() == [0.5] * 3 + list(decisions.heads[1].thresholds)
    sets = sets_of([found.probs], decisions)
    covered = (sets[:, :3] & (found.truth[:, :3] > 0.5)).any(axis=1).mean()
    assert covered >= 0.8
    probs, tags = found.probs[:, 3:], decisions.heads[1]
    answers = answers_at(probs, tags.thresholds)
    np.testing.assert_array_equal(sets[:, 3:], (probs >= np.float32(tags.levels)) | answers)


def test_whatever_is_answered_is_in_its_set(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, replace(WISHES, coverage=0.01))
    said = [fake_predictions(np.arange(60), HEADS, seed).probs for seed in (1, 2, 3)]
    mean = mean_of(said)
    thresholds = tuple(np.median(mean[:, 3:], axis=0).tolist())
    tags = replace(decisions.heads[1], levels=(1.0, 1.0), thresholds=thresholds)
    decisions = replace(decisions, heads=(decisions.heads[0], tags))
    sets = sets_of(said, decisions)
    answers = answers_at(mean[:, 3:], tags.thresholds)
    assert 0 < answers.sum() < answers.size
    np.testing.assert_array_equal(sets[:, 3:], answers)
    assert sets[np.arange(60), mean[:, :3].argmax(axis=1)].all()
    assert (sets[:, :3].sum(axis=1) == 1).any()


def test_what_sets_promise_is_told_without_more_than_is_known(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, WISHES)
    assert told_of_sets(decisions, 3) == (
        "one model's hold the true class with probability 0.8; those of 3 have what at least half "
        "of them have: proven for 0.6, mostly 0.8 or more; there is no holdout to check it on"
    )
    alone = told_of_sets(decisions, 1, held_out_coverage(folder, decisions, [1]))
    assert alone.startswith(
        "one model's hold the true class with probability 0.8; on the holdout 0."
    )
    assert " of 30 samples, " in alone
    assert alone.endswith(" classes in the mean of tags")
    rare = replace(decisions, wishes=replace(WISHES, coverage=0.4))
    assert "proven for 0, mostly 0.4 or more" in told_of_sets(rare, 3)


def test_sets_are_checked_on_the_holdout(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, WISHES)
    kind, tags = held_out_coverage(folder, decisions)
    assert kind.samples == tags.samples == 30
    assert 0 <= kind.interval[0] <= kind.covered <= kind.interval[1] <= 1
    folder.predictions("holdout", 0, 1).unlink()
    assert held_out_coverage(folder, decisions) == ()


def test_decisions_are_told(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, WISHES)
    first, second = (one.temperature for one in decisions.heads)
    assert told(decisions) == (
        f"temperature {first:.3g} of kind, {second:.3g} of tags; thresholds for the highest F1; "
        "chosen on 120 out-of-fold predictions of stage 1"
    )
    rows = dict(decision_rows(decisions, held_out_coverage(folder, decisions)))
    assert rows["temperature of kind"] == f"{first:.4g}"
    assert rows["thresholds of tags"].endswith(": the highest F1")
    assert "thresholds of kind" not in rows
    assert rows["prediction sets of kind"].startswith("coverage 0.8; on the holdout ")
    assert rows["chosen on"] == "120 out-of-fold predictions of stage 1"
    assert told(make_decisions(folder, (0, 1, 2), 1, Wishes())) == ""


def test_a_fixed_threshold_is_told_as_it_is(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, Wishes(thresholds=ThresholdAim("fixed", 0.3)))
    assert told(decisions).startswith("thresholds 0.3; chosen on 120")
    assert dict(decision_rows(decisions))["thresholds of tags"] == "0.3"


def test_labels_of_a_table_are_those_above_their_thresholds(folder):
    decisions = make_decisions(folder, (0, 1, 2), 1, WISHES)
    found = predictions(folder)
    thresholds, sets = thresholds_of(decisions), sets_of([found.probs], decisions)
    header, *rows = prediction_rows(found, thresholds=thresholds, sets=sets)
    assert header[:9] == [
        *("id", "kind_truth", "kind_label", "kind_confidence", "kind_set"),
        *("kind_a", "kind_b", "kind_c", "tags_truth"),
    ]
    answers = answers_at(found.probs[:, 3:], decisions.heads[1].thresholds)
    place = header.index("tags_label")
    names = ["|".join(n for n, a in zip("xy", row, strict=True) if a) for row in answers]
    assert [row[place] for row in rows] == names
    in_set = ["|".join(n for n, a in zip("abc", row, strict=True) if a) for row in sets[:, :3]]
    assert [row[4] for row in rows] == in_set


def test_sets_of_scaled_models_are_what_the_holdout_is_checked_on(folder):
    from fivefold.core.predictions import Predictions

    decisions = make_decisions(folder, (0, 1, 2), 1, WISHES)
    kind, tags = decisions.heads
    tags = replace(tags, temperature=2.0, thresholds=(0.99, 0.99), levels=(0.6, 0.7))
    decisions = replace(decisions, heads=(kind, tags))
    for fold in (0, 1, 2):
        some = fake_predictions(np.arange(3000), HEADS, 7)
        noise = np.random.default_rng(fold).random(some.probs.shape)
        mixed = np.float32(0.5) * (some.probs + noise.astype(np.float32))
        replace(some, probs=mixed).save(folder.predictions("holdout", fold, 1))
    parts = [Predictions.load(folder.predictions("holdout", f, 1)) for f in (0, 1, 2)]
    own = [one.temperature for one in decisions.heads]
    said = [scaled(p.probs, HEADS, own) for p in parts]
    (_, tags) = held_out_coverage(folder, decisions)
    expected = sets_of(said, decisions)[:, 3:].sum(axis=1).mean()
    assert tags.size == pytest.approx(expected, abs=1e-9)
    raw = sets_of([part.probs for part in parts], decisions)
    assert raw[:, 3:].sum(axis=1).mean() != pytest.approx(expected, abs=1e-9)
    of_mean = sets_of([mean_of(said)], decisions)
    assert of_mean[:, 3:].sum(axis=1).mean() != pytest.approx(expected, abs=1e-9)
    (_, alone) = held_out_coverage(folder, decisions, [1])
    expected = sets_of(said[1:2], decisions)[:, 3:].sum(axis=1).mean()
    assert alone.size == pytest.approx(expected, abs=1e-9)
