import csv

import numpy as np
from fake_run import make_fake_run, save_audit

from fivefold.core.predictions import Predictions
from fivefold.data.audit_rows import USED, AuditRow
from fivefold.experiment.prediction_tables import write_prediction_tables


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def audited(folder, ids, place):
    rows = [AuditRow(sample_id, USED, path=place(sample_id)) for sample_id in ids]
    save_audit(folder, [], *rows)


def all_ids(folder):
    paths = [folder.predictions("validation", fold, 1) for fold in range(5)]
    return [sample_id for path in paths for sample_id in Predictions.load(path).ids]


def test_the_table_of_all_folds_says_where_images_lie(tmp_path):
    (tmp_path / "run").mkdir()
    folder = make_fake_run(tmp_path / "run", pictures=False)
    photos = tmp_path / "photos"
    audited(folder, all_ids(folder), lambda sample_id: str(photos / sample_id))
    write_prediction_tables(folder, range(5), 1)
    rows = rows_of(folder.oof_path)
    assert [*rows[0]][:5] == ["id", "path", "fold", "truth", "label"]
    assert all(row["path"] == f"../photos/{row['id']}" for row in rows)
    assert {row["fold"] for row in rows} == set("01234")
    assert [row["id"] for row in rows] == sorted(all_ids(folder))
    assert not folder.holdout_path.exists()


def test_data_that_are_no_files_have_no_paths(tmp_path):
    folder = make_fake_run(tmp_path, pictures=False)
    write_prediction_tables(folder, range(5), 1)
    assert [*rows_of(folder.oof_path)[0]][:3] == ["id", "fold", "truth"]


def test_the_holdout_has_the_mean_of_all_folds(tmp_path):
    folder = make_fake_run(tmp_path, pictures=False)
    some = Predictions.load(folder.predictions("validation", 0, 1)).take(range(6))
    for fold in range(5):
        probs = np.roll(some.probs, fold, axis=0)
        Predictions(some.ids, probs, some.heads, some.targets).save(
            folder.predictions("holdout", fold, 1)
        )
    write_prediction_tables(folder, range(5), 1)
    rows = rows_of(folder.holdout_path)
    assert {row["fold"] for row in rows} == {"-1"}
    expected = np.mean([np.roll(some.probs, fold, axis=0) for fold in range(5)], axis=0)
    found = [[float(row[name]) for name in some.class_names] for row in rows]
    np.testing.assert_allclose(found, expected[np.argsort(some.ids)], atol=1e-6)
