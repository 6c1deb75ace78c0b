import csv
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.apps.data_files.choosing import Kinds, kinds_of
from fivefold.apps.data_files.keeping import NEW, deal, known_folds
from fivefold.apps.data_files.reading import table_without_copies
from fivefold.apps.data_files.splitting import Plan, check_plan, fold_numbers, write_split
from fivefold.cli.app import run
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.seeding import generator_for
from fivefold.experiment.named_data import Reading, open_data


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "class"), *rows])
    return path


def folds_in(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["path"]: int(row["fold"]) for row in csv.DictReader(file)}


def split(path, output, **options):
    opened = open_data(path, Reading())
    return write_split(opened, table_without_copies(opened.source), Plan(**options), output)


@settings(max_examples=25, deadline=None)
@given(
    old=st.lists(st.sampled_from("ab"), min_size=8, max_size=40),
    new=st.lists(st.sampled_from("abc"), max_size=40),
    seed=st.integers(0, 99),
)
def test_samples_keep_their_folds_whatever_is_added(tmp_path_factory, old, new, seed):
    folder = tmp_path_factory.mktemp("keep")
    rows = [(f"old{k}.png", name) for k, name in enumerate(["a", "b", *old])]
    split(write(folder / "old.csv", rows), folder / "first.csv", folds=3, seed=seed)
    more = [(f"a new{k}.png", name) for k, name in enumerate(new)]
    write(folder / "all.csv", [*more, *rows])
    split(folder / "all.csv", folder / "second.csv", folds=3, keep=folder / "first.csv")
    first, second = folds_in(folder / "first.csv"), folds_in(folder / "second.csv")
    assert first.items() <= second.items()
    assert len(second) == len(rows) + len(new)
    write(folder / "turned.csv", [*rows, *more][::-1])
    split(folder / "turned.csv", folder / "third.csv", folds=3, keep=folder / "first.csv")
    assert folds_in(folder / "third.csv") == second


def test_new_samples_go_where_their_class_is_rarest(tmp_path):
    rows = [(f"{name}{k}.png", name) for name in "ab" for k in range(9)]
    split(write(tmp_path / "old.csv", rows), tmp_path / "first.csv", folds=3)
    rows += [(f"c{k}.png", "c") for k in range(6)] + [(f"more{k}.png", "a") for k in range(4)]
    write(tmp_path / "all.csv", rows)
    split(tmp_path / "all.csv", tmp_path / "second.csv", folds=3, keep=tmp_path / "first.csv")
    folds = folds_in(tmp_path / "second.csv")
    assert Counter(folds[name] for name, kind in rows if kind == "c") == {0: 2, 1: 2, 2: 2}
    assert sorted(Counter(folds[name] for name, kind in rows if kind == "a").values()) == [4, 4, 5]


def test_what_shows_the_same_as_a_known_sample_joins_it(tmp_path):
    rows = [(f"{k}.png", "ab"[k % 2]) for k in range(12)]
    write(tmp_path / "old.csv", [(name, k % 3) for k, (name, _) in enumerate(rows[:9])])
    text = (tmp_path / "old.csv").read_text().replace("path,class", "path,fold")
    (tmp_path / "old.csv").write_text(text)
    opened = open_data(write(tmp_path / "all.csv", rows), Reading())
    opened.source.groups = ["x" if k in (1, 10, 11) else str(k) for k in range(12)]
    table = table_without_copies(opened.source)
    known = known_folds(tmp_path / "old.csv", table, 3)
    assert dict(zip(table.ids, known.tolist(), strict=True)) == {
        **{f"{k}.png": k % 3 for k in range(9)},
        "9.png": NEW,
        "10.png": 1,
        "11.png": 1,
    }


def test_groups_are_dealt_as_a_whole(tmp_path):
    rows = [(f"{k}.png", "ab"[k % 2]) for k in range(20)]
    opened = open_data(write(tmp_path / "all.csv", rows), Reading())
    opened.source.groups = [str(k // 4) for k in range(20)]
    table = table_without_copies(opened.source)
    numbers = np.full(20, NEW)
    dealt = deal(kinds_of(table), table.units, numbers, 3, np.random.default_rng(0))
    folds = dealt.reshape(5, 4)
    assert (folds == folds[:, :1]).all()
    assert sorted(np.bincount(dealt).tolist()) == [4, 8, 8]


def test_a_test_part_stays_and_gets_its_share_of_new_samples(tmp_path):
    rows = [(f"{k}.png", "ab"[k % 2]) for k in range(20)]
    split(write(tmp_path / "old.csv", rows), tmp_path / "first.csv", folds=2, test=0.2)
    rows += [(f"new{k}.png", "ab"[k % 2]) for k in range(10)]
    write(tmp_path / "all.csv", rows)
    keep = tmp_path / "first.csv"
    split(tmp_path / "all.csv", tmp_path / "second.csv", folds=2, test=0.2, keep=keep)
    first, second = folds_in(keep), folds_in(tmp_path / "second.csv")
    assert first.items() <= second.items()
    new = [fold for name, fold in second.items() if name.startswith("new")]
    assert new.count(-1) == 2
    record = json.loads((tmp_path / "second.split.json").read_text())
    assert record["keep"] == "first.csv"
    written = split(tmp_path / "all.csv", tmp_path / "third.csv", folds=2, keep=keep)
    assert written.parts["test"].images == 4


def test_folds_that_do_not_fit_are_refused(tmp_path):
    rows = [(f"{k}.png", "ab"[k % 2]) for k in range(12)]
    split(write(tmp_path / "old.csv", rows), tmp_path / "first.csv", folds=4)
    opened = open_data(tmp_path / "old.csv", Reading())
    table = table_without_copies(opened.source)
    plan = Plan(folds=3, keep=tmp_path / "first.csv")
    with pytest.raises(ConfigError, match=r"--keep: expected folds from 0 to 2, got 3 in .*first"):
        fold_numbers(table, kinds_of(table), plan)
    others = open_data(write(tmp_path / "x.csv", [("x.png", "a"), ("y.png", "b")]), Reading())
    with pytest.raises(DataError, match="expected folds of some of these samples, got none") as e:
        known_folds(tmp_path / "first.csv", table_without_copies(others.source), 4)
    assert e.value.slug == "data/given-folds"
    with pytest.raises(ConfigError, match="--keep: expected --folds beside it, got it without"):
        check_plan(Plan(keep=tmp_path / "first.csv"))


def test_the_table_that_is_kept_to_is_not_written_over(tmp_path, capsys):
    rows = [(f"{k}.png", "ab"[k % 2]) for k in range(12)]
    split(write(tmp_path / "old.csv", rows), tmp_path / "first.csv", folds=2)
    command = ["data", "split", str(tmp_path / "old.csv"), "--ignore-copies", "--folds", "2"]
    keep = ["--keep", str(tmp_path / "first.csv")]
    assert run([*command, *keep, "-o", str(tmp_path / "first.csv"), "--force"]) == 2
    assert "expected another file than the one that is read" in capsys.readouterr().err
    assert run([*command, *keep, "-o", str(tmp_path / "second.csv")]) == 0
    assert folds_in(tmp_path / "second.csv") == folds_in(tmp_path / "first.csv")


def test_a_class_counts_before_the_size_of_a_fold():
    kinds = Kinds(("a", "b"), np.arange(5), np.array([0, 1, 1, 1, 0]), np.array([2, 3, 0]))
    known = np.array([0, 1, 1, 1, NEW])
    dealt = deal(kinds, np.arange(5), known, 2, generator_for(0, "new samples"))
    assert dealt.tolist() == [0, 1, 1, 1, 1]
