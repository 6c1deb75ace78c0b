import pytest

from fivefold.build import check
from fivefold.build.heads import REFUSED_ACTIVATIONS
from fivefold.config import parse
from fivefold.evaluation import REFUSED


def told(text):
    config = parse(f"architecture: test_resnet\nstages: [{{epochs: 1}}]\n{text}")
    return [(problem.slug, str(problem)) for problem in check(config)]


@pytest.mark.parametrize("name", sorted(REFUSED_ACTIVATIONS))
def test_an_activation_that_gives_no_probabilities_says_why(name):
    assert told(f"activation: [sigmoid, {name}]") == [
        (
            "config/refused-activation",
            "config.yaml:3:13: activation: expected 'softmax', 'sigmoid' or 'none', "
            f"got {name!r}\n    {REFUSED_ACTIVATIONS[name]}",
        )
    ]


def test_a_misspelt_activation_names_the_closest():
    ((slug, text),) = told("activation: sigmiod")
    assert slug == "config/unknown-name"
    assert text.endswith("did you mean 'sigmoid'?")


@pytest.mark.parametrize("key", ["metrics", "final_metrics", "experiment_result"])
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_metric_that_measures_nothing_here_says_why(key, name):
    ((slug, text),) = told(f"{key}: {name if key == 'experiment_result' else [name]}")
    assert slug == "config/refused-metric"
    assert f"{key}: expected something that can be measured, got {name!r}" in text
    assert text.endswith(REFUSED[name])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics: [acuracy]", "config.yaml:3:11: metrics: expected the name of a known metric"),
        ("final_metrics: [macro_f1, diec]", "config.yaml:3:27: final_metrics: expected the name"),
        ("experiment_result: val_f7", "config.yaml:3:20: experiment_result: expected the name of"),
        (
            "final_metrics: {dice: {for_validation: 1}}",
            "config.yaml:3:23: final_metrics.dice: expected nothing or {for_validation: true}",
        ),
        (
            "final_metrics: {dice: {for_validaton: true}}",
            "config.yaml:3:23: final_metrics.dice: expected nothing or {for_validation: true}",
        ),
        (
            "primary_metric: val_macro_f1",
            "config.yaml:3:17: primary_metric: expected a number that each epoch has",
        ),
    ],
)
def test_what_nothing_can_measure_is_told_with_its_line(text, message, tmp_path):
    from fivefold.core.errors import ConfigError
    from fivefold.experiment.loading import load_checked

    path = tmp_path / "config.yaml"
    path.write_text(f"architecture: test_resnet\nstages: [{{epochs: 1}}]\n{text}\n")
    with pytest.raises(ConfigError, match="expected") as error:
        load_checked(path)
    (problem,) = error.value.problems
    assert message in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        "experiment_result: macro_f1_holdout",
        "experiment_result: val_loss",
        "metrics: [accuracy]\nexperiment_result: size_accuracy",
        "final_metrics: [dice_true_negative_is_one, {auc: {for_validation: true}}]",
        "final_metrics: [macro_f1]\nprimary_metric: val_macro_f1",
        "metrics: [iou]\nprimary_metric: val_iou_coef",
    ],
)
def test_what_can_be_measured_is_no_problem(text):
    assert told(text) == []


def test_a_misspelt_activation_of_the_head_names_the_closest():
    ((slug, text),) = told("head_layers: [8]\nhead_activation: rlu")
    assert slug == "config/unknown-name"
    assert "config.yaml:4:18: head_activation: expected an activation between layers, got" in text
    assert text.endswith("did you mean 'relu'?")


def test_batchnorm_in_the_head_wants_more_than_one_sample():
    ((slug, text),) = told("head_layers: [8]\nhead_batchnorm: true\nbatch: 1")
    assert slug == "config/bad-value"
    assert "config.yaml:5:8: batch: expected at least 2, got 1" in text


@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        ("0*binary_crossentropy", "'0*binary_crossentropy'"),
        ("[0*dice_loss-0*f1_loss, 0*f1_loss]", "'0*dice_loss-0*f1_loss' and '0*f1_loss'"),
    ],
)
def test_losses_that_all_weigh_nothing_are_refused(loss, shown):
    ((slug, text),) = told(f"loss: {loss}")
    assert slug == "config/bad-value"
    assert text == (
        f"config.yaml:3:7: loss: expected a loss whose weight is not 0, got {shown}\n"
        "    there is nothing to learn from a loss that is always 0"
    )


@pytest.mark.parametrize("loss", ["[dice_loss, 0*f1_loss]", "0*dice_loss+f1_loss", "-dice_loss"])
def test_one_loss_that_counts_is_enough(loss):
    assert told(f"loss: {loss}") == []


@pytest.mark.parametrize("name", ["val_loss", "loss", "Loss"])
@pytest.mark.parametrize("key", ["metrics", "final_metrics"])
def test_losses_among_the_metrics_are_told_to_be_measured_always(key, name):
    ((slug, text),) = told(f"{key}: [{name}]")
    assert slug == "config/unknown-name"
    assert text.endswith(
        f"{key}: expected the name of a known metric, got {name!r}\n"
        "    losses are measured in every epoch; `primary_metric` and monitors name them"
    )
