import io
import math
import subprocess
import sys

import numpy as np
import pytest
from fake_run import fake_predictions, make_fake_run
from PIL import Image as Pillow

from fivefold.apps.report import write_pictures, write_report
from fivefold.apps.report.curves import columns_to_show, draw_curves, lines
from fivefold.apps.report.facts import environment
from fivefold.apps.report.figures import SETTINGS
from fivefold.apps.report.gather import gather
from fivefold.apps.report.matrices import Answer, Pair, confusion, worst_mistakes
from fivefold.apps.report.page import render
from fivefold.apps.report.weakest import weakest_class
from fivefold.core.figures import drawn
from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.evaluation.assessment import assess

SOFT = (Head("", "softmax", tuple("abcde")),)


def history(*losses):
    return [{"val_loss": loss} for loss in losses]


def test_a_matrix_counts_what_is_taken_for_what():
    sample = fake_predictions(np.arange(200), SOFT, noise=4)
    matrix = confusion(sample)
    truth, found = sample.targets.argmax(axis=1), sample.probs.argmax(axis=1)
    for row in range(5):
        for column in range(5):
            count = sum((t, f) == (row, column) for t, f in zip(truth, found, strict=True))
            assert matrix.counts[row, column] == count
    assert matrix.shares.sum(axis=1) == pytest.approx(np.ones(5))


def test_confusions_are_listed_from_the_commonest():
    matrix = confusion(fake_predictions(np.arange(200), SOFT, noise=4))
    counts = [pair.count for pair in matrix.confused(100)]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == matrix.counts.sum() - np.trace(matrix.counts)


def test_of_many_classes_those_with_most_mistakes_are_shown():
    head = (Head("", "softmax", tuple(map(str, range(150)))),)
    sample = fake_predictions(np.arange(300), head, noise=0.0)
    sample.probs[7] = np.eye(150)[143]
    matrix = confusion(sample)
    assert (len(matrix.class_names), matrix.left_out) == (100, 50)
    assert matrix.confused() == [Pair("7", "143", (7, 143), 1, 1 / 2)]


def weakest_of(sample):
    return weakest_class(sample, assess(sample, resamples=0))


def labelled(truth, found, *names, head=""):
    sample = fake_predictions(np.zeros(len(truth), dtype=int), (Head(head, "sigmoid", names),))
    sample.targets[:], sample.probs[:] = truth, found
    return sample


def test_of_several_labels_the_weakest_is_found_by_f1():
    truth = np.tile([[1, 1], [0, 1], [1, 0]], (10, 1))
    found = truth * 0.9
    found[:6, 1] = 0.9 - found[:6, 1]
    sentence = "Weakest class: wet, F1 0.84 (4 of 20 missed; 2 found where it is not)."
    assert weakest_of(labelled(truth, found, "big", "wet")) == sentence
    with_head = labelled(truth, found, "big", "wet", head="look")
    assert weakest_of(with_head).startswith("Weakest class of look: wet, ")


def test_no_class_is_called_weakest_for_a_trifle():
    assert weakest_of(fake_predictions(np.arange(200), SOFT, noise=0.0)) == ""
    two_of_six = fake_predictions(np.arange(30), SOFT, noise=0.0)
    two_of_six.probs[[0, 5]] = np.eye(5)[1]
    assert weakest_of(two_of_six) == ""
    two_of_six.probs[10] = np.eye(5)[2]
    expected = "Weakest class: a, recall 0.50 (3 of 6 missed; 2 taken for b)."
    assert weakest_of(two_of_six) == expected


def test_a_single_label_has_no_weakest():
    sample = labelled([[1]] * 6 + [[0]] * 3, [[0]] * 4 + [[1]] * 5, "big")
    assert weakest_of(sample) == ""


def test_the_surest_mistake_comes_first():
    sample = fake_predictions(np.arange(200), SOFT, noise=4)
    mistakes = worst_mistakes(sample, 1000)
    sure = [mistake.confidence for mistake in mistakes]
    assert sure == sorted(sure, reverse=True)
    assert len(mistakes) == (sample.probs.argmax(axis=1) != sample.targets.argmax(axis=1)).sum()
    assert not any(mistake.answers[0].is_right for mistake in mistakes)


def test_of_several_heads_the_wrong_one_is_told_first():
    heads = (Head("a", "softmax", ("x", "y")), Head("b", "sigmoid", ("p", "q")))
    sample = fake_predictions(np.arange(6), heads, noise=0.0)
    sample.probs[3, 2:] = (0.1, 0.2)
    (mistake,) = worst_mistakes(sample)
    assert mistake.row == 3
    assert mistake.answers == (Answer("b", "p, q", "none"), Answer("a", "y", "y"))
    assert mistake.confidence == pytest.approx(0.9)
    assert mistake.sure_of == "no p"


def test_a_mistake_says_which_of_several_labels_it_is_sure_of():
    sample = labelled([[0, 0, 0, 1]], [[0, 1, 0, 1]], "big", "wet", "old", "red")
    (mistake,) = worst_mistakes(sample)
    assert mistake.sure_of == "wet"
    of_one = fake_predictions(np.arange(40), (Head("", "softmax", ("x", "y")),), noise=9.0)
    assert {mistake.sure_of for mistake in worst_mistakes(of_one)} == {""}


def test_the_card_of_a_mistake_names_the_class_of_its_probability(tmp_path):
    run = make_fake_run(tmp_path, pictures=False, heads=(Head("", "sigmoid", ("p", "q", "r")),))
    found = gather(run)
    cards = render(found).partition('<section id="mistakes"')[2].partition("</section>")[0]
    for mistake in worst_mistakes(found.predictions, 16):
        assert f"<bdi>{mistake.sure_of}</bdi>: p = {mistake.confidence:.3f}" in cards


def test_stages_come_one_after_the_other():
    histories = {(0, 0): history(9, 8), (1, 0): history(7), (0, 1): history(6), (1, 1): history(5)}
    found, starts = lines(histories, "val_loss")
    assert found == {0: ([1, 2, 3], [9, 8, 6]), 1: ([1, 3], [7, 5])}
    assert starts == [0, 2]


def test_validation_columns_are_preferred():
    histories = {(0, 0): [{"loss": 1, "val_loss": 1, "accuracy": 1, "val_f1": 1}]}
    assert columns_to_show(histories, "val_accuracy") == {
        "loss": "val_loss",
        "accuracy": "accuracy",
    }
    assert columns_to_show({}, "accuracy") == {}


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, 1.0], [-math.inf, math.nan, 1e300]])
def test_any_value_can_be_drawn(values):
    def draw(figure):
        draw_curves(figure.subplots(), {(0, 0): history(*values)}, "loss", "val_loss")

    assert Pillow.open(io.BytesIO(drawn(draw, (4, 3), settings=SETTINGS))).size == (600, 450)


def test_pictures_are_written_and_deterministic(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False)
    written = write_pictures(run)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "pictures/curves.png",
        "pictures/confusion.png",
        "pictures/reliability.png",
    ]
    before = [path.read_bytes() for path in written]
    write_pictures(run)
    assert [path.read_bytes() for path in written] == before
    for content in before:
        image = Pillow.open(io.BytesIO(content))
        assert min(image.size) > 500
        assert image.info.keys() <= {"dpi"}


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_pictures_show_any_class_name(tmp_path, activation):
    head = Head("$h", activation, ("$x_1$", "中文", "a\nb", "_hidden", "\udcff"))
    run = make_fake_run(tmp_path, folds=[0], pictures=False, heads=(head,))
    assert len(write_pictures(run)) == 3


def test_an_empty_folder_has_no_pictures(tmp_path):
    assert write_pictures(RunFolder.of(tmp_path)) == []


def test_neither_torch_nor_pyplot_is_loaded(tmp_path):
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    run.predictions("validation", 0, 1).unlink()  # scikit-learn would take seconds to load
    code = (
        "import sys; from pathlib import Path; from fivefold.core.layout import RunFolder;"
        "from fivefold.apps.report import write_report;"
        "late = 'matplotlib' in sys.modules or 'sklearn' in sys.modules;"
        f"write_report(RunFolder.of(Path({str(run.root)!r})));"
        "sys.exit(late or 'torch' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_facts_of_the_manifest_are_spelt_as_people_write():
    manifest = {"frozen_views": {"0": 2, "1": 1}, "hardware": {"cores": 2}, "seed": 1}
    assert environment(manifest) == {
        "run": {"seed": "1"},
        "frozen views": {"stage 0": "2", "stage 1": "1"},
        "hardware": {"cores": "2"},
    }


def test_mistakes_are_shown_before_the_sheets_of_examples(tmp_path):
    page = write_report(make_fake_run(tmp_path)).read_text("utf-8")
    assert 0 < page.index('<section id="mistakes"') < page.index('<section id="examples"')
