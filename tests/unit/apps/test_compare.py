import csv
import io
import json
import math
import os
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_runs import history, make_run
from ruamel.yaml import YAML

from fivefold import compare
from fivefold.apps.compare.yaml_blocks import blocks, mapping_of, value_of
from fivefold.config import ABSENT
from fivefold.config.document import read
from fivefold.config.nodes import plain
from fivefold.core.errors import ConfigError, FivefoldError, StateError
from fivefold.engine.history import write_history
from fivefold.evaluation import spread
from fivefold.experiment.summary import read_summary


def paths(comparison):
    return [one.path for one in comparison.experiments]


def by_path(comparison):
    return {one.path: one for one in comparison.experiments}


def as_dicts(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_best_comes_first_and_what_differs_has_a_column(tmp_path):
    make_run(tmp_path / "a", 0.8, lr=0.01)
    make_run(tmp_path / "b", 0.9, lr=0.1)
    found = compare(tmp_path)
    assert paths(found) == ["b", "a"]
    assert found.sorted_by == "val_accuracy"
    assert found.parameters == {"stages.0.lr": [0.1, 0.01]}
    assert [one.status for one in found.experiments] == ["finished", "finished"]


def test_numbers_are_those_of_the_summary(tmp_path):
    folder = make_run(tmp_path / "a", 0.8, folds=3)
    one = compare(tmp_path).experiments[0]
    last = read_summary(folder).stages[-1]
    assert one.fold_count == 3
    for name, expected in last.items():
        assert one.metrics[name] == expected
    assert one.metrics["oof_accuracy"]["mean"] == 0.8
    assert one.metrics["epoch"]["mean"] == 1
    assert one.metrics["stage"]["mean"] == 1


def test_config_that_was_trained_counts_not_what_the_file_says_now(tmp_path):
    make_run(tmp_path / "a", lr=0.01)
    make_run(tmp_path / "b", lr=0.01)
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    manifest["config"]["batch"] = 64  # as `--set batch=64` leaves it
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(manifest))
    assert by_path(compare(tmp_path)).keys() == {"a", "b"}
    found = compare(tmp_path)
    assert dict(zip(paths(found), found.parameters["batch"], strict=True)) == {"a": 16, "b": 64}


def test_without_manifests_the_files_are_compared(tmp_path):
    make_run(tmp_path / "a", 0.8, manifest=False, batch=8)
    make_run(tmp_path / "b", 0.9, manifest=False)
    assert compare(tmp_path).parameters == {"batch": [16, 8]}


def test_each_metric_is_marked_in_its_own_direction(tmp_path):
    make_run(tmp_path / "a", 0.8)
    make_run(tmp_path / "b", 0.9)
    found = compare(tmp_path)
    assert paths(found) == ["b", "a"]
    assert found.best["val_accuracy"] == {0}
    assert found.best["val_loss"] == {0}
    assert found.experiments[0].metrics["val_loss"]["mean"] < 0.3
    assert not {"epoch", "stage"} & found.best.keys()


def test_equal_experiments_are_all_the_best_and_go_by_path(tmp_path):
    for name in ("c", "a", "b"):
        make_run(tmp_path / name, 0.9)
    found = compare(tmp_path)
    assert paths(found) == ["a", "b", "c"]
    assert found.best["val_accuracy"] == {0, 1, 2}


def test_direction_of_an_own_metric_is_what_its_config_says(tmp_path):
    for name, value in (("a", 3.0), ("b", 2.0)):
        folder = make_run(tmp_path / name)
        manifest = json.loads(folder.manifest_path.read_text())
        manifest["config"] |= {"primary_metric": "val_mine", "primary_metric_mode": "min"}
        folder.manifest_path.write_text(json.dumps(manifest))
        folder.summary_path.write_text(
            folder.summary_path.read_text().replace(
                "primary_metric: val_accuracy", "primary_metric: val_mine"
            )
        )
        for fold in range(2):
            rows = [{**row, "val_mine": value + i} for i, row in enumerate(history(fold, 0.5))]
            write_history(folder.metrics(fold, 1), rows)
    found = compare(tmp_path)
    assert paths(found) == ["b", "a"]
    assert found.best["val_mine"] == {0}
    assert found.experiments[0].metrics["val_mine"]["mean"] == 2.0


def test_where_only_the_run_knew_the_direction_its_summary_is_taken(tmp_path):
    folder = make_run(tmp_path / "a", 0.9)
    text = folder.summary_path.read_text().replace(
        "primary_metric: val_accuracy", "primary_metric: val_mine"
    )
    folder.summary_path.write_text(text)
    found = compare(tmp_path)
    one = found.experiments[0]
    assert (one.status, one.primary_metric) == ("finished", "val_mine")
    assert one.metrics["val_accuracy"] == read_summary(folder).stages[-1]["val_accuracy"]
    assert "epoch" not in one.metrics


def test_tables_alone_give_the_numbers_of_the_summary(tmp_path):
    """Musket's first summaries have no metrics in them."""
    folder = make_run(tmp_path / "a", 0.8, folds=3)
    last = read_summary(folder).stages[-1]
    folder.summary_path.write_text("completed: true\ncfgName: config.yaml\nsubsample: 1.0\n")
    one = compare(tmp_path).experiments[0]
    assert (one.status, one.fold_count, one.primary_metric) == ("finished", 3, "val_accuracy")
    for name, expected in last.items():
        assert one.metrics[name] == pytest.approx(expected, rel=1e-12)


def test_a_summary_without_any_metrics_is_said_to_have_none(tmp_path):
    folder = make_run(tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "metrics")
    folder.summary_path.write_text("completed: true\n")
    one = compare(tmp_path).experiments[0]
    assert (one.status, one.note) == ("finished", "it has kept no metrics")


def test_summary_speaks_where_a_table_of_metrics_is_gone(tmp_path):
    folder = make_run(tmp_path / "a", 0.9, folds=3)
    folder.metrics(2, 1).unlink()
    one = compare(tmp_path).experiments[0]
    assert (one.status, one.fold_count) == ("finished", 3)
    assert (
        one.metrics["val_accuracy"]["std"] == read_summary(folder).stages[-1]["val_accuracy"]["std"]
    )


NAN_SPREAD = r"\1    max: .nan\n    mean: .nan\n    min: .nan\n    std: .nan\n"


def test_nan_is_never_the_best_and_comes_last(tmp_path):
    make_run(tmp_path / "b", 0.5)
    folder = make_run(tmp_path / "a", 0.9)
    text = folder.summary_path.read_text()
    spoiled = re.sub(r"(val_macro_f1:\n)(    \w+: .*\n){4}", NAN_SPREAD, text)
    assert spoiled != text
    folder.summary_path.write_text(spoiled)
    found = compare(tmp_path, sort_by="val_macro_f1")
    assert paths(found) == ["b", "a"]
    assert math.isnan(found.experiments[1].metrics["val_macro_f1"]["mean"])
    assert found.best["val_macro_f1"] == {0}


def test_unfinished_runs_say_how_far_they_are_and_are_never_the_best(tmp_path):
    make_run(tmp_path / "done", 0.5)
    folder = make_run(tmp_path / "half", 0.9, folds=3, finished=False)
    folder.metrics(2, 1).unlink()
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "config.yaml").write_text("stages: [{epochs: 1}]\n")
    found = compare(tmp_path)
    assert paths(found) == ["done", "half", "fresh"]
    notes = {path: (one.status, one.note) for path, one in by_path(found).items()}
    assert notes == {
        "done": ("finished", ""),
        "half": ("unfinished", "2 of 3 folds have begun stage 1 of 2"),
        "fresh": ("unfinished", "not trained yet"),
    }
    assert found.best["val_accuracy"] == {0}
    assert found.experiments[1].metrics["val_accuracy"]["mean"] > 0.8


def test_broken_and_foreign_folders_are_listed_with_their_reason(tmp_path):
    make_run(tmp_path / "good")
    make_run(tmp_path / "no-yaml", manifest=False).config_path.write_text("a: [1\n")
    make_run(tmp_path / "no-json").manifest_path.write_text("{")
    make_run(tmp_path / "no-table").metrics(1, 1).write_text("what, is, this\n")
    make_run(tmp_path / "no-summary").summary_path.write_text("Error")
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    make_run(tmp_path / "no-config", manifest=False).config_path.unlink()
    for name in ("a_config.yaml", "b_config.yaml"):
        (tmp_path / "two").mkdir(exist_ok=True)
        (tmp_path / "two" / name).write_text("stages: [{epochs: 1}]\n")
    (tmp_path / "again").symlink_to(tmp_path / "good")
    found = {path: (one.status, one.note) for path, one in by_path(compare(tmp_path)).items()}
    assert found.pop("again") == ("finished", "")
    assert found.pop("good") == ("foreign", "a link to a folder that is listed")
    broken = ("no-yaml", "no-json", "no-table", "no-summary", "two")
    assert {path: status for path, (status, _) in found.items()} == {
        **dict.fromkeys(broken, "broken"),
        **dict.fromkeys(("photos", "no-config"), "foreign"),
    }
    reasons = {path: note for path, (_, note) in found.items()}
    assert "config.yaml:2:1: expected YAML" in reasons["no-yaml"]
    assert "manifest.json" in reasons["no-json"]
    assert "metrics-1.1.csv: expected a table of metrics" in reasons["no-table"]
    assert "summary.yaml: expected a summary in YAML, got 'Error'" in reasons["no-summary"]
    assert reasons["photos"] == "no experiment in it (no config)"
    assert reasons["no-config"] == "results without a config"
    assert reasons["two"] == "expected one config, got a_config.yaml, b_config.yaml"


def test_wrong_bytes_are_told_with_their_file(tmp_path):
    make_run(tmp_path / "good")
    make_run(tmp_path / "summary").summary_path.write_bytes(b"completed: \xff")
    make_run(tmp_path / "config", manifest=False).config_path.write_bytes(b"lr: \xe9")
    make_run(tmp_path / "manifest").manifest_path.write_bytes(b'{"config": "\xff"}')
    found = {path: one.note for path, one in by_path(compare(tmp_path)).items()}
    expected = "expected UTF-8 text, got the byte"
    assert found["summary"] == f"{tmp_path}/summary/summary.yaml: {expected} 0xff"
    assert found["config"] == f"{tmp_path}/config/config.yaml: {expected} 0xe9"
    assert found["manifest"].startswith(f"{tmp_path}/manifest/manifest.json: expected")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_cannot_be_read_is_listed(tmp_path):
    make_run(tmp_path / "good")
    (tmp_path / "shut").mkdir(mode=0)
    found = by_path(compare(tmp_path))
    assert found["shut"].note == "cannot be read: Permission denied"


def test_nested_experiments_are_found_and_folders_of_runs_are_not_searched(tmp_path):
    make_run(tmp_path / "search")
    make_run(tmp_path / "search" / "trial0")
    make_run(tmp_path / "search" / "weights" / "mine")
    make_run(tmp_path / "deep" / "er" / "x")
    make_run(tmp_path / ".hidden")
    assert sorted(paths(compare(tmp_path))) == ["deep/er/x", "search", "search/trial0"]


def test_one_experiment_can_be_shown_alone(tmp_path):
    make_run(tmp_path / "a")
    assert paths(compare(tmp_path / "a")) == ["."]


def test_config_of_another_name_is_found(tmp_path):
    folder = make_run(tmp_path / "a", manifest=False)
    folder.config_path.rename(tmp_path / "a" / "ship_config.yaml")
    assert paths(compare(tmp_path)) == ["a/ship_config.yaml"]


def test_only_one_metric_sorts_by_it_in_any_spelling(tmp_path):
    make_run(tmp_path / "a", 0.8)
    make_run(tmp_path / "b", 0.9)
    found = compare(tmp_path, only_metric="val_acc")
    assert found.metrics == ("val_accuracy",)
    assert paths(found) == ["b", "a"]
    assert paths(compare(tmp_path, only_metric="val_loss")) == ["b", "a"]


def test_sorting_by_a_key_goes_by_its_values(tmp_path):
    for name, batch in (("a", 128), ("b", 16), ("c", 32)):
        make_run(tmp_path / name, batch=batch)
    assert paths(compare(tmp_path, sort_by="batch")) == ["b", "c", "a"]
    assert paths(compare(tmp_path, sort_by="path")) == ["a", "b", "c"]


def test_unknown_column_is_refused_with_the_closest(tmp_path):
    make_run(tmp_path / "a")
    with pytest.raises(
        ConfigError, match="--sort-by: expected a column of the comparison"
    ) as error:
        compare(tmp_path, sort_by="val_acuracy")
    assert error.value.slug == "cli/no-such-column"
    assert error.value.problems[0].hint == "did you mean 'val_accuracy'?"


def test_a_file_is_no_folder_of_experiments(tmp_path):
    (tmp_path / "config.yaml").touch()
    expected = (
        r"config\.yaml: expected a folder with experiments, got a file\n    name the folder that"
    )
    with pytest.raises(ConfigError, match=expected) as error:
        compare(tmp_path / "config.yaml")
    assert error.value.slug == "cli/no-experiments"


@pytest.mark.parametrize("name", ["nothing", "."])
def test_folder_without_experiments_is_refused(tmp_path, name):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ConfigError, match="expected a folder with experiments, got no") as error:
        compare(tmp_path / name)
    assert error.value.slug == "cli/no-experiments"


def test_csv_has_a_row_for_everything_and_full_digits(tmp_path):
    make_run(tmp_path / "runs" / "a", 0.8)
    make_run(tmp_path / "runs" / "b", 0.9, lr=0.5)
    (tmp_path / "runs" / "photos").mkdir()
    compare(tmp_path / "runs").write_csv(tmp_path / "result.csv")
    rows = as_dicts(tmp_path / "result.csv")
    assert [row["path"] for row in rows] == ["b", "a", "photos"]
    assert list(rows[0])[:4] == ["path", "status", "fold_count", "stages.0.lr"]
    assert list(rows[0])[-2:] == ["best", "note"]
    values = [history(fold, 0.9)[1]["val_accuracy"] for fold in range(2)]
    assert float(rows[0]["val_accuracy"]) == spread(values)["mean"]
    assert float(rows[0]["val_accuracy_std"]) == spread(values)["std"]
    assert "val_accuracy" in rows[0]["best"].split()
    assert rows[1]["best"] == ""
    assert (rows[2]["status"], rows[2]["val_accuracy"]) == ("foreign", "")


def test_changed_loss_does_not_hide_the_metric_of_the_same_name(tmp_path):
    for name, loss in (("a", "hinge"), ("b", "focal")):
        folder = make_run(tmp_path / name)
        manifest = json.loads(folder.manifest_path.read_text())
        manifest["config"]["loss"] = loss
        folder.manifest_path.write_text(json.dumps(manifest))
    header, *rows = compare(tmp_path).table()
    assert header.count("loss") == 1
    assert {row[header.index("loss_function")] for row in rows} == {"hinge", "focal"}


def test_same_folder_gives_the_same_table(tmp_path):
    for number in range(5):
        make_run(tmp_path / f"{number}", 0.5 + number / 10, batch=number + 1)
    before = compare(tmp_path).table()
    shutil.copytree(tmp_path, tmp_path.parent / "copy")
    assert compare(tmp_path.parent / "copy").table() == before
    shutil.rmtree(tmp_path.parent / "copy")


def test_absent_keys_are_empty_cells(tmp_path):
    for name, options in (("a", {}), ("b", {"Dropout": 0.5})):
        folder = make_run(tmp_path / name)
        manifest = json.loads(folder.manifest_path.read_text())
        manifest["config"]["augmentation"] = [{"Fliplr": 0.5}, *([options] if options else [])]
        folder.manifest_path.write_text(json.dumps(manifest))
    found = compare(tmp_path, sort_by="path")
    assert found.parameters == {"augmentation.Dropout": [ABSENT, 0.5]}
    assert [row[3] for row in found.table()] == ["augmentation.Dropout", "", "0.5"]


KEYS = st.sampled_from(["batch", "lr", "loss", "note", "stages", "augmentation", "x_1"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-1e6, 1e6)
    | st.text("ab #:'\"-[]{},&*\n", max_size=6)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5), st.booleans())
def test_reading_block_by_block_gives_what_reading_the_whole_gives(values, flow):
    yaml, stream = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = flow
    yaml.dump(values, stream)
    text = "# a comment\n" + stream.getvalue()
    root, problems = read(text, "x")
    assert not problems
    assert mapping_of(text, "x") == plain(root)


@given(st.text("ab:\n -#'\"[]{}&*1.", max_size=40))
def test_no_text_is_read_otherwise_than_as_a_whole(text):
    try:
        root, problems = read(text, "x")
        whole = plain(root)
    except FivefoldError:
        whole, problems = None, []
    try:
        found = mapping_of(text, "x")
    except FivefoldError:
        found = None
    assert found == (whole if isinstance(whole, dict) and not problems else None)


def test_numbers_of_a_summary_are_read_with_nan():
    found = mapping_of("oof:\n  a: 0.5\n  b: .nan\n  c: -.inf\n  d: 1e-05\n", "x")["oof"]
    assert (found["a"], found["c"], found["d"]) == (0.5, -math.inf, 1e-5)
    assert math.isnan(found["b"])


NUMBERS = st.integers(-5, 10**6) | st.floats()
NAMES = st.sampled_from(["val_loss", "loss", "mean", "std", "a.b"])


@given(
    st.lists(
        st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS, min_size=1), min_size=1), min_size=1
    )
)
def test_stages_of_a_summary_are_read_as_they_were_written(stages):
    yaml, stream = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.dump({"stages": stages}, stream)
    found = value_of(stream.getvalue())
    assert repr(found) == repr(YAML(typ="safe", pure=True).load(stream.getvalue()))


def test_a_key_that_stands_twice_is_not_overlooked():
    for text in ("oof:\n  a: 1\n  a: 2\n", "stages:\n- a:\n    x: 1\n  a:\n    x: 2\n"):
        with pytest.raises(StateError, match="a: set twice") as error:
            mapping_of(text, "x")
        assert error.value.slug == "config/duplicate-key"


def test_text_is_cut_at_its_keys():
    assert blocks("# head\n\na: 1\nb:\n- 2\n# tail\n") == {"a": "a: 1\n", "b": "b:\n- 2\n# tail\n"}
    assert blocks("---\na: 1\n") is None
    assert blocks("a: 1\na: 2\n") is None


def losing(root, loss, accuracy, primary="val_loss"):
    """Leave a run that was trained with a loss and chose its weights by a metric."""
    folder = make_run(root, accuracy)
    record = json.loads(folder.manifest_path.read_text())
    record["config"] |= {"loss": loss, "primary_metric": primary}
    folder.manifest_path.write_text(json.dumps(record))
    text = folder.summary_path.read_text()
    folder.summary_path.write_text(text.replace("val_accuracy\n", f"{primary}\n"))


def test_different_losses_are_not_what_sorts_where_there_is_a_metric_of_all(tmp_path):
    losing(tmp_path / "a", "crossentropy", 0.8)
    losing(tmp_path / "b", "focal_loss", 0.9)
    found = compare(tmp_path)
    assert (found.sorted_by, paths(found), found.compares_losses) == (
        "val_accuracy",
        ["b", "a"],
        False,
    )
    assert "val_loss" not in found.best
    assert compare(tmp_path, sort_by="val_loss").compares_losses


def test_values_of_one_loss_are_compared(tmp_path):
    losing(tmp_path / "a", "crossentropy", 0.8)
    losing(tmp_path / "b", "crossentropy", 0.9)
    found = compare(tmp_path)
    assert (found.sorted_by, found.compares_losses) == ("val_loss", False)
    assert "val_loss" in found.best


def test_training_metrics_do_not_compete(tmp_path):
    make_run(tmp_path / "a", 0.8)
    make_run(tmp_path / "b", 0.9)
    found = compare(tmp_path)
    assert {"accuracy", "loss"} & set(found.metrics)
    assert found.best.keys() <= {name for name in found.metrics if "_" in name}
    assert "val_accuracy" in found.best
