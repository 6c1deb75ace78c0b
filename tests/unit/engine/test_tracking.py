import math
import os
import shutil
import subprocess
import sys
import threading

import pytest

from fivefold.engine.callbacks import Control, MLflow, RunResults, StageInfo
from fivefold.engine.callbacks.mlflow_runs import Place, flattened, settings
from fivefold.engine.history import write_history

CONFIG = {"architecture": "tiny", "stages": [{"epochs": 2, "lr": 0.1}, {"epochs": 3}], "batch": 4}


def rows(count, start=0):
    return [{"loss": 1 / (1 + start + i), "val_loss": math.nan, "lr": 0.1} for i in range(count)]


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory):
    """Make an empty data base once: MLflow takes seconds for it."""
    root = tmp_path_factory.mktemp("mlflow")
    MLflow(tracking_uri="sqlite:///runs.db").on_results(RunResults(root, {}))
    return root / "runs.db"


@pytest.fixture
def root(empty_database, tmp_path):
    """Give an experiment's folder, with a data base beside it."""
    shutil.copy(empty_database, tmp_path / "runs.db")
    folder = tmp_path / "flowers"
    folder.mkdir()
    return folder


def made(**options):
    return MLflow(**{"tracking_uri": "sqlite:///../runs.db", "experiment": "tests", **options})


def info(root, stage=0, first_epoch=0, fold=0, epochs=2):
    before = tuple(rows(first_epoch))
    return StageInfo(fold, stage, root, first_epoch, rows=before, epochs=epochs, config=CONFIG)


def lived(root, span, *, callback=None, write=True, **places):
    """Go through epochs of a stage, and write its table as a stage does."""
    callback = callback or made()
    where = info(root, first_epoch=span.start, **places)
    callback.on_stage_start(where)
    for epoch in span:
        callback.on_epoch_end(epoch, rows(1, epoch)[0], Control(0.1))
    callback.on_stage_end()
    if write:
        path = root / "metrics" / f"metrics-{where.fold}.{where.stage}.csv"
        write_history(path, rows(span.stop))


def client(root):
    with settings():
        from mlflow import MlflowClient

        uri = f"sqlite:///{root.parent / 'runs.db'}"
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def runs(root):
    """Read all runs: by name of the fold, and `all`."""
    with settings():
        found = client(root)
        experiment = found.get_experiment_by_name("tests")
        every = found.search_runs([experiment.experiment_id])
        tags = [run.data.tags["fivefold.fold"] for run in every]
        assert len(set(tags)) == len(tags)
        return dict(zip(tags, every, strict=True))


def steps(root, name="loss", fold="0"):
    with settings():
        history = client(root).get_metric_history(runs(root)[fold].info.run_id, name)
        return sorted((metric.step, metric.value) for metric in history)


def expected(*counts):
    losses = [row["loss"] for count in counts for row in rows(count)]
    return list(enumerate(losses))


def test_an_experiment_is_a_run_and_each_fold_one_below_it(root):
    lived(root, range(2), fold=0)
    lived(root, range(2), fold=1)
    found = runs(root)
    assert found.keys() == {"all", "0", "1"}
    assert found["all"].info.run_name == "flowers"
    for fold in "01":
        assert found[fold].data.tags["mlflow.parentRunId"] == found["all"].info.run_id
        assert found[fold].info.run_name == f"fold {fold}"


def test_steps_go_on_from_stage_to_stage(root):
    lived(root, range(2))
    lived(root, range(3), stage=1, epochs=3)
    assert steps(root) == expected(2, 3)
    tags = runs(root)["0"].data.tags
    assert tags["fivefold.stage.0.steps"] == "0 to 1"
    assert tags["fivefold.stage.1.steps"] == "2 to 4"


def test_the_config_becomes_parameters(root):
    lived(root, range(1))
    assert runs(root)["all"].data.params == {
        "architecture": "tiny",
        "stages.0.epochs": "2",
        "stages.0.lr": "0.1",
        "stages.1.epochs": "3",
        "batch": "4",
    }


def test_a_number_that_is_none_is_logged_as_such(root):
    lived(root, range(1))
    ((step, value),) = steps(root, "val_loss")
    assert step == 0
    assert math.isnan(value)


@pytest.mark.parametrize(("logged", "committed"), [(2, 2), (2, 1), (1, 1)])
def test_a_resumed_run_goes_on_in_the_same_run_and_logs_nothing_twice(root, logged, committed):
    lived(root, range(logged), write=False, epochs=4)
    before = runs(root)["0"]
    assert before.info.status == "KILLED"
    lived(root, range(committed, 4), epochs=4)
    after = runs(root)["0"]
    assert after.info.run_id == before.info.run_id
    assert after.info.status == "FINISHED"
    assert steps(root) == expected(4)


def test_a_stage_that_a_callback_stops_is_finished(root):
    callback = made()
    callback.on_stage_start(info(root, epochs=9))
    callback.on_epoch_end(0, rows(1)[0], Control(0.1, stopped="early stop"))
    callback.on_stage_end()
    assert runs(root)["0"].info.status == "FINISHED"


def test_what_was_never_logged_is_sent_at_the_end(root):
    lived(root, range(2))
    # a stage that was taken from another experiment, and a fold that was trained without a server
    write_history(root / "metrics" / "metrics-0.1.csv", rows(3))
    write_history(root / "metrics" / "metrics-1.0.csv", rows(2))
    for _ in range(2):
        made().on_results(RunResults(root, CONFIG))
    assert steps(root) == expected(2, 3)
    assert steps(root, fold="1") == expected(2)
    assert {run.info.status for run in runs(root).values()} == {"FINISHED"}


def test_numbers_and_files_are_those_of_the_whole_run_and_lie_beside_the_data_base(root):
    (root / "predictions").mkdir()
    files = [root / "summary.yaml", root / "predictions" / "oof.csv", root / "best-0.0.json"]
    for path in files:
        path.write_text(path.name)
    results = RunResults(
        root, CONFIG, {"oof_accuracy": 0.5}, files[:2], [files[2], root / "not-there"]
    )
    made().on_results(results)
    made().on_results(results)
    run = runs(root)["all"]
    assert run.data.metrics == {"oof_accuracy": 0.5}
    assert len(steps(root, "oof_accuracy", "all")) == 1
    place = root.parent / "mlflow-artifacts" / run.info.run_id / "artifacts"
    found = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert found == {"summary.yaml", "predictions/oof.csv"}
    made(weights=True).on_results(results)
    assert (place / "weights" / "best-0.0.json").read_text() == "best-0.0.json"


def test_nothing_is_written_into_the_current_folder(root, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    lived(root, range(1))
    (root / "summary.yaml").write_text("")
    made().on_results(RunResults(root, CONFIG, {}, [root / "summary.yaml"]))
    assert not any(here.iterdir())


def test_the_environment_is_obeyed_where_the_config_says_nothing(tmp_path, monkeypatch):
    assert Place.of(tmp_path, "", "", "") == Place(
        tmp_path,
        f"sqlite:///{tmp_path}/logs/mlflow/mlflow.db",
        "fivefold",
        (tmp_path / "logs/mlflow/mlflow-artifacts").as_uri(),
    )
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
        patch.setenv("MLFLOW_EXPERIMENT_NAME", "birds")
        found = Place.of(tmp_path, "", "", "")
    assert found == Place(tmp_path, "http://127.0.0.1:5000", "birds", "")
    given = Place.of(tmp_path, "sqlite:///a/b.db", "cats", "files")
    assert given == Place(
        tmp_path, f"sqlite:///{tmp_path}/a/b.db", "cats", (tmp_path / "files").as_uri()
    )


def test_a_server_that_does_not_answer_is_told_once_and_training_goes_on(root, caplog):
    callback = made(tracking_uri="http://me:secret@127.0.0.1:9")
    lived(root, range(3), callback=callback)
    (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("fivefold")]
    assert line.startswith("MLflow cannot be logged to: ")
    assert "`fivefold fit --only-report`" in line
    assert "secret" not in line
    caplog.clear()
    callback.on_results(RunResults(root, CONFIG))
    # the server is back
    made().on_results(RunResults(root, CONFIG))
    assert steps(root) == expected(3)


def test_folds_at_once_have_one_run_above_them(root):
    threads = [
        threading.Thread(target=lived, args=(root, range(3)), kwargs={"fold": fold, "epochs": 3})
        for fold in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(root).keys() == {"all", "0", "1", "2"}
    assert all(steps(root, fold=fold) == expected(3) for fold in "012")


def test_mlflow_is_imported_by_nobody_who_does_not_log():
    code = "import sys, fivefold.engine.callbacks; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_configs_are_flattened_by_their_places():
    config = {"a": {"b": 1, "c": None}, "d": [1, 2], "e": [{"f": "x"}, ["g"]], "h": []}
    assert flattened(config) == {"a.b": "1", "d": "[1, 2]", "e.0.f": "x", "e.1": "['g']", "h": "[]"}


def test_settings_leave_the_environment_as_it_was(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
        before = dict(os.environ)
        with settings():
            assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "3"
            assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert dict(os.environ) == before
