import json

from many_runs import make_run

from fivefold.cli import app


def test_table_marks_the_best_and_talk_says_what_is_missing(tmp_path, capsys):
    make_run(tmp_path / "a", 0.8, lr=0.1)
    make_run(tmp_path / "b", 0.9, lr=0.01)
    (tmp_path / "photos").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "config.yaml").write_text("stages: [{epochs: 1}]\n")
    assert app.run(["compare", str(tmp_path), "--only-metric", "val_accuracy"]) == 0
    out, err = capsys.readouterr()
    header, _, *rows = out.splitlines()
    assert header.split()[0] == "experiment"
    assert header.split()[-1] == "val_accuracy"
    assert [row.split()[0] for row in rows] == ["b", "a", "new"]
    assert [row.rstrip().endswith("*") for row in rows] == [True, False, False]
    assert "0.9050 ± 0.0050 *" in rows[0]
    assert err.splitlines() == [
        "new: unfinished: not trained yet",
        "photos: foreign: no config in it",
    ]


def test_csv_is_written_beside_the_table(tmp_path, capsys):
    make_run(tmp_path / "runs" / "a")
    output = tmp_path / "result.csv"
    assert app.run(["compare", str(tmp_path / "runs"), "-o", str(output)]) == 0
    assert output.read_text().splitlines()[1].startswith("a,finished,2,")
    assert capsys.readouterr().err == f"{output}: 1 rows\n"


def test_json_has_what_the_csv_has(tmp_path, capsys):
    make_run(tmp_path / "a")
    assert app.run(["compare", str(tmp_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["path"], row["status"], row["fold_count"]) == ("a", "finished", 2)


def test_folder_without_experiments_is_an_error(tmp_path, capsys):
    assert app.run(["compare", str(tmp_path)]) == 2
    assert "expected a folder with experiments, got none" in capsys.readouterr().err
