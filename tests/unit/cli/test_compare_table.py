import re
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from fivefold.apps.compare import Compared, Comparison
from fivefold.cli import compare_table
from fivefold.cli.compare_table import fitting_table, whole_table
from fivefold.cli.console import show_table
from fivefold.config import ABSENT

METRICS = ("accuracy", "epoch", "oof_accuracy", "oof_f1", "stage", "val_accuracy", "val_loss")


def comparison(paths, parameters=None, *, metrics=METRICS, sorted_by="val_accuracy", best=None):
    """Experiments of which the first is the best; the last one has no numbers."""
    spreads = {name: {"mean": 0.9, "std": 0.01} for name in metrics}
    experiments = [
        Compared(path, "finished", primary_metric="val_accuracy", metrics=spreads)
        for path in paths[:-1]
    ]
    experiments.append(Compared(paths[-1], "unfinished", "not trained yet"))
    best = best if best is not None else {"val_accuracy": frozenset({0})}
    return Comparison(tuple(experiments), parameters or {}, metrics, best, sorted_by)


def titles(table):
    return [title.replace("\n", "") for title in table.header]


def column(table, title):
    return [row[titles(table).index(title)] for row in table.rows]


MANY = {f"stages.{i}.callbacks.Some.option": [i, 2 * i, ABSENT] for i in range(30)}


@pytest.mark.parametrize("width", [60, 80, 120, 200, 400])
def test_no_line_is_wider_than_the_terminal(width, capsys):
    paths = ["search/" + "long" * 30 + name for name in ("1", "2", "3")]
    table = fitting_table(comparison(paths, MANY), width)
    show_table(table.header, table.rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == len(table.header[0].split("\n")) + 1 + 3


def test_what_is_left_out_is_counted():
    found = comparison(["a", "b", "c"], MANY)
    whole, fitting = whole_table(found), fitting_table(found, 100)
    assert fitting.left_out == len(whole.header) - len(fitting.header) > 0
    assert (whole.left_out, fitting_table(found, 10_000).left_out) == (0, 4)


def test_a_pipe_gets_every_metric_and_key_unshortened():
    long = "x" * 300
    whole = whole_table(comparison(["a" * 300, "b"], {**MANY, "note": [long, ABSENT]}))
    shown = {"accuracy (training)", "epoch (from 1)", *METRICS[2:]}
    expected = {"experiment", *shown, *MANY, "config.note"}
    assert set(whole.header) == expected
    assert column(whole, "config.note") == [long, ""]
    assert column(whole, "experiment") == ["a" * 300, "b"]


def test_numbers_of_training_say_so_and_stand_behind_all_others():
    whole = whole_table(comparison(["a", "b"], metrics=("dice", "iou", "oof_dice", "val_dice")))
    expected = ["experiment", "val_dice", "oof_dice", "dice (training)", "iou (training)"]
    assert whole.header == expected


def test_what_was_trained_for_comes_first_then_its_totals_then_validation():
    table = fitting_table(comparison(["a", "b"]), 200)
    assert titles(table) == ["experiment", "val_accuracy", "oof_accuracy", "val_loss"]
    sorted_otherwise = fitting_table(comparison(["a", "b"], sorted_by="val_loss"), 200)
    assert titles(sorted_otherwise)[1:3] == ["val_loss", "val_accuracy"]


def test_experiments_without_validation_show_what_they_have():
    found = comparison(["a", "b"], metrics=("accuracy", "loss"), sorted_by="path")
    assert titles(fitting_table(found, 80)) == [
        "experiment",
        "accuracy (training)",
        "loss (training)",
    ]


def test_the_metric_that_sorts_stays_on_the_narrowest_terminal():
    assert titles(fitting_table(comparison(["a", "b"], MANY), 10)) == ["experiment", "val_accuracy"]


def test_numbers_stand_below_each_other_and_the_best_has_a_star():
    table = fitting_table(comparison(["a", "b", "c"]), 80)
    assert column(table, "val_accuracy") == ["0.9000 ± 0.0100 *", "0.9000 ± 0.0100  ", "-  "]
    assert column(table, "val_loss") == ["0.9000 ± 0.0100", "0.9000 ± 0.0100", "-"]


@pytest.mark.parametrize(
    ("name", "mean", "text"),
    [
        ("val_loss", 12345.678, "1.235e+04"),
        ("val_loss", 0.00012, "0.00012"),
        ("val_loss", 0.0, "0.0000"),
        ("epoch", 2.0, "3"),
    ],
)
def test_digits_suit_the_size_of_numbers(name, mean, text):
    one = Compared("a", "finished", metrics={name: {"mean": mean}})
    found = Comparison((one,), {}, (name,), {}, "path")
    assert whole_table(found).rows == [["a", text]]


def test_keys_that_part_experiments_evenly_come_before_those_that_hardly_do():
    parameters = {
        "hardly": [1, 1, 1, 1, 1, 2],
        "evenly": [1, 1, 2, 2, 3, 3],
        "likewise": [8, 8, 9, 9, 7, 7],
        "halves": [1, 1, 1, 2, 2, 2],
    }
    found = comparison(list("abcdef"), parameters)
    assert titles(fitting_table(found, 50))[2:] == ["evenly", "halves"]
    assert titles(fitting_table(found, 60))[2:] == ["hardly", "evenly", "halves"]
    assert titles(fitting_table(found, 200))[-4:] == list(parameters)


def test_the_key_that_sorts_is_there_however_little_it_says():
    parameters = {"hardly": [1, 1, 1, 2], "evenly": [1, 2, 3, 4]}
    found = comparison(list("abcd"), parameters, sorted_by="hardly")
    assert titles(fitting_table(found, 42)) == ["experiment", "val_accuracy", "hardly"]


def test_a_key_is_found_by_its_title_where_a_metric_has_its_name():
    found = comparison(list("abc"), {"loss": ["x", "y", "y"], "batch": [1, 2, 3]}, sorted_by="loss")
    assert titles(fitting_table(found, 48)) == ["experiment", "val_accuracy", "loss_function"]


def test_long_titles_are_broken_behind_dots_and_stand_on_the_last_line():
    parameters = {"augmentation.Affine.rotate": [1, 2], "batch": [1, 2]}
    table = fitting_table(comparison(["a", "b"], parameters), 200)
    assert "augmentation.\nAffine.\nrotate" in table.header
    assert "\n\nbatch" in table.header


def test_long_values_keep_their_beginning_and_end():
    values = ["categorical_crossentropy+0.5*focal", "mse", "mse"]
    table = fitting_table(comparison(list("abc"), {"activation": values}), 200)
    (cut, *_) = column(table, "activation")
    assert cut == "categorical…py+0.5*focal"
    narrow = fitting_table(comparison(list("abc"), {"activation": values}), 50)
    assert len(column(narrow, "activation")[0]) == 14


@given(
    texts=st.lists(st.text("ab", max_size=60), min_size=1, max_size=6),
    room=st.integers(4, 30),
)
def test_shortened_texts_differ_where_the_texts_do(texts, room):
    before = compare_table._Column("x", texts)
    after = compare_table._shortened(before, room).cells
    for (old, new), (other_old, other_new) in combinations(zip(texts, after, strict=True), 2):
        assert (old == other_old) == (new == other_new)
    for old, new in zip(texts, after, strict=True):
        assert re.fullmatch(re.escape(new).replace("…", ".*"), old)
    if len(texts) == 1:
        assert len(after[0]) <= room


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
def test_use_of_a_key_is_the_entropy_of_its_values(values):
    found, _ = compare_table._use(compare_table._Column("x", values))
    assert -found == pytest.approx(entropy(list(Counter(values).values())), abs=1e-8)
