import json
import warnings

import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as theirs
from drawn_predictions import answers, multi_label, predict, single_label
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from fivefold.core.errors import DataError, NumericError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation import compute
from fivefold.evaluation.assessment import assess
from fivefold.evaluation.estimates import PER_CLASS

EXACT = {"abs": 1e-12, "rel": 0}
CATALOG = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "macro_f1": "macro_f1",
    "micro_f1": "micro_f1",
    "weighted_f1": "weighted_f1",
    "macro_precision": "macro_precision",
    "macro_recall": "macro_recall",
    "weighted_precision": "weighted_precision",
    "weighted_recall": "weighted_recall",
    "roc_auc": "auc",
    "average_precision": "average_precision",
    "cohen_kappa": "cohen_kappa",
    "matthews_corrcoef": "matthews_corrcoef",
    "log_loss": "log_loss",
}


def measured(predictions, **options):
    return assess(predictions, **{"resamples": 0, **options}).heads[0]


def values(predictions):
    return {name: found.value for name, found in measured(predictions).headline.items()}


def doubles(predictions):
    return predictions.probs.astype(np.float64), predictions.truth.astype(int)


@pytest.mark.parametrize("digits", [9, 1], ids=["distinct", "ties"])
@pytest.mark.parametrize("seed", range(4))
def test_one_class_each_is_measured_as_scikit_learn_does(seed, digits):
    found = single_label(seed, samples=200, classes=7, digits=digits)
    probs, truth = doubles(found)
    probs = probs / probs.sum(axis=1, keepdims=True)
    named, said = truth.argmax(axis=1), answers(found).argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(named, said),
        "balanced_accuracy": reference.balanced_accuracy_score(named, said),
        "cohen_kappa": reference.cohen_kappa_score(named, said),
        "matthews_corrcoef": reference.matthews_corrcoef(named, said),
        # where nothing is clipped: rounded rows do not add up to one
        **({"log_loss": reference.log_loss(named, probs)} if digits == 9 else {}),
        "brier": ((found.probs.astype(float) - truth) ** 2).sum(axis=1).mean(),
        "roc_auc": reference.roc_auc_score(truth, found.probs, average="macro"),
        "average_precision": reference.average_precision_score(truth, found.probs),
    }
    for kind in ("macro", "micro", "weighted"):
        numbers = reference.precision_recall_fscore_support(
            named, said, labels=range(7), average=kind, zero_division=np.nan
        )
        names = [f"{kind}_{name}" for name in ("precision", "recall", "f1")]
        expected |= dict(zip(names, numbers[:3], strict=True))
    measured = values(found)
    assert {n: measured[n] for n in expected} == pytest.approx(expected, **EXACT)


def test_brier_is_scikit_learns():
    for classes in (2, 5):
        found = single_label(3, samples=60, classes=classes)
        probs, truth = doubles(found)
        expected = reference.brier_score_loss(
            truth.argmax(axis=1), probs / probs.sum(axis=1, keepdims=True), labels=range(classes)
        )
        assert values(found)["brier"] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("k", [3, 5])
def test_top_k_is_scikit_learns_where_nothing_ties(k):
    found = single_label(5, samples=300, classes=9)
    named = found.truth.argmax(axis=1)
    expected = reference.top_k_accuracy_score(named, found.probs, k=k)
    assert values(found)[f"top_{k}_accuracy"] == pytest.approx(expected, **EXACT)


def test_top_k_breaks_ties_as_the_metric_of_the_catalog_does():
    found = single_label(5, samples=300, classes=9, digits=1)
    expected = compute(found, ["top_3_accuracy", "top_5_accuracy"])
    measured = values(found)
    assert {name: measured[name] for name in expected} == pytest.approx(expected, **EXACT)


def test_few_classes_have_no_top_k():
    assert not [n for n in values(single_label(0, classes=3)) if n.startswith("top_")]
    four = [n for n in values(single_label(0, classes=4)) if n.startswith("top_")]
    assert four == ["top_3_accuracy"]


@pytest.mark.parametrize("digits", [9, 1], ids=["distinct", "ties"])
@pytest.mark.parametrize("seed", range(4))
def test_several_classes_each_are_measured_as_scikit_learn_does(seed, digits):
    found = multi_label(seed, samples=150, classes=5, digits=digits)
    probs, truth = doubles(found)
    said, columns = answers(found), range(5)
    each = [(truth[:, i], said[:, i]) for i in columns]
    tiny = np.finfo(float).eps
    clipped = probs.clip(tiny, 1 - tiny)
    expected = {
        "exact_match": reference.accuracy_score(truth, said),
        "hamming_loss": reference.hamming_loss(truth, said),
        "accuracy": 1 - reference.hamming_loss(truth, said),
        "balanced_accuracy": np.mean([reference.balanced_accuracy_score(*p) for p in each]),
        "cohen_kappa": np.mean([reference.cohen_kappa_score(*pair) for pair in each]),
        "matthews_corrcoef": np.mean([reference.matthews_corrcoef(*pair) for pair in each]),
        "log_loss": np.mean([reference.log_loss(truth[:, i], clipped[:, i]) for i in columns]),
        "brier": np.mean([reference.brier_score_loss(truth[:, i], probs[:, i]) for i in columns]),
        "roc_auc": reference.roc_auc_score(truth, probs),
        "average_precision": reference.average_precision_score(truth, probs),
    }
    for kind in ("macro", "micro", "weighted"):
        numbers = reference.precision_recall_fscore_support(truth, said, average=kind)
        names = [f"{kind}_{name}" for name in ("precision", "recall", "f1")]
        expected |= dict(zip(names, numbers[:3], strict=True))
    assert values(found) == pytest.approx(expected, **EXACT)


@pytest.mark.parametrize("make", [single_label, multi_label])
def test_each_class_is_measured_as_scikit_learn_does(make):
    found = make(1, samples=120, classes=4, digits=2)
    truth, said = found.truth.astype(int), answers(found)
    numbers = reference.precision_recall_fscore_support(truth, said, zero_division=np.nan)
    for i, scores in enumerate(measured(found).classes):
        assert [scores.precision.value, scores.recall.value, scores.f1.value] == pytest.approx(
            [column[i] for column in numbers[:3]], **EXACT
        )
        assert scores.support == numbers[3][i]
        assert scores.predicted == said[:, i].sum()
        auc = reference.roc_auc_score(truth[:, i], found.probs[:, i])
        assert scores.roc_auc.value == pytest.approx(auc, **EXACT)
        ap = reference.average_precision_score(truth[:, i], found.probs[:, i])
        assert scores.average_precision.value == pytest.approx(ap, **EXACT)


def test_numbers_are_those_of_torchmetrics():
    found = single_label(11, samples=250, classes=6)
    probs, named = torch.tensor(found.probs), torch.tensor(found.truth.argmax(axis=1))
    expected = {
        "macro_f1": theirs.multiclass_f1_score(probs, named, 6),
        "matthews_corrcoef": theirs.multiclass_matthews_corrcoef(probs, named, 6),
        "cohen_kappa": theirs.multiclass_cohen_kappa(probs, named, 6),
        "roc_auc": theirs.multiclass_auroc(probs, named, 6),
        "average_precision": theirs.multiclass_average_precision(probs, named, 6),
    }
    ours = values(found)
    assert {n: ours[n] for n in expected} == pytest.approx(
        {n: float(value) for n, value in expected.items()}, abs=1e-6
    )
    confusion = theirs.multiclass_confusion_matrix(probs, named, 6)
    assert measured(found).confusion.tolist() == confusion.tolist()


def test_confusion_of_several_classes_each_is_scikit_learns():
    found = multi_label(2, samples=90, classes=4)
    expected = reference.multilabel_confusion_matrix(found.truth.astype(int), answers(found))
    assert measured(found).confusion.tolist() == expected.tolist()


@pytest.mark.parametrize("make", [single_label, multi_label])
def test_numbers_are_those_of_the_catalog(make):
    found = make(8, samples=200)
    expected = {ours: compute(found, [name])[name] for ours, name in CATALOG.items()}
    ours = values(found)
    assert {n: ours[n] for n in expected} == pytest.approx(expected, **EXACT)


def test_a_class_that_is_never_true_or_answered_is_undefined_and_left_out():
    named = np.array([0, 0, 1, 1, 1, 0])
    probs = np.array([[0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3], [0.9, 0.1]])
    wide = np.hstack([probs * 0.9, np.full((6, 2), [0.1, 0.0])])
    wide[5] = [0.05, 0.05, 0.9, 0.0]  # answered once, never true
    found = measured(predict(wide, np.eye(4)[named]))
    said = wide.argmax(axis=1)
    third, fourth = found.classes[2:]
    assert (third.support, third.predicted, third.precision.value, third.f1.value) == (0, 1, 0, 0)
    assert third.recall.why == third.roc_auc.why == "no sample has it"
    assert fourth.precision.why == "never answered"
    assert fourth.f1.why == "neither true nor answered"
    assert np.isnan([fourth.f1.value, fourth.precision.value, third.average_precision.value]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = reference.f1_score(
            named, said, labels=range(4), average="macro", zero_division=np.nan
        )
    assert found.headline["macro_f1"].value == pytest.approx(expected, **EXACT)
    told = "over 3 of 4 classes; 'c3': neither true nor answered"
    assert found.headline["macro_f1"].why == told
    assert found.headline["roc_auc"].why == "over 2 of 4 classes; 'c2', 'c3': no sample has it"


def test_one_class_only_leaves_agreement_undefined():
    found = measured(predict([[0.9, 0.1]] * 5, [[1, 0]] * 5), resamples=50).headline
    assert np.isnan(found["cohen_kappa"].value)
    assert found["cohen_kappa"].why == "one class only is true and answered"
    assert found["matthews_corrcoef"].why == "one class only is true"
    assert np.isnan(found["roc_auc"].value)
    assert found["accuracy"].value == 1
    assert found["accuracy"].low == pytest.approx(0.025 ** (1 / 5))
    assert found["macro_f1"].why == (
        "over 1 of 2 classes; 'c1': neither true nor answered; no interval: all resamples are alike"
    )


def test_equal_probabilities_have_an_auc_of_one_half():
    found = measured(predict(np.full((8, 2), 0.5), np.eye(2)[[0, 1] * 4]))
    assert found.headline["roc_auc"].value == 0.5
    assert found.headline["matthews_corrcoef"].why == "one class only is answered"
    assert found.classes[0].average_precision.value == 0.5


def test_a_weighted_mean_leaves_out_the_weight_of_what_is_undefined():
    probs = [[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.3, 0.6, 0.1], [0.7, 0.2, 0.1]]
    named = [0, 1, 1, 2]  # the last is true and never answered
    found = measured(predict(probs, np.eye(3)[named])).headline
    for name in ("precision", "recall", "f1"):
        score = getattr(reference, f"{name}_score")
        expected = score(named, [0, 0, 1, 0], average="weighted", zero_division=np.nan)
        assert found[f"weighted_{name}"].value == pytest.approx(expected, **EXACT), name
    assert found["weighted_precision"].value == pytest.approx((1 / 3 + 2 * 1) / 3)
    assert found["weighted_precision"].why == "over 2 of 3 classes; 'c2': never answered"


def test_a_sigmoid_head_that_answers_nothing_is_undefined_where_it_must_be():
    found = measured(predict(np.full((6, 2), 0.2), [[1, 0]] * 3 + [[0, 0]] * 3, "sigmoid")).headline
    assert np.isnan(found["micro_precision"].value)
    assert found["micro_precision"].why == "no class is answered"
    assert found["macro_precision"].why == "over 0 of 2 classes; 'c0', 'c1': never answered"
    assert found["cohen_kappa"].value == 0
    told = "over 1 of 2 classes; 'c1': all or none true and answered"
    assert found["cohen_kappa"].why == told
    assert found["matthews_corrcoef"].why.startswith("over 0 of 2 classes")


def test_a_sigmoid_head_of_which_nothing_is_true_says_so():
    found = measured(predict([[0.9, 0.1], [0.2, 0.8]], np.zeros((2, 2)), "sigmoid")).headline
    for name in ("micro_recall", "weighted_precision", "weighted_f1"):
        assert np.isnan(found[name].value), name
        assert found[name].why == "no class is true", name
    assert found["micro_precision"].value == found["macro_f1"].value == 0
    assert all(each.is_defined or each.why for each in found.values())


def test_a_linear_head_has_no_log_loss():
    logits = [[2.0, -1.0], [-3.0, 0.5], [0.1, 0.0]]
    found = measured(predict(logits, np.eye(2)[[0, 1, 1]], "linear")).headline
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert found["roc_auc"].value == 1
    assert {found[n].why for n in ("log_loss", "brier")} == {"the head gives no probabilities 0-1"}


def test_answers_by_thresholds_replace_the_usual_ones():
    found = multi_label(4, samples=50)
    lower = (found.probs > 0.3).astype(int)
    measured = assess(found, answers=lower, resamples=0).heads[0]
    expected = reference.f1_score(found.truth.astype(int), lower, average="macro")
    assert measured.headline["macro_f1"].value == pytest.approx(expected, **EXACT)


def test_each_head_is_measured_alone():
    one, other = single_label(0), multi_label(1)
    heads = (Head("animal", "softmax", one.class_names), Head("tags", "sigmoid", other.class_names))
    both = Predictions(
        one.ids,
        np.hstack([one.probs, other.probs]),
        heads,
        np.hstack([one.truth, other.truth]),
    )
    found = assess(both, resamples=20)
    assert [head.name for head in found.heads] == ["animal", "tags"]
    for head, alone in zip(found.heads, (one, other), strict=True):
        expected = assess(alone, resamples=20).heads[0]
        assert [*head.headline] == [*expected.headline]
        assert head.headline["macro_f1"].value == expected.headline["macro_f1"].value


def test_the_spread_is_over_folds_measured_alone():
    found, folds = single_label(6, samples=100), np.arange(100) % 4 + 1
    whole = assess(found, folds=folds, resamples=0)
    assert whole.folds == (1, 2, 3, 4)
    parts = [measured(found.take(np.flatnonzero(folds == k))) for k in range(1, 5)]
    for name, estimate in whole.heads[0].headline.items():
        expected = np.std([part.headline[name].value for part in parts])
        assert estimate.std_over_folds == pytest.approx(expected, abs=1e-12), name
    for i, scores in enumerate(whole.heads[0].classes):
        for name in PER_CLASS:
            expected = np.std([getattr(part.classes[i], name).value for part in parts])
            assert getattr(scores, name).std_over_folds == pytest.approx(expected, abs=1e-12)


def test_nan_is_an_error_that_names_the_sample():
    found = single_label(0)
    found.probs[17, 2] = np.nan
    with pytest.raises(NumericError, match="metrics: s17: expected finite probabilities"):
        assess(found)


def test_no_sample_no_truth_and_no_single_truth_are_errors():
    found = single_label(0)
    with pytest.raises(DataError, match="expected predictions for at least 1 sample, got 0"):
        assess(found.take([]))
    with pytest.raises(DataError, match="expected targets, got none"):
        assess(Predictions(found.ids, found.probs, found.heads))
    found.truth[3] = 1
    with pytest.raises(DataError, match="s3: expected exactly 1 true class, got 4"):
        assess(found)
    with pytest.raises(DataError, match="assess: folds: expected 40, got 3"):
        assess(single_label(0), folds=[0, 1, 2])


def test_one_sample_has_numbers_but_no_intervals():
    found = assess(predict([[0.9, 0.1]], [[1, 0]]))
    assert found.notes == ("no intervals: there is one sample only, or one group of them",)
    assert found.heads[0].headline["accuracy"].value == 1
    assert np.isnan(found.heads[0].headline["accuracy"].low)


def test_the_record_is_plain_json_without_nan():
    for found in (single_label(0), predict([[0.9, 0.1]], [[1, 0]])):
        text = json.dumps(assess(found, resamples=20).record(), allow_nan=False)
        assert json.loads(text)["heads"][0]["headline"]["accuracy"]["value"] is not None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([1, 3]))
def test_the_order_of_samples_does_not_matter(seed, several, digits):
    make = multi_label if several else single_label
    found = make(seed % 50, samples=30, digits=digits)
    order = np.random.default_rng(seed).permutation(30)
    folds = np.arange(30) % 3
    one = assess(found, folds=folds, resamples=40).heads[0]
    other = assess(found.take(order), folds=folds[order], resamples=40).heads[0]
    for name, estimate in one.headline.items():
        theirs = other.headline[name]
        for part in ("value", "low", "high", "std_over_folds"):
            assert getattr(estimate, part) == pytest.approx(
                getattr(theirs, part), abs=1e-6, nan_ok=True
            ), (name, part)
    assert (one.confusion == other.confusion).all()
