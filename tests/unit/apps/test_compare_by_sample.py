import numpy as np
import pytest
from many_runs import GOOD, LESS, SAMPLES, deal, dealt_run
from scipy import stats

from fivefold import compare
from fivefold.cli import app
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head

NAMES = ("cat", "dog")
CELLS = (Head("", "sigmoid", ("cell",)),)
ONE_HEAD = (Head("", "softmax", NAMES),)


def predict(folder, right, heads=ONE_HEAD, samples=SAMPLES):
    """Write out-of-fold predictions that are right about these samples."""
    width = sum(head.num_classes for head in heads)
    for fold in range(5):
        ids = tuple(sorted(name for name, (own, *_) in samples.items() if own == fold))
        truth = np.zeros((len(ids), width), dtype=np.float32)
        truth[:, ::2] = 1
        wrong = np.array([name not in right for name in ids])
        probs = np.where(wrong[:, None], 1 - truth, truth) * 0.8 + 0.1
        found = Predictions(ids, probs.astype(np.float32), heads, truth, fold, 1)
        found.save(folder.predictions("validation", fold, 1))


def by_sample(root):
    found = compare(root, by_sample=True)
    pairs = zip(found.experiments, found.differences.judged, strict=True)
    return {one.path: judged.by_sample for one, judged in pairs}


@pytest.mark.parametrize(
    "heads",
    [
        ONE_HEAD,
        (Head("", "sigmoid", NAMES),),
        (Head("a", "softmax", NAMES), Head("b", "sigmoid", ("x", "y"))),
    ],
)
def test_shares_of_samples_that_are_right_are_compared_in_pairs(tmp_path, heads):
    names = sorted(SAMPLES)
    predict(dealt_run(tmp_path / "a", GOOD), {*names[:18]}, heads)
    predict(dealt_run(tmp_path / "b", LESS), {*names[6:]}, heads)
    found = by_sample(tmp_path)
    assert found["a"] is None
    assert found["b"].mean == pytest.approx(14 / 20 - 18 / 20)
    assert found["b"].p_value == pytest.approx(stats.binomtest(2, 8).pvalue)
    assert found["b"].low < found["b"].mean < found["b"].high


def test_it_is_in_records_and_in_the_table(tmp_path, capsys):
    names = sorted(SAMPLES)
    predict(dealt_run(tmp_path / "a", GOOD), {*names})
    predict(dealt_run(tmp_path / "b", LESS), {*names[8:]})
    first, second = compare(tmp_path, by_sample=True).records()
    assert first["sample_difference"] is None
    assert second["sample_difference"] == pytest.approx(-0.4)
    assert second["sample_low"] < -0.4 < second["sample_high"] < 0
    assert compare(tmp_path).records()[1]["sample_difference"] is None
    page = tmp_path / "x.html"
    assert app.run(["compare", str(tmp_path), "--by-sample", "--html", str(page)]) == 0
    assert "-0.4000 [-0.6000, -0.2000]" in capsys.readouterr().out
    assert "-0.6000 … -0.2000" in page.read_text("utf-8")


def test_what_is_missing_or_differs_is_told(tmp_path, capsys):
    names = {*SAMPLES}
    predict(dealt_run(tmp_path / "a", GOOD), names)
    dealt_run(tmp_path / "b", LESS)
    predict(dealt_run(tmp_path / "c", LESS), names, (Head("", "softmax", ("cat", "cow")),))
    folder = dealt_run(tmp_path / "d", LESS)
    predict(folder, names)
    folder.predictions("validation", 3, 1).write_bytes(b"x")
    deal(dealt_run(tmp_path / "e", LESS), {"x": (0, "0" * 64, "cat")}, 5)
    found = by_sample(tmp_path)
    assert found["b"].why == "its out-of-fold predictions are not there"
    assert found["c"].why == "it was measured on other samples, classes or labels"
    assert "validation-3.1.npz: expected saved predictions" in found["d"].why
    assert found["e"] is None
    assert app.run(["compare", str(tmp_path), "--by-sample"]) == 0
    assert "b: by sample: its out-of-fold predictions are not there" in capsys.readouterr().err
    against = compare(tmp_path, against="b", by_sample=True).differences.judged[0]
    assert against.by_sample.why.startswith("of what it is compared with: its out-of-fold")


def mask(folder, hits):
    """Write out-of-fold scores of masks of 100 true pixels, of which these are found."""
    for fold in range(5):
        ids = tuple(sorted(name for name, (own, *_) in SAMPLES.items() if own == fold))
        found = np.array([[hits[name]] for name in ids], dtype=np.int64)
        whole = np.full_like(found, 100)
        soft = found.astype(np.float64)
        pixels, losses = np.full(len(ids), 400), np.zeros(len(ids))
        scores = MaskScores(ids, CELLS, found, found, whole, pixels, soft, soft, losses, fold, 1)
        scores.save(folder.predictions("validation", fold, 1))


def test_of_masks_the_images_ious_are_compared_in_pairs(tmp_path):
    rng = np.random.default_rng(0)
    first = dict(zip(sorted(SAMPLES), rng.integers(60, 90, len(SAMPLES)), strict=True))
    second = {name: value - rng.integers(0, 20) for name, value in first.items()}
    mask(dealt_run(tmp_path / "a", GOOD), first)
    mask(dealt_run(tmp_path / "b", LESS), second)
    found = by_sample(tmp_path)["b"]
    ious = [np.array([own[name] for name in sorted(SAMPLES)]) / 100 for own in (second, first)]
    expected = stats.ttest_rel(*ious)
    assert found.mean == pytest.approx((ious[0] - ious[1]).mean())
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert [found.low, found.high] == pytest.approx([interval.low, interval.high])


def test_masks_are_not_compared_with_answers_about_images(tmp_path):
    names = sorted(SAMPLES)
    predict(dealt_run(tmp_path / "a", GOOD), {*names})
    mask(dealt_run(tmp_path / "b", LESS), dict.fromkeys(names, 50))
    assert by_sample(tmp_path)["b"].why == "it was measured on other samples, classes or labels"
