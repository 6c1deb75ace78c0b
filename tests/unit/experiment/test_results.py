import pytest

from fivefold.config import parse
from fivefold.experiment.asked import Asked
from fivefold.experiment.summary import Summary


def spread(mean):
    return {"mean": mean, "std": 0.0, "min": mean, "max": mean}


def summary(result="", holdout=None):
    last = {"val_accuracy": spread(0.8), "val_loss": spread(0.4), "val_macro_f1": spread(0.7)}
    oof = {"accuracy": 0.81, "macro_f1": 0.71}
    return Summary(
        (0, 1), True, "val_accuracy", (last,), oof, holdout or {}, experiment_result=result
    )


@pytest.mark.parametrize(
    ("result", "holdout", "expected"),
    [
        ("", {}, 0.8),
        ("", {"accuracy": 0.6}, 0.6),
        ("macro_f1", {"accuracy": 0.6, "macro_f1": 0.5}, 0.7),
        ("val_macro_f1", {}, 0.7),
        ("f1_score", {}, 0.7),
        ("macro_f1_holdout", {"accuracy": 0.6, "macro_f1": 0.5}, 0.5),
        ("macro_f1_holdout", {}, None),
        ("loss", {}, 0.4),
    ],
)
def test_one_number_stands_for_the_experiment(result, holdout, expected):
    assert summary(result, holdout).result == expected


@pytest.mark.parametrize(
    ("text", "finals", "result"),
    [
        ("", (), ""),
        ("final_metrics: [auc, dice]", ("auc", "dice"), ""),
        ("metrics: [auc]\nfinal_metrics: [AUC, dice]", ("dice",), ""),
        ("final_metrics: [auc]\nexperiment_result: macro_f1", ("auc", "macro_f1"), "macro_f1"),
        ("experiment_result: val_auc_holdout", ("auc",), "val_auc_holdout"),
        ("experiment_result: loss", (), "loss"),
        ("metrics: [auc]\nexperiment_result: size_auc", (), "size_auc"),
    ],
)
def test_metrics_are_computed_after_training_unless_every_epoch_has_them(text, finals, result):
    assert Asked.by(parse(text or "lr: 1")) == Asked(finals, result)
