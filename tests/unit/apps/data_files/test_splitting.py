import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_to_split import table

from fivefold.apps.data_files.choosing import kinds_of
from fivefold.apps.data_files.reading import table_without_copies
from fivefold.apps.data_files.splitting import TEST, Plan, check_plan, fold_numbers, write_split
from fivefold.core.errors import ConfigError, DataError
from fivefold.experiment.named_data import Reading, open_data

SIZES = {"gym": 185, "poolinside": 140, "operating_room": 115}


def write_table(path, sizes, more=()):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "class", *more])
        for name, count in sizes.items():
            writer.writerows([f"{name}/{k}.jpg", name, *more] for k in range(count))
    return path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def drawn(path, plan, output, reading=None, **options):
    opened = open_data(path, reading or Reading())
    return write_split(opened, table_without_copies(opened.source), plan, output, **options)


@pytest.fixture
def rooms(tmp_path):
    return write_table(tmp_path / "all_data.csv", SIZES, more=["note"])


def test_a_fifth_of_each_class_is_tested_on_rounded_up(rooms, tmp_path):
    written = drawn(rooms, Plan(test=0.2), tmp_path / "part.csv")
    assert written.parts["test"].classes == {"gym": 37, "operating_room": 23, "poolinside": 28}
    train, test = rows_of(tmp_path / "part_train.csv"), rows_of(tmp_path / "part_test.csv")
    assert (len(train), len(test)) == (352, 88)
    assert {r["path"] for r in train}.isdisjoint(r["path"] for r in test)
    whole = rows_of(tmp_path / "part.csv")
    assert [r["path"] for r in whole] == [r["path"] for r in rows_of(rooms)]
    assert list(whole[0]) == ["path", "class", "note", "split"]
    assert sorted(train + test, key=str) == sorted(whole, key=str)


def test_the_seed_is_recorded_and_draws_the_same_again(rooms, tmp_path):
    drawn(rooms, Plan(test=0.2, seed=7), tmp_path / "a.csv")
    drawn(rooms, Plan(test=0.2, seed=7), tmp_path / "b.csv")
    drawn(rooms, Plan(test=0.2, seed=8), tmp_path / "c.csv")
    record = json.loads((tmp_path / "a.split.json").read_text())
    assert (record["seed"], record["test"], record["data"]) == (7, 0.2, "all_data.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() != (tmp_path / "c.csv").read_bytes()


def test_the_seed_draws_folds_too(rooms, tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        drawn(rooms, Plan(folds=5, seed=seed), tmp_path / f"{name}.csv")
    first, again, other = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert first == again != other


def test_folds_are_even_and_their_files_are_the_whole(rooms, tmp_path):
    plan = Plan(folds=5, train=(0, 1, 2, 3))
    written = drawn(rooms, plan, tmp_path / "dataset.csv")
    assert written.parts["valid"].classes == {"gym": 37, "operating_room": 23, "poolinside": 28}
    train, valid = rows_of(tmp_path / "dataset_train.csv"), rows_of(tmp_path / "dataset_valid.csv")
    assert {row["fold"] for row in train} == set("0123")
    assert {row["fold"] for row in valid} == {"4"}
    whole = rows_of(tmp_path / "dataset.csv")
    assert sorted(train + valid, key=str) == sorted(whole, key=str)
    assert not (tmp_path / "dataset_infer.csv").exists()


def test_folds_to_infer_have_a_file_and_are_not_validated_on(rooms, tmp_path):
    plan = Plan(folds=5, train=(0, 1, 2), infer=(4,))
    written = drawn(rooms, plan, tmp_path / "d.csv")
    assert list(written.parts) == ["train", "valid", "infer"]
    assert {row["fold"] for row in rows_of(tmp_path / "d_valid.csv")} == {"3"}
    assert {row["fold"] for row in rows_of(tmp_path / "d_infer.csv")} == {"4"}


def test_the_test_part_is_drawn_first_and_is_fold_minus_one(rooms, tmp_path):
    written = drawn(rooms, Plan(test=0.2, folds=4), tmp_path / "d.csv")
    alone = drawn(rooms, Plan(test=0.2), tmp_path / "e.csv")
    assert written.parts["test"] == alone.parts["test"]
    folds = [row["fold"] for row in rows_of(tmp_path / "d.csv")]
    assert set(folds) == {"-1", "0", "1", "2", "3"}
    assert folds.count("-1") == 88


def test_rows_that_are_left_out_are_in_no_part(tmp_path):
    text = "path,class,n\n1.png,,1\n1.png,a,2\n2.png,b,3\n2.png,b,4\n3.png,a,5\n4.png,b,6\n,b,7\n"
    (tmp_path / "in.csv").write_text(text)
    drawn(tmp_path / "in.csv", Plan(test=0.5), tmp_path / "d.csv")
    assert [row["n"] for row in rows_of(tmp_path / "d.csv")] == ["2", "3", "5", "6"]


def test_rows_of_a_group_stay_together(tmp_path):
    lines = [f"{k}.png,{'ab'[k % 2]},p{k // 4}" for k in range(48)]
    (tmp_path / "in.csv").write_text("path,class,patient\n" + "\n".join(lines) + "\n")
    opened = open_data(tmp_path / "in.csv", Reading(group_column="patient"))
    assert opened.source.warnings == ()
    data = table_without_copies(opened.source)
    written = write_split(opened, data, Plan(test=0.25, folds=3), tmp_path / "d.csv")
    assert (written.tied, written.together) == (48, 12)
    assert written.warnings == ()
    folds = {}
    for row in rows_of(tmp_path / "d.csv"):
        folds.setdefault(row["patient"], set()).add(row["fold"])
    assert all(len(own) == 1 for own in folds.values())
    assert written.parts["test"].classes == {"a": 6, "b": 6}


def test_a_part_for_testing_that_groups_make_larger_is_told(tmp_path):
    lines = [f"{k}.png,a,p{k // 6}" for k in range(24)]
    (tmp_path / "in.csv").write_text("path,class,patient\n" + "\n".join(lines) + "\n")
    opened = open_data(tmp_path / "in.csv", Reading(group_column="patient"))
    table = table_without_copies(opened.source)
    written = write_split(opened, table, Plan(test=0.2), tmp_path / "d.csv")
    told = "test has 25.0% of the images where 20.0% was asked for: groups are not divided"
    assert [text.partition(",")[0] for text in written.warnings] == [told]


def test_a_column_that_is_not_there_groups_nothing(rooms):
    with pytest.raises(
        DataError, match=r"--group-column: expected one of .* got 'notes'"
    ) as caught:
        open_data(rooms, Reading(group_column="notes"), ("group_column",))
    assert caught.value.slug == "data/missing-column"
    assert "did you mean 'note'?" in str(caught.value)


def test_several_labels_count_for_each(tmp_path):
    lines = [f"{k}.png,{'a$b' if k % 3 else 'b'}" for k in range(30)]
    (tmp_path / "in.csv").write_text("path,tags\n" + "\n".join(lines) + "\n")
    written = drawn(tmp_path / "in.csv", Plan(test=0.2), tmp_path / "d.csv", Reading(separator="$"))
    assert written.parts["test"].classes["a"] == 4
    assert written.parts["test"].classes["b"] >= 6
    assert rows_of(tmp_path / "d.csv")[1]["tags"] == "a$b"


def test_a_class_that_comes_whole_into_the_test_part_is_told(tmp_path):
    path = write_table(tmp_path / "in.csv", {"a": 9, "b": 1})
    written = drawn(path, Plan(test=0.1), tmp_path / "d.csv")
    of_size = "test has 20.0% of the images where 10.0% was asked for: groups are not divided, and "
    assert written.warnings == ("train has no image of 'b'", of_size + "each class is rounded up")


def test_nothing_left_to_train_on_is_refused(tmp_path):
    path = write_table(tmp_path / "in.csv", {"a": 1, "b": 1})
    with pytest.raises(DataError, match="expected images to train and to test on") as caught:
        drawn(path, Plan(test=0.5), tmp_path / "d.csv")
    assert caught.value.slug == "data/too-few"


def test_a_column_that_is_there_already_is_not_replaced(rooms, tmp_path):
    with pytest.raises(ConfigError, match=r"--column: expected a name that no column has, got"):
        drawn(rooms, Plan(test=0.5), tmp_path / "d.csv", column="note")
    assert not (tmp_path / "d.csv").exists()


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (Plan(), "--test: expected a fraction between 0 and 1, got 0"),
        (Plan(test=1.0), "--test: expected a fraction between 0 and 1, got 1"),
        (Plan(test=float("nan")), "--test: expected a fraction between 0 and 1, got nan"),
        (Plan(folds=1), "--folds: expected from 2 to 1000 folds, got 1"),
        (Plan(folds=-3), "--folds: expected from 2 to 1000 folds, got -3"),
        (Plan(test=0.2, train=(0,)), "--train-folds: expected --folds and --train-folds beside"),
        (Plan(folds=3, valid=(0,)), "--valid-folds: expected --folds and --train-folds beside"),
        (Plan(folds=3, train=(3,)), "--train-folds: expected folds from 0 to 2, got 3"),
        (Plan(folds=3, train=(0,), infer=(0,)), "got 0 as in --train-folds"),
        (Plan(folds=3, train=(0, 1, 2)), "expected a fold that is left to validate on, got all"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(plan, text):
    with pytest.raises(ConfigError, match=text) as caught:
        check_plan(plan)
    assert caught.value.problems[0].slug == "cli/split-option"


@given(
    classes=st.lists(st.integers(0, 2), min_size=8, max_size=60),
    groups=st.lists(st.integers(0, 30), min_size=60, max_size=60),
    seed=st.integers(0, 3),
)
def test_no_group_crosses_a_part_and_the_order_of_rows_does_not_matter(classes, groups, seed):
    names = [f"s{group:04}" for group in groups[: len(classes)]]
    data = table(classes, groups=names)
    plan = Plan(test=0.3, seed=seed)
    try:
        numbers = fold_numbers(data, kinds_of(data), plan)
    except DataError:  # too few groups to have both parts
        return
    assert set(numbers.tolist()) == {0, TEST}
    for name in set(names):
        assert len({n for n, own in zip(numbers, names, strict=True) if own == name}) == 1
    order = np.random.default_rng(seed).permutation(len(classes))
    shuffled = data.take(order)
    again = fold_numbers(shuffled, kinds_of(shuffled), plan)
    assert again.tolist() == numbers[order].tolist()
