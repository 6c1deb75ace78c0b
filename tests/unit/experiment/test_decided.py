import json

import numpy as np
import pytest
from drawn_predictions import predict
from sklearn import metrics as reference

from fivefold.cli import app
from fivefold.config import load
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.evaluation.thresholds import choose_thresholds
from fivefold.experiment.decided import assess_decided, cross_fitted_answers
from fivefold.experiment.decisions import Wishes, make_decisions

CONFIG = """\
architecture: ResNet18
weights: none
shape: [32, 32, 3]
folds_count: 3
stages: [{epochs: 1}]
"""
F1 = Wishes(thresholds=ThresholdAim("f_beta", 1.0))


def hesitant(seed, count, signal=1.0):
    """Draw a sigmoid head's that says yes too seldom: 0.5 is a bad threshold."""
    rng = np.random.default_rng(seed)
    truth = rng.random((count, 3)) < (0.4, 0.3, 0.2)
    probs = 1 / (1 + np.exp(1.8 - signal * truth - rng.normal(0, 0.6, (count, 3))))
    found = predict(probs, truth, "sigmoid")
    return Predictions(
        tuple(f"{seed}/{i}" for i in found.ids), found.probs, found.heads, found.truth
    )


def run_of(root, config):
    (root / "config.yaml").write_text(config, "utf-8")
    folder = RunFolder.of(root)
    held_out = hesitant(9, 90)
    for fold in range(3):
        hesitant(fold, 60).save(folder.predictions("validation", fold, 0))
        held_out.save(folder.predictions("holdout", fold, 0))
        folder.bundle(fold, 0).parent.mkdir(exist_ok=True)
        folder.bundle(fold, 0).write_text("{}")
    return folder


def decided(folder, wishes=F1, folds=(0, 1, 2), **options):
    decisions = make_decisions(folder, folds, 0, wishes)
    config = load(folder.config_path)
    return assess_decided(folder, config, decisions, resamples=20, **options)


def parts_of(folder):
    return [Predictions.load(folder.predictions("validation", fold, 0)) for fold in range(3)]


def test_each_fold_is_answered_at_thresholds_of_the_others(tmp_path):
    folder = run_of(tmp_path, CONFIG)
    parts, scores = parts_of(folder), []
    truth = np.concatenate([part.truth for part in parts]) > 0.5
    for k in range(3):
        said = []
        for fold, part in enumerate(parts):
            others = np.concatenate([p.probs[:, k] for f, p in enumerate(parts) if f != fold])
            true = np.concatenate([p.truth[:, k] for f, p in enumerate(parts) if f != fold])
            # Of all thresholds that there are; one as good may lie between the same two samples.
            best = max(reference.f1_score(true, others > t) for t in [0, *np.unique(others)])
            chosen = choose_thresholds(
                predict(others[:, None], true[:, None], "sigmoid"), F1.thresholds
            ).thresholds[0]
            assert reference.f1_score(true, others > chosen) == pytest.approx(best)
            said.append(part.probs[:, k] > chosen)
        scores.append(reference.f1_score(truth[:, k], np.concatenate(said)))
    (head,) = decided(folder).heads
    assert [one.f1.value for one in head.classes] == pytest.approx(scores)
    assert head.headline["macro_f1"].value == pytest.approx(np.mean(scores))
    assert not np.isnan(head.headline["macro_f1"].std_over_folds)


def test_the_holdout_is_answered_at_the_thresholds_that_predict_uses(tmp_path):
    folder = run_of(tmp_path, CONFIG)
    thresholds = make_decisions(folder, (0, 1, 2), 0, F1).heads[0].thresholds
    held_out = hesitant(9, 90)
    expected = reference.f1_score(
        held_out.truth > 0.5, held_out.probs > np.array(thresholds), average="macro"
    )
    assert decided(folder, holdout=True).heads[0].headline["macro_f1"].value == pytest.approx(
        expected
    )


def test_chance_is_not_flattered():
    # Labels that nobody knows: the best threshold of the same samples would look better than any.
    found = [hesitant(seed, 80, signal=0) for seed in range(30)]
    aim = Wishes(thresholds=ThresholdAim("precision", 0.5))
    folds = np.arange(80) % 4
    gained = []
    for part in found:
        _, answers = cross_fitted_answers(part, folds, aim)
        gained.append([(answers & (part.truth > 0.5)).sum(), answers.sum()])
    hits, answered = np.sum(gained, axis=0)
    assert hits / answered == pytest.approx(0.3, abs=0.07)


@pytest.mark.parametrize(
    ("wishes", "options"),
    [(Wishes(), {}), (Wishes(temperature=True), {}), (F1, {"folds": (0,)})],
    ids=["none", "temperature", "one fold"],
)
def test_without_thresholds_of_other_folds_there_are_no_numbers(tmp_path, wishes, options):
    assert decided(run_of(tmp_path, CONFIG), wishes, **options) is None


def test_without_a_holdout_there_are_none_of_it(tmp_path):
    folder = run_of(tmp_path, CONFIG)
    folder.predictions("holdout", 1, 0).unlink()
    assert decided(folder, holdout=True) is None


def test_evaluate_shows_them_below_and_in_json(tmp_path, capsys):
    folder = run_of(tmp_path, f"{CONFIG}thresholds: f1\n")
    assert app.run(["evaluate", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    title = "at the thresholds of the config; out of fold chosen on the other folds"
    before, _, after = out.partition(title)
    assert after
    row = next(line.split() for line in after.splitlines() if line.startswith("macro_f1 "))
    (head,) = decided(folder).heads
    assert row[1] == f"{head.headline['macro_f1'].value:.4f}"
    assert row[1] not in before
    assert max(map(len, after.partition("\nthresholds")[0].splitlines())) <= 80
    assert app.run(["evaluate", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["decisions"]["at_thresholds"]
    assert set(found) == {"out-of-fold", "holdout"}
    assert found["out-of-fold"][0]["headline"]["macro_f1"]["value"] == pytest.approx(
        head.headline["macro_f1"].value
    )
    assert [one["name"] for one in found["holdout"][0]["classes"]] == ["c0", "c1", "c2"]


def test_evaluate_without_chosen_thresholds_says_nothing_of_them(tmp_path, capsys):
    run_of(tmp_path, CONFIG)
    assert app.run(["evaluate", str(tmp_path), "--json"]) == 0
    assert "at_thresholds" not in json.loads(capsys.readouterr().out)["decisions"]
