import json
import math

import numpy as np
import pytest
from many_runs import GOOD, LESS, POOR, SAMPLES, deal, dealt_run, make_run
from scipy import stats

from fivefold import compare
from fivefold.core.errors import ConfigError
from fivefold.engine.history import read_history, write_history


def judged(found):
    pairs = zip(found.experiments, found.differences.judged, strict=True)
    return {one.path: judged for one, judged in pairs}


def test_all_are_compared_with_the_best_on_the_same_folds(tmp_path):
    for name, values in (("good", GOOD), ("less", LESS), ("poor", POOR)):
        dealt_run(tmp_path / name, values)
    found = compare(tmp_path)
    assert found.differences.metric == "val_accuracy"
    assert found.differences.against == "good"
    verdicts = {path: one.verdict for path, one in judged(found).items()}
    assert verdicts == {"good": "reference", "less": "not distinguishable", "poor": "worse"}
    apart = np.subtract(POOR, GOOD)
    error = math.sqrt((1 / 5 + 1 / 4) * apart.var(ddof=1))
    low, high = stats.t(4, apart.mean(), error).interval(0.95)
    one = judged(found)["poor"]
    assert (one.difference.low, one.difference.high) == pytest.approx((low, high))
    assert one.p_holm == pytest.approx(2 * one.difference.p_value)
    assert found.differences.sentence() == (
        "val_accuracy: good has the best mean; of 2 others 1 is not distinguishable from it, "
        "1 differs, 1 also after Holm's adjustment"
    )


def test_against_another_the_sign_is_flipped(tmp_path):
    dealt_run(tmp_path / "good", GOOD)
    dealt_run(tmp_path / "poor", POOR)
    there = judged(compare(tmp_path, against="good"))["poor"].difference
    found = compare(tmp_path, against="poor")
    back = judged(found)["good"]
    assert (there.mean, there.low, there.high) == pytest.approx(
        (-back.difference.mean, -back.difference.high, -back.difference.low)
    )
    assert back.verdict == "better"
    assert found.differences.sentence() == (
        "val_accuracy: compared with poor; the other one differs from it"
    )


def test_of_a_loss_less_is_better(tmp_path):
    dealt_run(tmp_path / "good", GOOD)
    dealt_run(tmp_path / "poor", POOR)
    one = judged(compare(tmp_path, sort_by="val_loss", against="good"))["poor"]
    assert one.difference.mean > 0
    assert one.verdict == "worse"


def test_values_of_different_losses_are_not_compared(tmp_path):
    for name, loss in (("a", "hinge"), ("b", "focal_loss")):
        folder = dealt_run(tmp_path / name, GOOD)
        record = json.loads(folder.manifest_path.read_text())
        record["config"]["loss"] = loss
        folder.manifest_path.write_text(json.dumps(record))
    one = judged(compare(tmp_path, sort_by="val_loss", against="a"))["b"]
    assert (one.verdict, one.note) == (
        "not comparable",
        "they were trained with different losses",
    )
    assert compare(tmp_path, sort_by="val_loss").differences.against == ""


def test_other_folds_of_the_same_samples_are_compared_unpaired_and_it_is_said(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    others = {name: ((fold + 1) % 5, *rest) for name, (fold, *rest) in SAMPLES.items()}
    dealt_run(tmp_path / "b", LESS, others)
    dealt_run(
        tmp_path / "c", LESS[:4], {n: (i % 4, *SAMPLES[n][1:]) for i, n in enumerate(SAMPLES)}
    )
    found = judged(compare(tmp_path))
    for path in ("b", "c"):
        assert found[path].note == "on other folds of the same data, so not in pairs"
        assert found[path].verdict == "not distinguishable"
        assert not found[path].is_paired


@pytest.mark.parametrize("place", [1, 2])
def test_other_contents_or_labels_are_not_comparable(tmp_path, place):
    dealt_run(tmp_path / "a", GOOD)
    changed = list(SAMPLES["3.png"])
    changed[place] = "other"
    dealt_run(tmp_path / "b", LESS, {**SAMPLES, "3.png": tuple(changed)})
    one = judged(compare(tmp_path))["b"]
    assert one.verdict == "not comparable"
    assert one.note == "it was measured on other samples, contents or labels"
    assert math.isnan(one.difference.mean)


def test_the_best_is_marked_among_those_on_the_same_data(tmp_path):
    for name, values in (("a", LESS), ("b", POOR), ("c", GOOD), ("d", POOR), ("e", LESS)):
        samples = {**SAMPLES, "3.png": (0, "other contents", "label")} if name in "cd" else SAMPLES
        dealt_run(tmp_path / name, values, samples)
    alone = {**SAMPLES, "3.png": (0, "another", "label")}
    dealt_run(tmp_path / "f", np.add(GOOD, 0.01), alone)
    found = compare(tmp_path)
    best = {found.experiments[i].path for i in found.best["val_accuracy"]}
    assert best == {"a", "e", "c"}
    assert found.num_data == 3
    assert found.differences.against == "a"  # most are measured on its data
    marked = [row["path"] for row in found.records() if "val_accuracy" in row["best"].split()]
    assert set(marked) == best


def test_other_settings_with_the_same_folds_are_pairs(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    folder = dealt_run(tmp_path / "b", LESS)
    deal(folder, SAMPLES, 5, fingerprint="with weights", settings={"near_duplicates": 4})
    assert judged(compare(tmp_path))["b"].is_paired


def test_other_negative_samples_are_other_data(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    folder = dealt_run(tmp_path / "b", LESS)
    record = json.loads(folder.manifest_path.read_text())
    record["config"]["stages"][-1]["negatives"] = 2
    folder.manifest_path.write_text(json.dumps(record))
    assert judged(compare(tmp_path))["b"].verdict == "not comparable"


def test_without_readable_folds_nobody_knows_what_was_measured(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    dealt_run(tmp_path / "b", LESS, samples=None)
    dealt_run(tmp_path / "c", LESS).folds_path.write_text("{")
    damaged = dealt_run(tmp_path / "d", LESS).folds_path
    damaged.write_text(
        damaged.read_text().replace('"samples": {', '"samples": [').replace("seal", "laes")
    )
    found = judged(compare(tmp_path))
    for path in ("b", "c", "d"):
        assert found[path].verdict == "not comparable"
        assert "data/folds.json" in found[path].note
    one = judged(compare(tmp_path, against="b"))["a"]
    assert one.note == "of what it is compared with, the samples are not known"


def test_only_the_folds_that_both_have_are_compared(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    dealt_run(tmp_path / "b", LESS[:3])
    deal(dealt_run(tmp_path / "b", LESS[:3]), SAMPLES, 5)
    one = judged(compare(tmp_path, against="a"))["b"]
    assert one.difference.mean == pytest.approx(np.mean(np.subtract(LESS[:3], GOOD[:3])))
    assert one.note == "on 3 folds that both have"


def test_nan_and_lost_tables_are_told(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    folder = dealt_run(tmp_path / "b", LESS)
    folder.metrics(2, 1).unlink()
    one = judged(compare(tmp_path))["b"]
    assert (one.verdict, one.note) == ("undefined", "b: its folds have no val_accuracy")
    folder = dealt_run(tmp_path / "b", LESS)
    rows = read_history(folder.metrics(2, 1))
    write_history(folder.metrics(2, 1), [{**row, "val_loss": math.nan} for row in rows])
    one = judged(compare(tmp_path, sort_by="val_loss", against="a"))["b"]
    assert (one.verdict, one.note) == ("undefined", "the number of a fold is NaN or infinite")


def test_a_single_fold_has_no_interval(tmp_path):
    samples = {name: (0 if fold == 0 else -2, *rest) for name, (fold, *rest) in SAMPLES.items()}
    for name in ("a", "b"):
        dealt_run(tmp_path / name, [0.5 + 0.1 * (name == "a")], samples)
    one = judged(compare(tmp_path))["b"]
    assert (one.verdict, one.note) == ("undefined", "one fold has no spread")
    assert one.difference.mean == pytest.approx(-0.1)


def test_equal_experiments_are_not_distinguishable(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    dealt_run(tmp_path / "b", GOOD)
    one = judged(compare(tmp_path))["b"]
    assert (one.verdict, one.note) == (
        "not distinguishable",
        "both have the same numbers in every fold",
    )


def test_one_experiment_and_unfinished_ones_are_compared_with_nothing(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    make_run(tmp_path / "b", 0.9, finished=False)
    found = compare(tmp_path)
    assert [one.verdict for one in found.differences.judged] == ["reference", ""]
    assert found.differences.sentence() == ""


def test_sorted_by_a_key_or_a_total_the_folds_are_compared_all_the_same(tmp_path):
    dealt_run(tmp_path / "a", GOOD, batch=8)
    dealt_run(tmp_path / "b", LESS)
    for column in ("batch", "path", "oof_accuracy"):
        found = compare(tmp_path, sort_by=column).differences
        assert (found.metric, found.against) == ("val_accuracy", "a")


def test_columns_of_the_difference_are_in_records_whatever_there_is(tmp_path):
    dealt_run(tmp_path / "a", GOOD)
    dealt_run(tmp_path / "b", POOR)
    first, second = compare(tmp_path).records()
    assert first["verdict"] == "reference"
    assert first["difference"] is first["difference_from"] is None
    assert (second["difference_from"], second["difference_metric"]) == ("a", "val_accuracy")
    assert second["difference_low"] < second["difference"] < second["difference_high"] < 0
    assert second["p_value"] == second["p_holm"] < 0.05
    assert second["verdict"] == "worse"


def test_the_reference_must_be_a_finished_experiment(tmp_path):
    dealt_run(tmp_path / "good", GOOD)
    expected = r"--against: expected the path of a finished experiment, got 'god'"
    with pytest.raises(ConfigError, match=expected) as error:
        compare(tmp_path, against="god")
    assert error.value.slug == "cli/no-such-experiment"
    assert error.value.problems[0].hint == "did you mean 'good'?"
