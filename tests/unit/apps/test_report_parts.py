"""The parts that the page is put together from, each by itself."""

import json
import math
import re

import numpy as np
import pytest
from fake_run import fake_predictions
from hypothesis import given
from hypothesis import strategies as st

from fivefold.apps.report import assets, texts
from fivefold.apps.report.album import BEHIND_MISTAKES, SEEN, Album
from fivefold.apps.report.cells import by_count, cells_of, is_mistake
from fivefold.apps.report.charts import Axis, Line, line_chart, span_of
from fivefold.apps.report.strips import Scale, strip
from fivefold.core.safe_html import json_island
from fivefold.core.types import Head
from fivefold.evaluation.assessment import Estimate

FIVE = (Head("", "softmax", tuple("abcde")),)
SEVERAL = (Head("", "sigmoid", tuple("abc")),)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_data_in_the_page_are_read_as_they_were_written(data):
    text = str(json_island(data))
    assert json.loads(text) == data
    assert not set("<>&") & set(text)
    assert text.isascii()


def test_data_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_island({"x": math.nan})


def test_style_and_scripts_cannot_end_their_elements():
    assert "</" not in assets.styles()
    assert "</script" not in assets.scripts().lower()
    assert "<!--" not in assets.scripts()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\x00b\x1b[1m", "a\\x00b\\x1b[1m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("👩\u200d🚀 نص", "👩\u200d🚀 نص"),
        ("two\nlines", "two lines"),
        ("x" * 161, "x" * 115 + "…" + "x" * 45),
    ],
)
def test_names_are_shown_on_one_line_and_can_be_shown(text, expected):
    assert texts.name(text) == expected


@given(st.text())
def test_a_name_can_always_be_written_to_a_file(text):
    texts.name(text).encode("utf-8")
    assert len(texts.name("\n".join([text] * 200))) <= 161


def test_an_isolated_name_is_escaped():
    assert texts.isolated("<b>&") == "<bdi>&lt;b&gt;&amp;</bdi>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, "0.5000"), (1e-7, "1e-07"), (12345.678, "1.235e+04"), (math.nan, "undefined")],
)
def test_numbers_have_the_digits_that_they_need(value, expected):
    assert texts.number(value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("macro_f1", "macro F1"),
        ("roc_auc", "ROC AUC"),
        ("matthews_corrcoef", "Matthews correlation"),
    ],
)
def test_metrics_have_names_in_words(name, expected):
    assert texts.metric_name(name) == expected


def test_plurals_are_english():
    words = [texts.plural(*pair) for pair in ((1, "label"), (2, "label"), (3, "class"))]
    assert words == ["1 label", "2 labels", "3 classes"]


def read(ids):
    return {sample_id: f"url-{sample_id}" for sample_id in ids if sample_id != "gone"}


def test_wishes_are_granted_by_rank_and_in_turn():
    seen = []
    album = Album(lambda ids: seen.extend(ids) or read(ids))
    album.wish(BEHIND_MISTAKES, [["a", "b"], ["c", "d", "e"]])
    album.wish(SEEN, [["z"], ["a"]])
    album.fill()
    assert seen == ["z", "a", "c", "b", "d", "e"]


def test_an_album_that_is_full_takes_no_more():
    album = Album(read, most_bytes=3 * len("url-000"))
    album.wish(SEEN, [[f"{i:03}" for i in range(500)]])
    album.fill()
    assert len(album) == 3
    assert [album.url(name) for name in ("002", "003")] == ["url-002", ""]


def test_what_cannot_be_read_has_no_picture():
    album = Album(read)
    album.wish(SEEN, [["gone", "here"]])
    album.fill()
    assert (album.url("gone"), album.url("here"), album.url("never")) == ("", "url-here", "")


def test_cells_hold_every_sample_once():
    sample = fake_predictions(np.arange(300), FIVE, noise=4)
    truth, found = sample.truth.argmax(axis=1), sample.probs.argmax(axis=1)
    cells = cells_of(sample)
    for key, cell in cells.items():
        t, p = map(int, key.split(","))
        rows = np.flatnonzero((truth == t) & (found == p))
        assert cell.count == len(rows)
        assert set(cell.rows) <= set(rows.tolist())
        assert cell.sure == pytest.approx(sample.probs[list(cell.rows), p].tolist())
    assert sum(cell.count for cell in cells.values()) == 300


def test_the_surest_mistakes_and_the_least_sure_answers_come_first():
    cells = cells_of(fake_predictions(np.arange(300), FIVE, noise=4))
    for key, cell in cells.items():
        assert list(cell.sure) == sorted(cell.sure, reverse=is_mistake(key))


def test_of_very_many_cells_the_fullest_list_most():
    names = tuple(f"c{k}" for k in range(100))
    sample = fake_predictions(np.arange(40_000), (Head("", "softmax", names),), noise=30)
    wrong = by_count(cells_of(sample), mistakes=True)
    assert len(wrong) > 9_000
    assert all(len(cell.rows) == min(cell.count, 24) for cell in wrong[:30])
    assert sum(len(cell.rows) for cell in wrong) < 22_000


def test_only_the_cells_of_some_classes_are_made():
    sample = fake_predictions(np.arange(300), FIVE, noise=4)
    some = cells_of(sample, [1, 3])
    assert set(some) == {"1,1", "1,3", "3,1", "3,3"}
    assert some == {key: cell for key, cell in cells_of(sample).items() if key in some}


def test_labels_have_what_is_missed_invented_and_found():
    sample = fake_predictions(np.arange(200), SEVERAL, noise=4)
    truth, found = sample.truth > 0.5, sample.probs > 0.5
    cells = cells_of(sample)
    for k in range(3):
        expected = {
            "missed": truth & ~found,
            "invented": ~truth & found,
            "found": truth & found,
        }
        for kind, flags in expected.items():
            cell = cells[f"{kind},{k}"]
            assert cell.count == flags[:, k].sum()
            # the surest mistakes first, and of what is right the least sure
            order = np.argsort(sample.probs[:, k] * (-1 if kind == "invented" else 1))
            expected_rows = [row for row in order.tolist() if flags[row, k]][: len(cell.rows)]
            assert sample.probs[list(cell.rows), k].tolist() == list(cell.sure)
            assert list(cell.sure) == sample.probs[expected_rows, k].tolist()


def test_cells_of_mistakes_are_told_apart_and_ordered():
    cells = cells_of(fake_predictions(np.arange(300), FIVE, noise=4))
    wrong = by_count(cells, mistakes=True)
    assert [cell.count for cell in wrong] == sorted((c.count for c in wrong), reverse=True)
    assert len(wrong) + len(by_count(cells, mistakes=False)) == len(cells)


@pytest.mark.parametrize("heads", [FIVE, SEVERAL])
def test_predictions_without_samples_have_no_cells(heads):
    assert cells_of(fake_predictions(np.arange(0), heads)) == {}


def points_of(svg):
    return re.findall(r'<g class="line [^"]*"[^>]*><path d="([^"]*)"', str(svg))


def chart(*values, **options):
    line = Line("fold 0", "f0", list(enumerate(values)), **options)
    y = Axis("", *span_of(values))
    return line_chart([line], Axis("epoch", -0.5, len(values), whole=True), y, "a chart")


def test_higher_values_are_higher_in_a_chart():
    (path,) = points_of(chart(1.0, 3.0, 2.0))
    heights = [float(pair.split()[1]) for pair in path[1:].split("L")]
    assert sorted(range(3), key=lambda i: -heights[i]) == [0, 2, 1]


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf, 1e300])
def test_what_cannot_be_drawn_is_a_gap(gap):
    (path,) = points_of(chart(1.0, 2.0, gap, 3.0, 2.0))
    assert path.count("M") == 2
    assert "nan" not in path
    assert "inf" not in path


@pytest.mark.parametrize("values", [[], [math.nan], [5.0], [2.0, 2.0], [0.0, 0.0], [1e-300]])
def test_any_values_make_a_chart(values):
    svg = str(chart(*values))
    assert "nan" not in svg
    assert svg.startswith("<svg")


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6), st.booleans())
def test_ticks_are_round_and_lie_on_the_axis(low, span, whole):
    ticks = Axis("", low, low + span, whole=whole).ticks(5)
    assert len(ticks) <= 7
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    if whole:
        assert all(tick == round(tick) for tick in ticks)


def test_names_in_a_chart_are_escaped():
    assert "<b>" not in str(line_chart([Line("<b>", "f0", [(0, 1)])], AXIS, AXIS, '"<b>'))


AXIS = Axis("x", 0, 1)


@given(st.lists(st.floats(-1, 1) | st.just(math.nan), max_size=8))
def test_a_scale_holds_all_values(values):
    scale = Scale.around(values)
    assert scale.low < scale.high
    finite = [value for value in values if not math.isnan(value)]
    assert all(scale.low - 1e-9 <= value <= scale.high + 1e-9 for value in finite)


def test_a_strip_shows_number_interval_and_folds():
    svg = str(strip(Estimate(0.5, 0.4, 0.6), [0.3, math.nan, 0.7], Scale(0, 1)))
    assert svg.count("<circle") == 2
    assert 'class="range" d="M81.2 10.0H118.8"' in svg
    assert 'class="value" d="M100.0' in svg


def test_a_strip_of_what_is_undefined_is_empty():
    svg = str(strip(Estimate(math.nan), [], Scale(0, 1)))
    assert svg.count("<path") == 1
    assert "circle" not in svg
