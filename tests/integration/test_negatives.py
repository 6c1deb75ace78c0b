"""Stages on fewer negative samples: who takes part, and what is predicted in the end."""

from pathlib import Path

import numpy as np
import pytest
import torch
from runs import CONFIG, StopAfter, StopError

from fivefold.apps.report import write_report
from fivefold.cli.results import show_summary
from fivefold.config import load
from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.data import PredictionItem
from fivefold.experiment.datasets import prepare, wrap
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.summary import read_summary
from fivefold.experiment.work import fold_data

FIXTURE = Path(__file__).parents[1] / "fixtures/musket/negatives.yaml"
CLASSES = ["round", "red"]
BALANCED = (
    CONFIG.replace("dataset: {folder: shapes}", "activation: sigmoid")
    .replace("epochs: 1", "epochs: 1, negatives: none")
    .replace("epochs: 2", "epochs: 2, negatives: 2")
    .replace("val_accuracy", "val_loss")
    .replace("[accuracy]", "[]")
)


class Marks:
    """Twelve images with a mark, thirty-six without."""

    class_names = CLASSES

    def __init__(self, own=True):
        if own:
            self.isPositive = lambda i: i % 4 == 0

    def __len__(self):
        return 48

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        return PredictionItem(f"n{i:02}", image, np.array([i % 4 == 0, i % 8 == 0], np.float32))


def experiment(folder, config=BALANCED, **options):
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    (folder / "config.yaml").write_text(config)
    return Experiment.load(folder, **options)


def rows_of(run, dataset, fold, stage):
    prepared = prepare(wrap(dataset, run.progress), run.config, run.folder, run.progress)
    data = fold_data(run._work(prepared, [fold]), fold, run.stages[stage])
    return data, prepared.table


def test_a_stage_sees_positives_and_so_many_negatives_for_each(tmp_path):
    run = experiment(tmp_path / "run")
    for own in (True, False):  # by `isPositive`, and by the labels
        first, table = rows_of(run, Marks(own), 0, 0)
        positive = table.targets[np.arange(48)].any(axis=1)
        assert positive[first.train_rows].all()
        assert positive[first.val_rows].all()
        assert len(first.train_rows) + len(first.val_rows) == 12
        second, _ = rows_of(run, Marks(own), 0, 1)
        for rows in (second.train_rows, second.val_rows):
            assert (~positive[rows]).sum() == 2 * positive[rows].sum()
        assert len(second.whole_val_rows) == 24
        assert len(second.left_out) == 24 - len(second.val_rows)


def test_out_of_fold_predictions_are_of_all_samples_and_survive_a_break(tmp_path):
    whole = experiment(tmp_path / "whole")
    whole.fit(Marks())
    with pytest.raises(StopError, match="loss"):
        experiment(tmp_path / "broken", progress=StopAfter(3)).fit(Marks())
    broken = experiment(tmp_path / "broken")
    broken.fit(Marks())
    for fold in (0, 1):
        for stage in (0, 1):
            paths = [run.folder.predictions("validation", fold, stage) for run in (whole, broken)]
            assert len(Predictions.load(paths[0])) == 24
            assert paths[0].read_bytes() == paths[1].read_bytes()
            paths = [run.folder.weights(fold, stage) for run in (whole, broken)]
            assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_summary_says_that_stages_are_validated_on_different_samples(tmp_path, capsys):
    whole = experiment(tmp_path / "whole")
    found = whole.fit(Marks())
    sizes = [
        sum(len(rows_of(whole, Marks(), fold, stage)[0].val_rows) for fold in (0, 1))
        for stage in (0, 1)
    ]
    assert list(found.validated) == sizes == [12, 36]
    told = "tages are validated on different samples: stage 0 on 12; stage 1 on 36: do not compare"
    show_summary(read_summary(whole.folder))
    assert told in capsys.readouterr().err.replace("\n", " ")
    write_report(whole.folder)
    assert told in whole.folder.report_path.read_text()
    same = BALANCED.replace(", negatives: none", "").replace(", negatives: 2", "")
    assert experiment(tmp_path / "same", same).fit(Marks()).footnote == ""


def test_negatives_change_what_is_learned(tmp_path):
    few, all_of_them = (
        experiment(tmp_path / "few"),
        experiment(tmp_path / "all", BALANCED.replace(", negatives: none", "")),
    )
    few.fit(Marks(), [0], reuse=False)
    all_of_them.fit(Marks(), [0], reuse=False)
    first, other = (run.folder.weights(0, 0).read_bytes() for run in (few, all_of_them))
    assert first != other


def test_what_cannot_be_balanced_is_told_before_training(tmp_path):
    class Raises(Marks):
        def isPositive(self, i):  # noqa: N802  Musket's name
            raise KeyError(i)

    with pytest.raises(
        DataError, match="isPositive: expected true or false, got KeyError"
    ) as error:
        experiment(tmp_path / "raises").fit(Raises(own=False))
    assert error.value.slug == "data/is-positive"

    class Nothing(Marks):
        def isPositive(self, i):  # noqa: N802  Musket's name
            return False

    with pytest.raises(DataError, match="negatives: expected positive samples, got none") as error:
        experiment(tmp_path / "nothing").fit(Nothing(own=False))
    assert error.value.slug == "data/no-positives"


def test_musket_files_say_negatives_in_every_way():
    stages = load(FIXTURE).resolve()
    pairs = [(stage.negatives, stage.validation_negatives) for stage in stages]
    assert pairs == [(0, -1), (2, 2), (-1, 100)]


def test_negatives_among_positives_alone_are_told_to_have_no_effect(tmp_path, caplog):
    class Positive(Marks):
        def isPositive(self, i):  # noqa: N802  Musket's name
            return True

    data, _ = rows_of(experiment(tmp_path / "run"), Positive(own=False), 0, 0)
    assert len(data.train_rows) == 24
    assert "negatives: no effect: all 48 samples are positive" in caplog.text
