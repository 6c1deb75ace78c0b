import pytest

from fivefold.build import check, mask_metric_problems
from fivefold.config import parse
from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.experiment.asked import Asked
from fivefold.experiment.loading import load_checked

MASKS = "architecture: Unet\nbackbone: ResNet18\nstages: [{epochs: 1}]\n"
CLASSES = "architecture: test_resnet\nstages: [{epochs: 1}]\n"


def told(text, start=MASKS):
    return [(problem.slug, str(problem)) for problem in check(parse(f"{start}{text}"))]


@pytest.mark.parametrize(
    "text",
    [
        "metrics: [binary_accuracy, iou, dice, image_iou, soft_dice, iou_cat, dice_Big dog]",
        "final_metrics: [dice_true_negative_is_one, {foreground_iou: {for_validation: true}}]",
        "experiment_result: image_dice_holdout",
        "loss: binary_crossentropy+0.1*dice_loss(smooth=10)-tversky_loss(alpha=0.2)",
        "loss: lovasz_loss\nclasses: 3",
    ],
)
def test_what_masks_have_is_no_problem(text):
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "slug", "message"),
    [
        (
            "metrics: [iou, auc]",
            "refused-metric",
            "config.yaml:4:16: metrics: expected something that can be measured of masks, "
            "got 'auc'\n    it needs the probabilities of all pixels",
        ),
        (
            "final_metrics: [dice_with_custom_treshold_true_negative_is_one]",
            "refused-metric",
            "config.yaml:4:17: final_metrics: expected something that can be measured of masks, "
            "got 'dice_with_custom_treshold_true_negative_is_one'\n    `thresholds` searches",
        ),
        (
            "experiment_result: imag_dice",
            "unknown-name",
            "config.yaml:4:20: experiment_result: expected the name of a known metric of masks, "
            "got 'imag_dice'\n    did you mean 'image_dice'?",
        ),
        (
            "metrics: [val_loss]",
            "unknown-name",
            "config.yaml:4:11: metrics: expected the name of a known metric, got 'val_loss'\n"
            "    losses are measured in every epoch",
        ),
        (
            "loss: dice_los",
            "unknown-name",
            "config.yaml:4:7: loss: expected the name of a known loss, got 'dice_los'",
        ),
        (
            "loss: dice_loss(smoth=1)",
            "unknown-key",
            "config.yaml:4:7: loss.dice_loss.smoth: ",
        ),
    ],
)
def test_what_masks_do_not_have_is_told_with_its_line(text, slug, message):
    ((found, shown),) = told(text)
    assert found == f"config/{slug}"
    assert shown.startswith(message)


@pytest.mark.parametrize("name", ["image_iou", "foreground_dice", "soft_iou"])
def test_a_metric_of_masks_is_none_of_whole_images(name):
    ((slug, text),) = told(f"metrics: [{name}]", CLASSES)
    assert slug == "config/unknown-name"
    assert text.endswith("it is a metric of masks, and the experiment classifies images as a whole")


def test_losses_of_masks_are_none_of_whole_images():
    for text in ("loss: tversky_loss", "loss: dice_loss(smooth=2)"):
        ((slug, _),) = told(text, CLASSES)
        assert slug in ("config/unknown-name", "config/unknown-key")


def test_what_needs_the_classes_is_told_when_they_are_known():
    config = parse(
        f"{MASKS}metrics: [iou_cat, iou_cow, bce, categorical_crossentropy]\n"
        "final_metrics: [dice_dog, dice_sky]\n"
    )
    assert check(config) == []
    problems = mask_metric_problems(config, Head("", "sigmoid", ("cat", "Dog")))
    assert [problem.slug for problem in problems] == [
        "config/unknown-name",
        "config/refused-metric",
        "config/unknown-name",
    ]
    cow, crossentropy, sky = map(str, problems)
    assert cow.startswith("config.yaml:4:20: metrics: expected the name of a known metric of masks")
    assert crossentropy.startswith(
        "config.yaml:4:34: metrics: expected a metric for activation 'sigmoid', got "
        "'categorical_crossentropy'"
    )
    assert sky.startswith("config.yaml:5:27: final_metrics: expected the name of a known metric")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "primary_metric: val_image_dice",
            "primary_metric: expected a number that each epoch has, got 'val_image_dice'\n"
            "    add 'image_dice' to `metrics`",
        ),
        (
            "metrics: [iou]\nprimary_metric: val_iou_cat",
            "expected a number that each epoch has, got 'val_iou_cat'\n    add 'iou_cat' to",
        ),
        (
            "metrics: [iou]\nprimary_metric: val_cat_iou",
            "expected a number that each epoch has, got 'val_cat_iou'",
        ),
    ],
)
def test_a_monitor_that_no_epoch_of_masks_has_is_told(text, message, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"{MASKS}{text}\n")
    with pytest.raises(ConfigError, match="expected a number that each epoch has") as error:
        load_checked(path)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["val_iou_coef", "val_iou", "val_iot", "iou"])
def test_a_monitor_may_be_any_spelling(name, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"{MASKS}metrics: [binary_accuracy, iou]\nprimary_metric: {name}\n")
    load_checked(path)


def test_the_result_is_computed_where_it_is_a_metric_of_masks():
    config = parse(f"{MASKS}metrics: [iou]\nexperiment_result: image_dice_holdout")
    assert Asked.by(config).finals == ("image_dice",)
