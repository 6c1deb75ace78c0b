import math

import pytest
from many_runs import make_run

from fivefold.apps.plot import choose_metrics, read_log
from fivefold.core.errors import ConfigError, DataError, StateError
from fivefold.engine.history import read_history


def written(path, text):
    path.write_text(text)
    return path


def test_a_run_is_read_fold_by_fold_and_stage_by_stage(tmp_path):
    folder = make_run(tmp_path / "birds", folds=3)
    log = read_log(tmp_path / "birds")
    assert log.name == "birds"
    assert log.folds == [0, 1, 2]
    assert log.lengths == {0: 3, 1: 3}
    assert log.histories[2, 1] == read_history(folder.metrics(2, 1))
    assert read_log(folder.config_path).histories == log.histories


def test_a_run_at_work_is_read_as_far_as_it_is(tmp_path):
    folder = make_run(tmp_path / "birds", finished=False, manifest=False)
    folder.metrics(1, 1).unlink()
    written(folder.metrics(1, 0), "epoch,loss\n")  # no epoch has ended
    log = read_log(tmp_path / "birds")
    assert log.histories.keys() == {(0, 0), (0, 1)}


def test_a_damaged_table_is_left_out_and_told(tmp_path, caplog):
    folder = make_run(tmp_path / "birds")
    written(folder.metrics(1, 1), "epoch,loss\n7,1\n")
    assert (1, 1) not in read_log(tmp_path / "birds").histories
    assert "metrics-1.1.csv" in caplog.text


@pytest.mark.parametrize("name", ["", "nothing-here"])
def test_nothing_to_draw_is_told(tmp_path, name):
    with pytest.raises(
        StateError, match=r"expected (the metrics of an epoch|an exp).*got n"
    ) as error:
        read_log(tmp_path / name)
    assert error.value.slug == "state/no-metrics"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_kerass_tables_are_read(tmp_path, delimiter):
    text = "epoch,accuracy,loss,lr,val_accuracy,val_loss\n"
    text += "0,0.5,1.5,0.01,NA,nan\n1,0.6,1.0,0.01,0.7,0.9\n"
    log = read_log(written(tmp_path / "training_log.csv", text.replace(",", delimiter)))
    ((place, (first, second)),) = log.histories.items()
    assert place == (0, 0)
    assert math.isnan(first.pop("val_loss"))
    assert first == {"accuracy": 0.5, "loss": 1.5, "lr": 0.01}
    assert second["val_accuracy"] == 0.7


def test_where_epochs_begin_anew_a_stage_begins(tmp_path):
    path = written(tmp_path / "log.csv", "epoch,loss\n0,3\n1,2\n0,2\n1,1\n2,0\n")
    log = read_log(path)
    assert log.lengths == {0: 2, 1: 3}
    assert [row["loss"] for row in log.histories[0, 1]] == [2, 1, 0]


def test_a_row_that_is_being_written_is_left_out(tmp_path):
    log = read_log(written(tmp_path / "log.csv", "epoch,loss,lr\n0,3,1\n1,2"))
    assert log.lengths == {0: 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", r"the columns \[\]"),
        ("a,b\n1,2\n", r"the columns \['a', 'b'\]"),
        ("epoch,loss\n", "no rows"),
        ("epoch,loss\n0,1\n0\n1,2\n2\n", "rows of other lengths than the header"),
        ("epoch,loss\n0,high\n", "'high'"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, found):
    path = written(tmp_path / "log.csv", text)
    with pytest.raises(DataError, match=f"a column `epoch`, got {found}") as error:
        read_log(path)
    assert error.value.slug == "data/not-a-log"


def test_all_metrics_are_drawn_the_loss_first_and_the_rate_only_if_asked_for(tmp_path):
    make_run(tmp_path / "birds")
    log = read_log(tmp_path / "birds")
    assert choose_metrics(log) == {
        "loss": ["val_loss", "loss"],
        "accuracy": ["val_accuracy", "accuracy"],
        "val_macro_f1": ["val_macro_f1"],
    }
    assert choose_metrics(log, ["lr", "val_acc", "acc"]) == {
        "lr": ["lr"],
        "val_accuracy": ["val_accuracy"],
        "accuracy": ["val_accuracy", "accuracy"],
    }


def test_an_unknown_metric_is_told_with_the_closest(tmp_path):
    make_run(tmp_path / "birds")
    log = read_log(tmp_path / "birds")
    with pytest.raises(ConfigError, match="--metric: expected a metric of the run, got 'acuracy'"):
        choose_metrics(log, ["acuracy"])
    with pytest.raises(ConfigError, match="there are accuracy, loss, lr") as error:
        choose_metrics(log, ["?"])
    assert error.value.problems[0].slug == "cli/no-such-metric"
