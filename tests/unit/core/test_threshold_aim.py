import pytest

from fivefold.core.threshold_aim import ThresholdAim


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, ThresholdAim()),
        (0, ThresholdAim("fixed", 0.0)),
        ("f1", ThresholdAim("f_beta", 1.0)),
        ("F0.5", ThresholdAim("f_beta", 0.5)),
        ({"f_beta": 2}, ThresholdAim("f_beta", 2.0)),
        ({"f_beta": 1, "per_class": False}, ThresholdAim("f_beta", 1.0, per_class=False)),
        ({"precision": 0.95}, ThresholdAim("precision", 0.95)),
        ({"recall": 1, "per_class": True}, ThresholdAim("recall", 1.0)),
        ("exact_match", ThresholdAim("exact_match", per_class=False)),
        (
            {"exact_match": [0.1, 0.9, 0.1]},
            ThresholdAim("exact_match", range=(0.1, 0.9, 0.1), per_class=False),
        ),
    ],
)
def test_an_aim_is_read(value, expected):
    assert ThresholdAim.of(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "a number from 0 to below 1, 'f1'"),
        (-0.1, "a number from 0 to below 1"),
        (float("nan"), "a number from 0 to below 1"),
        (True, "a number from 0 to below 1"),
        (None, "a number from 0 to below 1"),
        ([0.5], "a number from 0 to below 1"),
        ("best", "'image_iou', or a mapping"),
        ("f0", "an f_beta above 0, up to 1000"),
        ({}, "with one of f_beta, precision, recall and exact_match"),
        ({"per_class": True}, "with one of f_beta"),
        ({"precision": 0.9, "recall": 0.9}, "with one of f_beta"),
        ({"precission": 0.9}, "with one of f_beta"),
        ({"precision": 0.9, "per_class": 1}, "with one of f_beta"),
        ({"precision": 0}, "a precision above 0, up to 1"),
        ({"recall": 1.5}, "a recall above 0, up to 1"),
        ({"exact_match": [0.1, 0.9]}, "start, stop, step"),
        ({"exact_match": [0.9, 0.1, 0.1]}, "start, stop, step"),
        ({"exact_match": [0.1, 0.9, 0]}, "a step above 0"),
        ({"exact_match": [0.1, 0.9, 1e-9]}, "at most 100,000 thresholds"),
        ({"exact_match": [0.1, 0.9, 0.1], "per_class": True}, "is of all classes together"),
    ],
)
def test_what_is_no_aim_is_refused(value, text):
    with pytest.raises(ValueError, match=text.replace("(", r"\(")):
        ThresholdAim.of(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        ("f0.5", "the highest F0.5"),
        ({"precision": 0.95}, "the highest recall at a precision of 0.95"),
        ({"recall": 0.9}, "the highest precision at a recall of 0.9"),
        ("exact_match", "the most samples without a wrong answer"),
    ],
)
def test_an_aim_can_be_told(value, text):
    assert str(ThresholdAim.of(value)) == text


@pytest.mark.parametrize("name", ["dice", "IoU", "image_dice", "image_iou"])
def test_masks_have_aims_of_their_own(name):
    aim = ThresholdAim.of(name)
    assert (aim.kind, aim.is_of_masks) == (name.lower(), True)
    assert "highest" in str(aim)
    assert not ThresholdAim.of("f1").is_of_masks
