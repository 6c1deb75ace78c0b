import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from runs import CONFIG

from fivefold.cli.app import run
from fivefold.core.errors import ConfigError
from fivefold.core.progress import Silent
from fivefold.experiment.named_data import Reading, open_any, open_data

NAMES = [f"{k}.png" for k in range(12)]
CLASSES = ["cat", "dog"] * 6


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(NAMES):
        Image.new("RGB", (32 + k, 32), (20 * k, 60, 240 - 20 * k)).save(tmp_path / name)
    return tmp_path


def lines(photos, name, sign, encoding, classes):
    rows = [("picture", "kind"), *zip(NAMES, classes, strict=True)]
    text = "".join(sign.join(row) + "\n" for row in rows)
    (photos / name).write_text(text, encoding=encoding)


def parquet(photos, classes):
    pq.write_table(pa.table({"picture": NAMES, "kind": classes}), photos / "t.parquet")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_command_reads_tabs_and_parquet(photos):
    lines(photos, "t.tsv", "\t", "utf-8", CLASSES)
    parquet(photos, CLASSES)
    for name in ("t.tsv", "t.parquet"):
        assert run(["data", "check", name]) == 0
        assert run(["data", "stats", name]) == 0
        assert run(["data", "labels", name, "-o", "labels.csv", "-f"]) == 0
        split = ["data", "split", name, "-o", "split.csv", "--folds", "2", "--ignore-copies"]
        assert run([*split, "-f"]) == 0
        assert run(["data", "convert", name, "-o", "converted.csv", "-f"]) == 0
        assert run(["data", "sample", name, "-o", "sampled.csv", "--per-class", "2", "-f"]) == 0
        wanted = [{"picture": n, "kind": c} for n, c in zip(NAMES, CLASSES, strict=True)]
        assert rows_of(photos / "converted.csv") == wanted
        assert sorted(map(str, rows_of(photos / "labels.csv"))) == sorted(map(str, wanted))
        assert len(rows_of(photos / "split.csv")) == 12
        assert len(rows_of(photos / "sampled.csv")) == 4


def test_every_command_reads_another_encoding(photos):
    lines(photos, "t.csv", ",", "cp1251", ["кот", "пёс"] * 6)
    asked = ["--encoding", "cp1251", "--image-column", "picture", "--label-column", "kind"]
    for command in (["check"], ["stats"]):
        assert run(["data", *command, "t.csv", *asked]) == 0
    for command in ("labels", "convert", "sample"):
        assert run(["data", command, "t.csv", "-o", f"{command}.csv", *asked]) == 0
        assert {row["kind"] for row in rows_of(photos / f"{command}.csv")} == {"кот", "пёс"}
    split = ["data", "split", "t.csv", "-o", "split.csv", "--test", "0.5", "--ignore-copies"]
    assert run([*split, *asked]) == 0
    assert {row["kind"] for row in rows_of(photos / "split_test.csv")} == {"кот", "пёс"}


def test_lists_of_labels_become_cells_with_a_sign_that_reads_back(photos, capsys):
    parquet(photos, [["cat"], ["cat", "dog"], [], ["dog"]] * 3)
    for command in ("labels", "convert"):
        assert run(["data", command, "t.parquet", "-o", f"{command}.csv"]) == 0
        kinds = [row["kind"] for row in rows_of(photos / f"{command}.csv")]
        assert kinds == ["cat", "cat|dog", "", "dog"] * 3
        assert 'separator: "|"' in capsys.readouterr().err


def test_columns_of_0_and_1_are_classes(photos):
    flags = [(name, str(k % 2), str(k % 3 % 2)) for k, name in enumerate(NAMES)]
    text = "".join(",".join(row) + "\n" for row in [("picture", "a", "b"), *flags])
    (photos / "t.csv").write_text(text)
    assert run(["data", "convert", "t.csv", "-o", "out.csv"]) == 0
    assert (photos / "out.csv").read_text() == text
    assert run(["data", "convert", "t.csv", "-o", "out.json"]) == 0
    held = json.loads((photos / "out.json").read_text())
    assert len(held["annotations"]) == sum(int(a) + int(b) for _, a, b in flags)
    assert run(["data", "labels", "t.csv", "-o", "labels.csv"]) == 0
    wanted = ["|".join(["a"] * int(a) + ["b"] * int(b)) for _, a, b in flags]
    assert [row["class"] for row in rows_of(photos / "labels.csv")] == wanted


def test_columns_that_were_asked_for_are_told(photos, capsys):
    lines(photos, "t.csv", ",", "utf-8", CLASSES)
    asked = ["--image-column", "picture", "--label-column", "kind"]
    assert run(["data", "convert", "t.csv", "-o", "out.csv", *asked]) == 0
    assert "image_column: picture, label_column: kind}" in capsys.readouterr().err


def test_one_of_two_columns_of_labels_can_be_asked_for(photos):
    text = "".join(f"{name},{c},{c}\n" for name, c in zip(NAMES, CLASSES, strict=True))
    (photos / "t.csv").write_text("picture,kind,sort\n" + text)
    assert run(["data", "labels", "t.csv", "-o", "x.csv", "--label-column", "sort"]) == 0
    assert rows_of(photos / "x.csv")[1] == {"picture": "1.png", "sort": "dog"}


def test_a_config_says_itself_how_to_read(photos):
    lines(photos, "t.csv", ",", "utf-8", CLASSES)
    (photos / "run").mkdir()
    (photos / "run/config.yaml").write_text(CONFIG.replace("{folder: shapes}", "{csv: ../t.csv}"))
    opened = open_any(photos / "run", Reading(), ["folds_count=3"], progress=Silent())
    assert (opened.kind, len(opened.source), opened.config.folds_count) == ("config", 12, 3)
    with pytest.raises(ConfigError, match="--images: expected no such option with a config"):
        open_any(photos / "run", Reading(images=photos), progress=Silent())
    with pytest.raises(ConfigError, match="--set: expected no such option with a table"):
        open_any(photos / "t.csv", Reading(), ["a=1"], progress=Silent())


def test_a_parquet_file_has_no_encoding(photos):
    parquet(photos, CLASSES)
    with pytest.raises(ConfigError, match="--encoding: expected no such option with a Parquet"):
        open_data(photos / "t.parquet", Reading(encoding="utf-8"))


@pytest.mark.parametrize("encoding", ["nope", "rot13", "base64", "mbcs", ""])
def test_what_is_no_encoding_of_texts_is_refused(photos, encoding, capsys):
    lines(photos, "t.csv", ",", "utf-8", CLASSES)
    assert run(["data", "stats", "t.csv", "--encoding", encoding]) == 2
    message = f"--encoding: expected an encoding of texts, got {encoding!r}\n"
    assert capsys.readouterr().err == message + "    such as utf-8, cp1251 or shift_jis\n"
    with pytest.raises(ConfigError, match="expected an encoding of texts") as error:
        open_data(photos / "t.csv", Reading(encoding=encoding))
    assert error.value.slug == "cli/encoding"


@pytest.mark.parametrize("encoding", ["punycode", "undefined"])
def test_an_encoding_that_nobody_writes_in_is_no_defect(photos, encoding, capsys):
    lines(photos, "t.csv", ",", "utf-8", CLASSES)
    assert run(["data", "stats", "t.csv", "--encoding", encoding]) == 3
    assert f"t.csv:1: expected text in {encoding!r}" in capsys.readouterr().err


def test_an_empty_separator_is_refused(photos):
    lines(photos, "t.csv", ",", "utf-8", CLASSES)
    with pytest.raises(ConfigError, match="--separator: expected a sign such as") as error:
        open_data(photos / "t.csv", Reading(separator=""))
    assert error.value.slug == "cli/separator"
