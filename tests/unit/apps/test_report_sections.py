"""What the sections say, each by itself."""

import hashlib
import io
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from fake_run import SUMMARY, fake_predictions, make_fake_run
from PIL import Image as Pillow

from fivefold.apps.report.analysis import Analysis, analyse, assessed_name
from fivefold.apps.report.gather import gather
from fivefold.apps.report.page import render
from fivefold.apps.report.sections import time
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.data.split_report import GROUPS, SplitReport, Ties
from fivefold.evaluation.assessment import assess
from fivefold.experiment import assembling
from fivefold.experiment.decisions import Wishes, conclude_decisions
from fivefold.experiment.explanations import Overlay, Overlays, write_overlays

TEN = tuple(map(str, range(10)))


def manifest(run, **more):
    known = json.loads(run.manifest_path.read_text("utf-8"))
    run.manifest_path.write_text(json.dumps({**known, **more}), "utf-8")


def section(html, anchor):
    return html.partition(f'<section id="{anchor}"')[2].partition("</section>")[0]


def page_of(run):
    return render(gather(run))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_fake_run(tmp_path_factory.mktemp("sections"), pictures=False)


@pytest.fixture(scope="module")
def found(run):
    return gather(run)


def test_each_sample_keeps_its_fold(found):
    assert found.folds_of_samples == tuple(fold for fold in range(5) for _ in range(80))
    for fold, sample_id in zip(found.folds_of_samples, found.predictions.ids, strict=True):
        assert f"digit-{fold}-" in sample_id


def test_the_numbers_are_those_of_an_assessment(found):
    html = section(render(found), "metrics")
    expected = assess(found.predictions, folds=found.folds_of_samples, seed=33).heads[0].headline
    for estimate in expected.values():
        assert f"<td>{estimate.value:.4f}</td>" in html
        assert f"{estimate.low:.4f} – {estimate.high:.4f}" in html  # noqa: RUF001  as on the page
        assert f"<td>{estimate.std_over_folds:.4f}</td>" in html


def test_the_verdict_has_the_interval_of_what_decides(tmp_path):
    run = make_fake_run(tmp_path, pictures=False)
    estimate = assess(gather(run).predictions, seed=33).heads[0].headline["accuracy"]
    told = SUMMARY.replace("{accuracy: 0.9811", f"{{accuracy: {estimate.value}")
    run.summary_path.write_text(told, "utf-8")
    interval = f"(95 % interval {estimate.low:.3f} to {estimate.high:.3f})"
    assert f" {estimate.value:.3f} {interval}." in page_of(run)


def test_an_interval_of_another_number_is_not_told(found):
    assert "95 % interval" not in render(found).partition("</h1>")[0].partition("<h1>")[2]


def test_the_verdict_names_each_of_several_outputs_with_its_interval(tmp_path):
    heads = (Head("animal", "softmax", TEN), Head("coat", "softmax", ("long", "short")))
    run = make_fake_run(tmp_path, pictures=False, heads=heads)
    found = gather(run)
    numbers = [h.headline["accuracy"] for h in assess(found.predictions, seed=33).heads]
    mean = (numbers[0].value + numbers[1].value) / 2
    told = SUMMARY.replace("{accuracy: 0.9811", f"{{accuracy: {mean}")
    run.summary_path.write_text(told, "utf-8")
    top = page_of(run).partition("</header>")[0]
    assert f" {mean:.3f}, the mean of 2 outputs." in top
    for head, one in zip(heads, numbers, strict=True):
        interval = f"(95 % interval {one.low:.3f} to {one.high:.3f})"
        words = f"out-of-fold accuracy {one.value:.3f} {interval}"
        assert f"<li><bdi>{head.name}</bdi>: {words}</li>" in top


def test_a_number_that_is_no_mean_of_outputs_is_not_called_one(tmp_path):
    heads = (Head("animal", "softmax", TEN), Head("coat", "softmax", ("long", "short")))
    run = make_fake_run(tmp_path, pictures=False, heads=heads)
    told = SUMMARY.replace("{accuracy: 0.9811", "{accuracy: 0.1")
    run.summary_path.write_text(told, "utf-8")
    assert "the mean of" not in page_of(run)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("val_accuracy", "accuracy"),
        ("val_binary_accuracy", "accuracy"),
        ("f1", "macro_f1"),
        ("auc", "roc_auc"),
        ("val_loss", "log_loss"),
        ("my_own", "my_own"),
    ],
)
def test_metrics_are_found_under_all_their_names(metric, expected):
    assert assessed_name(metric) == expected


def test_a_holdout_is_measured_by_all_models_together(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    head = (Head("", "softmax", TEN),)
    for fold in (0, 1):
        one = fake_predictions(np.arange(60), head, fold, 3.0)
        ids = tuple(f"h{i}" for i in range(60))
        Predictions(ids, one.probs, head, one.targets, fold, 1).save(
            run.predictions("holdout", fold, 1)
        )
    found = gather(run)
    assert len(found.held_out) == 60
    value = analyse(found).holdout.heads[0].headline["accuracy"].value
    mean = (found.held_out.probs.argmax(1) == found.held_out.targets.argmax(1)).mean()
    assert value == pytest.approx(mean)
    assert f"<td>{value:.4f}</td>" in section(render(found), "metrics")


def test_without_truth_nothing_is_analysed(tmp_path):
    found = gather(make_fake_run(tmp_path, folds=[0], pictures=False))
    object.__setattr__(found.predictions, "targets", None)
    before = list(found.notes)
    assert analyse(found) == Analysis()
    assert found.notes == before


def test_groups_that_folds_keep_together_are_resampled_as_wholes(tmp_path, monkeypatch):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    assert "resamples of the samples" in page_of(run)
    SplitReport(None, {GROUPS: Ties(20, 160, 0)}).save(run.split_report_path)
    ids = gather(run).predictions.ids
    source = SimpleNamespace(sample_ids=ids, groups=[str(n % 20) for n in range(len(ids))])
    monkeypatch.setattr(assembling, "assembled", lambda *args, **kwargs: source)
    found = gather(run)
    assert found.groups == source.groups
    assert analyse(found).assessment.units == 20
    assert "resamples of the groups" in render(found)


def test_what_cannot_be_measured_is_a_note(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    path = run.predictions("validation", 0, 1)
    sample = Predictions.load(path)
    sample.targets[0] = 0  # no class at all
    sample.save(path)
    html = page_of(run)
    assert "Metrics could not be read" in html
    assert 'id="classes-0"' in html
    assert 'id="curves"' in html


def test_one_class_alone_is_undefined_and_said(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    for fold in (0, 1):
        fake_predictions(np.zeros(40, dtype=int), (Head("", "softmax", TEN),), fold).save(
            run.predictions("validation", fold, 1)
        )
    html = page_of(run)
    assert "undefined" in section(html, "metrics")
    assert "nan" not in html.partition("<body>")[2].lower()


def test_temperatures_are_put_in_words(tmp_path):
    head = (Head("", "softmax", TEN),)
    sentences = []
    for name, strength in (("sure", 4.0), ("unsure", 0.3)):
        run = make_fake_run(tmp_path / name, folds=[0, 1], pictures=False)
        for fold in (0, 1):
            one = fake_predictions(np.arange(200), head, fold, 2.5)
            probs = one.probs**strength
            probs /= probs.sum(axis=1, keepdims=True)
            Predictions(one.ids, probs, head, one.targets, fold, 1).save(
                run.predictions("validation", fold, 1)
            )
        sentences.append(section(page_of(run), "calibration"))
    assert "The model is surer than it should be. A temperature of " in sentences[0]
    assert '<th scope="row">raw</th>' in sentences[0]
    assert '<th scope="row">scaled</th>' in sentences[0]
    assert "The model is less sure than it could be. A temperature of 0." in sentences[1]


def test_decisions_are_told(tmp_path):
    run = make_fake_run(tmp_path, pictures=False)
    conclude_decisions(run, range(5), 1, Wishes(temperature=True))
    html = section(page_of(run), "calibration")
    assert "<dt>Prediction sets</dt><dd>coverage 0.9</dd>" in html
    assert "<dt>Temperature</dt>" in html
    run.decisions_path.write_text("{", "utf-8")
    assert "The decisions could not be read" in page_of(run)


def test_flipped_labels_are_suspects(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    path = run.predictions("validation", 0, 1)
    sample = Predictions.load(path)
    sample.probs[:] = 0.9 * sample.targets + 0.01
    sample.targets[:5] = np.roll(sample.targets[:5], 1, axis=1)
    sample.save(path)
    html = section(page_of(run), "suspects")
    assert "Probabilities (p) are raw: as the models say them" in html
    for sample_id in sample.ids[:5]:
        assert sample_id in html
    assert "may be wrong (95 % interval " in html


def test_weak_models_are_told_instead_of_an_estimate(tmp_path):
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    head = (Head("", "softmax", TEN),)
    fake_predictions(np.arange(80), head, noise=6.0).save(run.predictions("validation", 0, 1))
    html = section(page_of(run), "suspects")
    assert "How many are wrong cannot be estimated: models agree with only " in html
    assert "interval" not in html


def test_labels_that_are_all_believed_are_said_to_be(tmp_path):
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    head = (Head("", "softmax", TEN),)
    fake_predictions(np.arange(60), head, noise=0.0).save(run.predictions("validation", 0, 1))
    assert "No label is suspicious." in section(page_of(run), "suspects")


def test_overlays_stand_beside_the_mistakes_that_they_explain(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    before = section(page_of(run), "mistakes")
    assert "data:image/jpeg" not in before
    wrong = gather(run).predictions
    row = int(np.flatnonzero(wrong.probs.argmax(1) != wrong.targets.argmax(1))[0])
    buffer = io.BytesIO()
    Pillow.new("RGB", (60, 40), (200, 30, 30)).save(buffer, "JPEG", comment=b"somebody")
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    overlay = Overlay("0.jpg", digest, "", "3", 0.9, 0)
    write_overlays(run, Overlays("gradcam", "blocks", 1, {wrong.ids[row]: overlay}), [data])
    html = section(page_of(run), "mistakes")
    assert html.count("data:image/jpeg;base64,") == 1
    assert "by Grad-CAM" in html
    assert 'alt="Where it looked for 3"' in html
    assert b"somebody" in data
    (run.root / "explanations" / "0.jpg").write_bytes(b"no")
    html = page_of(run)
    assert "The overlay 0.jpg could not be read" in html
    assert "by Grad-CAM" not in html


SESSIONS = [
    {"seconds": 70.0, "stages": {"0.0": {"epochs": 3, "seconds": 60.0}}},
    {
        "seconds": 9.0,
        "stages": {
            "0.0": {"epochs": 1, "seconds": 5.5},
            "1.0": {"epochs": 4, "seconds": 2.0},
        },
    },
]


def test_time_is_added_up_over_sessions(run):
    manifest(run, sessions=SESSIONS)
    html = section(page_of(run), "time")
    assert "The run had 2 sessions: 1 min 10 s (3 epochs), 9.0 s (5 epochs)." in html
    assert "1 min 6 s" in html  # 60 and 5.5 s
    assert "4 epochs" in html
    assert "Of 40 epochs the time is not known" in html  # 48 are in the metrics


@pytest.mark.parametrize(
    "sessions",
    [
        None,
        "x",
        [],
        [1],
        [{}],
        [{"stages": [1]}],
        [{"stages": {"x": {"epochs": 1, "seconds": 1}}}],
        [{"stages": {"0.0": {"epochs": "1", "seconds": 1}}}],
        [{"stages": {"0.0": 1}}],
    ],
)
def test_odd_records_of_time_say_nothing(tmp_path, sessions):
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    manifest(run, sessions=sessions)
    assert 'id="time"' not in page_of(run)


@pytest.mark.parametrize("seconds", ["x", None, math.inf, -1])
def test_times_that_are_none_count_nothing(seconds):
    stages = {"0.0": {"epochs": 1, "seconds": seconds}}
    assert time.spent({"sessions": [{"stages": stages}]}) == {(0, 0): (1, 0.0)}


def test_pictures_that_cannot_be_read_are_noted_once(run):
    html = section(page_of(run), "mistakes")
    assert html.count("No picture of a sample could be read") == 1
    assert "no picture" not in html


def test_what_was_found_in_the_data_is_told(tmp_path):
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    manifest(run, found_in_data=["labels are in the column 'breed'"])
    assert "Labels are in the column &#39;breed&#39;." in section(page_of(run), "data")


def test_many_classes_have_the_worst_and_the_best_named(tmp_path):
    names = tuple(f"c{k}" for k in range(30))
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    sample = fake_predictions(np.arange(300), (Head("", "softmax", names),), 0, 0.0)
    sample.probs[sample.targets[:, 7] > 0] = np.eye(30)[8]
    sample.save(run.predictions("validation", 0, 1))
    html = section(page_of(run), "classes-0")
    worst = html.partition("Worst classes")[2].partition("Best classes")[0]
    assert worst.index("<bdi>c7</bdi>") < worst.index("<bdi>c8</bdi>")
    assert "<bdi>c7</bdi>" not in html.partition("Best classes")[2].partition("All classes")[0]


def test_pictures_of_large_sheets_are_smaller_and_share_the_page(tmp_path):
    run = make_fake_run(tmp_path)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (1000, 700, 3), dtype=np.uint8)
    for fold in range(5):
        path = run.examples(fold, 1) / "validation.png"
        Pillow.fromarray(pixels).save(path, compress_level=0)
    html = section(page_of(run), "examples")
    assert 0 < html.count("data:image/jpeg;base64,") < 5
    assert "data:image/png" not in html
    assert "are in <code>examples/</code>" in html


def test_pictures_of_single_epochs_stay_out_of_the_page(tmp_path):
    run = make_fake_run(tmp_path, folds=[0])
    folder = run.examples(0, 1)
    (folder / "epoch-000002.png").write_bytes((folder / "validation.png").read_bytes())
    assert [path.name for path in gather(run).examples[0]] == ["validation.png"]
