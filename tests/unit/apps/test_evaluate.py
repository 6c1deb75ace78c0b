import csv
import json

import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from PIL import Image

from fivefold.apps.evaluate import record_of, write_evaluation
from fivefold.apps.evaluate.tables import class_rows, confusion_rows
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation.assessment import assess

PICTURES = {"confusion.png", "roc.png", "precision_recall.png", "classes.png"}
FILES = {"metrics.json", "per_class.csv", "confusion.csv", *PICTURES}


def written(folder, **predictions):
    found = {name: assess(one, resamples=30) for name, one in predictions.items()}
    write_evaluation(folder, found, record_of(found))
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    "predictions",
    [
        single_label(0, classes=2),
        single_label(1, samples=200, classes=45),
        single_label(1, samples=300, classes=130),
        multi_label(2),
        multi_label(2, classes=130),
        predict([[0.9, 0.1]] * 3, [[1, 0]] * 3),
        predict([[0.9]] * 3, [[1]] * 3, "sigmoid"),
        predict([[2.0, -1.0], [-3.0, 0.5]], np.eye(2), "linear"),
    ],
    ids=["two", "45", "130", "several", "several of 130", "one class", "one column", "linear"],
)
def test_every_file_is_there_whatever_the_head(tmp_path, predictions):
    assert written(tmp_path, all=predictions) == FILES
    for name in PICTURES:
        with Image.open(tmp_path / name) as image:
            image.load()
            assert min(image.size) > 150
            assert max(image.size) <= 4000
    json.loads((tmp_path / "metrics.json").read_text(), parse_constant=pytest.fail)


def test_the_same_assessment_gives_the_same_bytes(tmp_path):
    for place in ("a", "b"):
        written(tmp_path / place, all=single_label(3))
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_what_stands_beside_has_a_folder_of_its_own(tmp_path):
    found = written(tmp_path, **{"out-of-fold": single_label(0), "holdout": single_label(1)})
    assert found == FILES | {f"holdout/{name}" for name in FILES - {"metrics.json"}}
    record = json.loads((tmp_path / "metrics.json").read_text())
    assert [*record["assessments"]] == ["out-of-fold", "holdout"]


@pytest.mark.parametrize(
    ("names", "endings"),
    [(("shape", "a/../b"), ("-shape", "-a_.._b")), (("a?", "A:"), ("-0-a_", "-1-A_"))],
)
def test_files_of_several_heads_have_their_names_as_far_as_these_may_be_files(
    tmp_path, names, endings
):
    one, other = single_label(0), multi_label(1)
    heads = tuple(
        Head(name, part.heads[0].activation, part.class_names)
        for name, part in zip(names, (one, other), strict=True)
    )
    probs, truth = np.hstack([one.probs, other.probs]), np.hstack([one.truth, other.truth])
    found = written(tmp_path, all=Predictions(one.ids, probs, heads, truth))
    assert {f"roc{ending}.png" for ending in endings} <= found
    assert len(found) == 2 + 2 * 5
    rows = rows_of(tmp_path / "per_class.csv")
    assert [row[0] for row in rows] == ["head", *[names[0]] * 4, *[names[1]] * 3]


def test_the_table_of_classes_has_intervals_and_empty_cells_for_what_is_undefined():
    found = assess(predict([[0.9, 0.1, 0]] * 3 + [[0.2, 0.8, 0]], np.eye(3)[[0, 0, 1, 1]]))
    header, first, _, third = class_rows(found)
    assert header[:8] == [
        *("class", "samples", "answered"),
        *("precision", "precision_low", "precision_high", "precision_std_over_folds", "recall"),
    ]
    assert first[:4] == ["c0", "2", "3", "0.666667"]
    assert first[6] == ""  # no folds
    assert third[:5] == ["c2", "0", "0", "", ""]


def test_tables_of_confusion_count_each_sample():
    one = assess(single_label(0, samples=50), resamples=0).heads[0]
    rows = confusion_rows(one)
    assert rows[0] == ["true class", *one.class_names]
    assert sum(int(cell) for row in rows[1:] for cell in row[1:]) == 50
    found = multi_label(0, samples=50)
    rows = confusion_rows(assess(found, resamples=0).heads[0])
    for row, true, said in zip(rows[1:], found.truth.T > 0.5, found.probs.T > 0.5, strict=True):
        expected = [(true & said).sum(), (true & ~said).sum(), (said & ~true).sum()]
        assert [*map(int, row[1:])] == [*expected, 50 - sum(expected)]


@pytest.mark.parametrize(("answered", "bar"), [(0.1, (230, 159, 0)), (0.9, (200, 55, 45))])
def test_what_is_missed_and_what_is_invented_have_their_own_bars(tmp_path, answered, bar):
    truth = np.full((30, 2), answered < 0.5)
    written(tmp_path, all=predict(np.full((30, 2), answered), truth, "sigmoid"))
    with Image.open(tmp_path / "confusion.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    areas = {color: (pixels == color).all(axis=1).sum() for color in ((230, 159, 0), (200, 55, 45))}
    assert areas.pop(bar) > 10 * max(areas.values())  # the other has its sign in the legend alone
