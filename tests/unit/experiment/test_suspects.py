import codecs
import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from suspicious import CONFIG, NAMES, WRONG, make_suspicious_run

from fivefold.config import load
from fivefold.core.errors import StateError
from fivefold.core.progress import Silent
from fivefold.core.types import Head
from fivefold.data.corrections import corrected
from fivefold.experiment.sources import open_source
from fivefold.experiment.suspects import Earlier, find_suspects


def suspects_of(folder, **options):
    return find_suspects(folder, load(folder.config_path), progress=Silent(), **options)


def rows_of(table):
    data = table.as_csv().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(data)))


def test_wrong_labels_are_listed_with_what_they_should_be(tmp_path):
    table = suspects_of(make_suspicious_run(tmp_path))
    rows = {row["id"]: row for row in rows_of(table)}
    assert {name: row["suggested"] for name, row in rows.items()} == WRONG
    row = rows["dog/014.png"]
    assert list(row) == [
        "id",
        "path",
        "given",
        "suggested",
        "confidence",
        "score",
        "fold",
        "corrected",
        "keep",
    ]
    assert (row["path"], row["given"]) == ("photos/dog/014.png", "dog")
    assert (row["fold"], row["corrected"], row["keep"]) == ("0", "", "")
    assert 0.85 < float(row["confidence"]) < 0.95
    assert [row["score"] for row in rows.values()] == sorted(row["score"] for row in rows.values())


def test_both_rankings_give_the_same_table_and_say_which_they_are(tmp_path):
    folder = make_suspicious_run(tmp_path)
    own, theirs = suspects_of(folder, ranking="own"), suspects_of(folder)
    assert own.as_csv() == theirs.as_csv()
    assert (own.found.ranking, theirs.found.ranking) == ("own", "cleanlab")


def test_a_table_with_other_letters_than_asciis_is_marked_for_spreadsheets(tmp_path):
    table = suspects_of(make_suspicious_run(tmp_path))
    assert table.as_csv().startswith(codecs.BOM_UTF8)
    plain = table.top(1)
    assert plain.suspects == table.suspects[:1]


def test_several_labels_are_written_as_corrections_read_them(tmp_path):
    table = suspects_of(make_suspicious_run(tmp_path, several=True))
    rows = {row["id"]: row for row in rows_of(table)}
    assert {name: row["suggested"] for name, row in rows.items()} == WRONG
    record = json.loads(json.dumps(table.record()))
    assert record["heads"][0]["of"] == "answers"
    assert {one["id"]: tuple(one["suggested"]) for one in record["suspects"]} == {
        name: (wanted,) for name, wanted in WRONG.items()
    }


def test_outputs_have_a_column(tmp_path):
    heads = (Head("kind", "softmax", NAMES), Head("also", "sigmoid", NAMES))
    table = suspects_of(make_suspicious_run(tmp_path, heads=heads))
    rows = rows_of(table)
    assert sorted({row["output"] for row in rows}) == ["also", "kind"]
    assert len(rows) == 6


def test_suggestions_that_are_accepted_are_fed_back(tmp_path):
    folder = make_suspicious_run(tmp_path / "first")
    rows = rows_of(suspects_of(folder))
    for row in rows:
        row["corrected"] = row["suggested"]
    rows[0]["keep"] = "no"
    fixes = tmp_path / "fixes.csv"
    with fixes.open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    source = open_source(load(folder.config_path), allow_imports=False, progress=Silent())
    found = corrected(source, fixes)
    now = {name: NAMES[found.target(i).argmax()] for i, name in enumerate(found.sample_ids)}
    gone = rows[0]["id"]
    assert gone not in now
    assert {name: now[name] for name in WRONG if name != gone} == {
        name: wanted for name, wanted in WRONG.items() if name != gone
    }


def second_run(tmp_path, fixes):
    config = CONFIG.replace("photos}", "photos, corrections: fixes.csv}")
    folder = make_suspicious_run(tmp_path, config=config)
    (tmp_path / "fixes.csv").write_text(fixes, "utf-8")
    return folder


def test_a_second_table_keeps_what_the_first_one_has_corrected(tmp_path):
    # The models say that dog/014.png shows März, which somebody has called a cat by now.
    folder = second_run(
        tmp_path, "id,corrected,keep\ndog/014.png,cat,\ncat/001.png,dog,\ncat/002.png,,no\n"
    )
    rows = {row["id"]: row for row in rows_of(suspects_of(folder))}
    assert set(rows) == {*WRONG, "cat/001.png", "cat/002.png"}
    again = rows["dog/014.png"]
    assert (again["given"], again["suggested"], again["corrected"]) == ("dog", "märz", "cat")
    settled = rows["cat/001.png"]
    assert (settled["given"], settled["suggested"], settled["score"]) == ("cat", "", "")
    assert (settled["corrected"], settled["keep"]) == ("dog", "")
    assert (rows["cat/002.png"]["corrected"], rows["cat/002.png"]["keep"]) == ("", "no")
    accepting = suspects_of(folder).accepting(0)
    assert "dog/014.png" not in {suspect.sample_id for suspect in accepting.accepted}
    filled = {row["id"]: row["corrected"] for row in rows_of(accepting)}
    assert filled == {**WRONG, "dog/014.png": "cat", "cat/001.png": "dog", "cat/002.png": ""}


def test_given_is_what_the_data_say_and_not_what_was_trained_with(tmp_path):
    table = suspects_of(make_suspicious_run(tmp_path))
    earlier = {("dog/014.png", ""): Earlier("bird", "dog", keep=True)}
    rows = {row["id"]: row for row in rows_of(replace(table, earlier=earlier))}
    assert (rows["dog/014.png"]["given"], rows["dog/014.png"]["corrected"]) == ("bird", "dog")
    others = {row["id"]: row["given"] for row in rows_of(table) if row["id"] != "dog/014.png"}
    assert {name: rows[name]["given"] for name in others} == others


@pytest.mark.parametrize("damage", ["gone", "wrong"])
def test_earlier_corrections_that_cannot_be_read_are_told(tmp_path, caplog, damage):
    folder = second_run(tmp_path, "id,corrected\ndog/014.png,cat\n")
    if damage == "gone":
        (tmp_path / "fixes.csv").unlink()
    else:
        (tmp_path / "fixes.csv").write_text("a,b\n1,2\n")
    assert {row["id"] for row in rows_of(suspects_of(folder))} == set(WRONG)
    assert "earlier corrections cannot be read, this table is without them" in caplog.text


def test_an_experiment_that_is_not_trained_has_no_suspects(tmp_path):
    folder = make_suspicious_run(tmp_path)
    for fold in range(2):
        folder.bundle(fold, 0).unlink()
    with pytest.raises(StateError, match="expected trained folds of stage 0, got none for"):
        suspects_of(folder)


def test_suspects_are_found_without_torch(tmp_path):
    make_suspicious_run(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\nfrom fivefold.config import load\n"
        "from fivefold.core.layout import RunFolder\nfrom fivefold.core.progress import Silent\n"
        "from fivefold.experiment.suspects import find_suspects\n"
        f"folder = RunFolder.of(Path({str(tmp_path)!r}))\n"
        "find_suspects(folder, load(folder.config_path), ranking='own', progress=Silent())\n"
        "sys.exit(bool({'torch', 'cleanlab', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
