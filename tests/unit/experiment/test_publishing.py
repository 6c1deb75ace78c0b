from dataclasses import replace

from many_runs import make_run

from fivefold.config import load
from fivefold.engine.callbacks import Callback, callbacks
from fivefold.experiment.publishing import publish_summary
from fivefold.experiment.summary import read_summary

HEARD = []


@callbacks.add()
class Listener(Callback):
    """Remembers what it is told."""

    def on_results(self, results):
        HEARD.append(results)


def published(root, **options):
    folder = make_run(root, **options)
    folder.oof_path.parent.mkdir()
    folder.oof_path.write_text("id\n")
    weights = [folder.weights(0, 0), folder.weights(0, 1), folder.bundle(1, 1)]
    for path in weights:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    HEARD.clear()
    config = load(folder.config_path, ["callbacks={Listener: {}}"])
    publish_summary(config, folder, read_summary(folder))
    return folder


def test_callbacks_of_all_stages_hear_once_what_was_found(tmp_path):
    folder = published(tmp_path / "run")
    (results,) = HEARD
    assert results.files == (folder.config_path, folder.summary_path, folder.oof_path)
    assert list(results.weights) == [folder.weights(0, 1), folder.bundle(1, 1)]
    assert results.numbers["oof_accuracy"] == 0.9
    assert results.numbers["val_accuracy_mean"] > results.numbers["val_accuracy_std"]
    assert results.config["batch"] == 16


def test_nothing_is_told_while_folds_are_left(tmp_path):
    folder = make_run(tmp_path / "run")
    HEARD.clear()
    config = load(folder.config_path, ["callbacks={Listener: {}}"])
    publish_summary(config, folder, replace(read_summary(folder), completed=False))
    assert HEARD == []
