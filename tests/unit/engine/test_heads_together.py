"""Heads of several folds on features: as the slow road, and each as if it were alone."""

from dataclasses import replace

import pytest
import torch
from runs import CONFIG, write_experiment
from safetensors.torch import save_file

from fivefold.core.errors import NumericError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.data import FolderSource
from fivefold.engine import features, stage
from fivefold.engine.features import Features
from fivefold.engine.heads_together import run_heads
from fivefold.engine.stage import StageRun
from fivefold.engine.stage_job import build_task
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.frozen import run_frozen
from fivefold.experiment.work import fold_data, new_model, stage_job

FROZEN = CONFIG.replace(
    """  - {epochs: 1, freeze_encoder: true}
  - {epochs: 2, unfreeze_encoder: true}
""",
    "  - {epochs: 3, freeze_encoder: true}\n",
).replace("folds_count: 2", "folds_count: 3")


def work_of(folder, config=FROZEN):
    """Prepare an experiment as `fit` does, and train nothing."""
    folder.mkdir()
    write_experiment(folder, per_class=7, config=config)
    experiment = Experiment.load(folder)
    prepared = prepare(
        FolderSource(folder / "shapes"), experiment.config, experiment.folder, Silent(), save=True
    )
    return experiment._work(prepared, range(3))


def runs_of(work, folds=(0, 1, 2)):
    stage = work.stages[0]
    return [
        StageRun(stage_job(work, stage, new_model(work, fold), fold_data(work, fold, stage), fold))
        for fold in folds
    ]


def train(work, folds=(0, 1, 2)):
    run_frozen(work, work.stages[0], {fold: new_model(work, fold) for fold in folds})


def results(root, fold):
    """Read all that a finished stage leaves, as bytes."""
    folder = RunFolder.of(root)
    paths = [*folder.results(fold, 0), folder.metrics(fold, 0)]
    paths.append(folder.examples(fold, 0) / "validation.png")
    return [path.read_bytes() for path in paths]


@pytest.mark.parametrize(
    "extra",
    [
        "",
        "dropout: 0.4\n",
        "batch: 5\noptimizer: {SGD: {momentum: 0.9}}\nclipnorm: 0.1\n",
        "schedule: OneCycle\noptimizer: {AdamW: {weight_decay: 0.1}}\n",
        "augmentation: {Fliplr: 0.5, Affine: {rotate: [-20, 20]}}\n",
        "callbacks: {EarlyStopping: {patience: 0, monitor: val_loss}}\n",
        "dropout: 0.1\nhead_layers: [12, 0.3, 7]\nhead_activation: gelu\n",
        "batch: 5\nclassifier_layer_sizes: [0.2, 20]\nhead_batchnorm: true\nema: 0.9\n",
        "batch: 5\naccumulate: 2\nema: 0.9\n",
        "class_weights: balanced\nl2: 0.05\nloss: 2*focal_loss\n",
        "callbacks: {CyclicLR: {max_lr: 0.05, step_size: 2}}\noptimizer: Lamb\n",
        "batch: 5\ncallbacks: {LRVariator: {absSize: 3, toVal: 0.05}, ModelCheckpoint: {}}\n",
    ],
)
def test_each_head_has_the_bytes_that_it_has_alone(tmp_path, extra):
    config = FROZEN.replace("batch: 16\n", "") + ("" if "batch" in extra else "batch: 16\n") + extra
    train(work_of(tmp_path / "together", config))
    alone = work_of(tmp_path / "alone", config)
    for fold in (2, 0, 1):
        train(alone, [fold])
    for fold in range(3):
        assert results(tmp_path / "together", fold) == results(tmp_path / "alone", fold)


@pytest.mark.parametrize(
    "extra",
    [
        "batch: 16\n",
        "batch: 16\ndropout: 0.4\n",
        "batch: 16\nschedule: OneCycle\n",
        "batch: 16\nhead_layers: [12, 0.3, 7]\nhead_activation: tanh\ndropout: 0.1\n",
        "batch: 5\nhead_layers: [20, 0.2]\nhead_batchnorm: true\n",
        "batch: 16\ntransforms: {Invert: 1, Multiply: [0.8, 1.2]}\n",
        "batch: 5\naccumulate: 2\nclipnorm: 0.1\nclipvalue: 0.02\n",
        "batch: 5\nclass_weights: {circle: 3}\nl1: 0.01\nl2: 0.1\nloss: mse+0.5*ce\n",
        "batch: 5\nema: 0.8\ncallbacks: {CyclicLR: {max_lr: 0.05, step_size: 2}}\n",
        "batch: 5\ncallbacks: {LRVariator: {absSize: 3, toVal: 0.05}}\noptimizer: NovoGrad\n",
    ],
)
def test_features_give_the_numbers_of_the_slow_road_to_four_digits(tmp_path, extra):
    fast, slow = (
        work_of(tmp_path / name, FROZEN.replace("batch: 16\n", "") + extra)
        for name in ("fast", "slow")
    )
    train(fast)
    for run in runs_of(slow):
        run.run()
    for fold in range(3):
        ours, theirs = (
            torch.tensor(
                [
                    [float(cell) for cell in line.split(",")]
                    for line in work.folder.metrics(fold, 0).read_text().splitlines()[1:]
                ]
            )
            for work in (fast, slow)
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_run_that_was_broken_off_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    train(work_of(tmp_path / "whole"))
    work = work_of(tmp_path / "broken")
    end_epoch, ended = StageRun.end_epoch, []

    def break_off(self, *args):
        end_epoch(self, *args)
        ended.append(1)
        if len(ended) == 4:  # fold 0 has two epochs, the others one
            msg = "broken off"
            raise KeyboardInterrupt(msg)

    monkeypatch.setattr(StageRun, "end_epoch", break_off)
    with pytest.raises(KeyboardInterrupt, match="broken off"):
        train(work)
    monkeypatch.undo()
    train(work)
    for fold in range(3):
        assert results(tmp_path / "whole", fold) == results(tmp_path / "broken", fold)


def test_only_the_head_of_a_frozen_stage_is_committed(tmp_path, monkeypatch):
    work = work_of(tmp_path / "run")
    monkeypatch.setattr(StageRun, "finish", lambda self: None)
    train(work, [0])
    (newest, *_) = sorted(work.folder.state(0).glob("0-*.safetensors"), reverse=True)
    assert newest.stat().st_size < 3_000  # the whole net has 1,416 parameters of 4 bytes


def test_another_backbone_than_before_is_refused_at_resume(tmp_path, monkeypatch):
    work = work_of(tmp_path / "run")
    monkeypatch.setattr(StageRun, "finish", lambda self: None)
    train(work, [0])
    monkeypatch.undo()
    model = new_model(work, 0)
    model.backbone.net.layers[0].weight.data += 1
    with pytest.raises(
        StateError, match="expected the frozen backbone that the epochs before"
    ) as e:
        run_frozen(work, work.stages[0], {0: model})
    assert e.value.slug == "state/weights-changed"


def test_a_loss_that_is_not_finite_names_its_fold_and_keeps_the_epochs_before(tmp_path):
    work = work_of(tmp_path / "run")
    runs = runs_of(work)
    runs[1].task.model.head.linear.bias.data[0] = torch.nan
    values = torch.zeros(len(work.table), 16)
    place = torch.arange(len(work.table)).numpy()
    table = type("Table", (), {"of": lambda self, rows: values[place[rows]]})()
    found = {run.encoder: Features(table, ()) for run in runs}
    failed = run_heads(runs, found)
    assert list(failed) == [1]
    assert failed[1].slug == "numeric/loss"
    assert "fold 1, stage 0, epoch 1 of 3, learning rate 0.01: expected a finite" in str(failed[1])
    assert not work.folder.bundle(1, 0).exists()
    assert all(work.folder.bundle(fold, 0).exists() for fold in (0, 2))


def failing_fold(monkeypatch, fold, calls):
    """Let a fold's loss be no number after some calls; gives how often it was asked for."""
    asked = []

    def build(job):
        task = build_task(job)

        def breaking(loss):
            def watched(logits, targets):
                asked.append(job.fold)
                value = loss(logits, targets)
                broken = job.fold == fold and asked.count(fold) > calls
                return value * torch.nan if broken else value

            return watched

        answers = replace(task.answers, loss=breaking(task.answers.loss))
        return replace(task, loss=breaking(task.loss), answers=answers)

    monkeypatch.setattr(stage, "build_task", build)
    return asked


# in the first step, the second one, the validation after them, the next epoch
@pytest.mark.parametrize("calls", [0, 1, 2, 4])
def test_a_fold_that_fails_leaves_the_others_their_bytes_and_goes_on_later(
    tmp_path, monkeypatch, calls
):
    config = FROZEN.replace("batch: 16", "batch: 7")
    train(work_of(tmp_path / "whole", config))
    work_of(tmp_path / "run", config)
    failing_fold(monkeypatch, 1, calls)
    with pytest.raises(NumericError, match=r"fold 1, stage 0, epoch \d of 3, .*a finite loss"):
        Experiment.load(tmp_path / "run").fit()
    for fold in (0, 2):
        assert results(tmp_path / "run", fold) == results(tmp_path / "whole", fold)
    assert not RunFolder.of(tmp_path / "run").bundle(1, 0).exists()
    assert not RunFolder.of(tmp_path / "run").summary_path.exists()
    monkeypatch.undo()
    Experiment.load(tmp_path / "run").fit()
    for fold in range(3):
        assert results(tmp_path / "run", fold) == results(tmp_path / "whole", fold)


def test_stages_after_a_frozen_one_are_run_for_the_folds_that_have_not_failed(
    tmp_path, monkeypatch
):
    config = FROZEN.replace(
        "  - {epochs: 3, freeze_encoder: true}\n",
        "  - {epochs: 1, freeze_encoder: true}\n  - {epochs: 1, unfreeze_encoder: true}\n",
    )
    work = work_of(tmp_path / "run", config)
    failing_fold(monkeypatch, 1, 0)
    lines = []
    monkeypatch.setattr(Silent, "line", lambda self, text: lines.append(text))
    with pytest.raises(NumericError, match="fold 1, stage 0, epoch 1 of 1"):
        Experiment.load(tmp_path / "run").fit()
    assert [work.folder.bundle(fold, 1).exists() for fold in range(3)] == [True, False, True]
    (told,) = [line for line in lines if "failed" in line]
    assert told.startswith("fold 1: failed, the others go on: fold 1, stage 0, epoch 1 of 1")


def test_of_several_folds_that_fail_the_first_is_raised_and_the_others_are_told(
    tmp_path, monkeypatch, caplog
):
    work_of(tmp_path / "run")
    monkeypatch.setattr(
        stage,
        "build_task",
        lambda job: replace(build_task(job), loss=lambda logits, _: logits.sum() * torch.nan),
    )
    with pytest.raises(NumericError, match="fold 0, stage 0, epoch 1 of 3"):
        Experiment.load(tmp_path / "run").fit()
    told = [line for line in caplog.messages if "has failed too" in line]
    assert [line[:26] for line in told] == [
        "fold 1 has failed too: fol",
        "fold 2 has failed too: fol",
    ]


def test_folds_with_one_pretrained_backbone_compute_its_features_once(tmp_path, monkeypatch):
    start = new_model(work_of(tmp_path / "first"), 0)
    (tmp_path / "run").mkdir()
    save_file(start.backbone.net.state_dict(), tmp_path / "run" / "start.safetensors")
    config = FROZEN.replace("weights: none", "weights: start.safetensors")
    write_experiment(tmp_path / "run", per_class=7, config=config)
    make, made = features._make, []
    monkeypatch.setattr(features, "_make", lambda *args: made.append(1) or make(*args))
    Experiment.load(tmp_path / "run").fit()
    assert len(made) == 1
