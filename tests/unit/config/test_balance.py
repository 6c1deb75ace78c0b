import pytest

from fivefold.config import NO_SAMPLING, parse
from fivefold.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class_weights: balanced", "balanced"),
        ("class_weights:", "none"),
        ("class_weight: log", "log"),
        ("class_weights: {cat: 2, dog: 0.5}", {"cat": 2.0, "dog": 0.5}),
        ("class_weights: {0: 2, 1: 3.5}", {"0": 2.0, "1": 3.5}),
    ],
)
def test_class_weights_are_a_formula_or_numbers_by_class(text, expected):
    assert parse(text).class_weights == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pos_weight: 3", 3.0),
        ("pos_weight: balanced", "balanced"),
        ("pos_weight: [1, 2.5]", (1.0, 2.5)),
        ("pos_weight: {sick: 4}", {"sick": 4.0}),
        ("pos_weight:", 1.0),
    ],
)
def test_pos_weight_is_one_number_several_or_balanced(text, expected):
    assert parse(text).pos_weight == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class_weights: balance", "config.yaml:1:16: class_weights: expected 'balanced', 'inv"),
        (
            "class_weights: {cat: 0}",
            r"class_weights: expected .* numbers above 0, up to 1000000, got \{",
        ),
        ("class_weights: {cat: heavy}", "class_weights: expected 'balanced'"),
        ("class_weights: {}", "class_weights: expected 'balanced'"),
        ("pos_weight: -1", "config.yaml:1:13: pos_weight: expected 'balanced', a number above 0"),
        ("l2: -0.1", "config.yaml:1:5: l2: expected greater than or equal to 0, got -0.1"),
        ("positive_weights_multiply: 0", "positive_weights_multiply: expected greater than 0"),
    ],
)
def test_what_can_be_no_weight_is_told_with_its_line(text, message):
    with pytest.raises(ConfigError, match=message):
        parse(text)


def test_a_stage_has_its_own_weights_or_the_experiments():
    text = "class_weights: balanced\npos_weight: 2\nstages:\n"
    stages = "- {epochs: 1}\n- {epochs: 1, class_weights: {a: 2}, pos_weight: [3, 4]}"
    first, second = parse(text + stages).resolve()
    assert (first.class_weights, first.pos_weight) == ("balanced", 2.0)
    assert (second.class_weights, second.pos_weight) == ({"a": 2.0}, (3.0, 4.0))


def test_a_factor_without_its_formula_has_no_effect(caplog):
    parse("positive_weights_multiply: 0.15\nclass_weights: balanced")
    assert caplog.messages == [
        "config.yaml:1:28: positive_weights_multiply: has no effect: "
        "it only counts together with `class_weights: log`"
    ]
    caplog.clear()
    parse("positive_weights_multiply: 0.15\nstages: [{epochs: 1, class_weights: log}]")
    assert caplog.messages == []


def test_final_metrics_that_are_watched_are_computed_every_epoch():
    text = (
        "metrics: [accuracy]\nprimary_metric: val_macro_f1\n"
        "final_metrics: [macro_f1, {auc: {for_validation: true}}, log_loss, Accuracy]\n"
        "stages: [{epochs: 1}]"
    )
    (stage,) = parse(text).resolve()
    assert stage.metrics == ("accuracy", "macro_f1", "auc")


def test_muskets_older_name_means_the_experiments_result():
    assert parse("aggregation_metric: macro_f1").experiment_result == "macro_f1"


STAGES = "stages: [{epochs: 1}, {epochs: 1, balance: none}]\n"


@pytest.mark.parametrize(
    ("text", "weights", "sampling"),
    [
        ("balance: none", "none", NO_SAMPLING),
        ("balance:", "none", NO_SAMPLING),
        ("balance: weights", "balanced", NO_SAMPLING),
        ("balance: {cat: 2, 7: 0.5}", {"cat": 2.0, "7": 0.5}, NO_SAMPLING),
        ("balance: sampler", "none", "sampler"),
        ("balance: upsampling", "none", "upsampling"),
        ("balance: downsampling", "none", "downsampling"),
        ("balance: 100", "none", 100),
    ],
)
def test_one_word_decides_weights_or_what_an_epoch_draws(text, weights, sampling):
    first, second = parse(f"{text}\n{STAGES}").resolve()
    assert (first.class_weights, first.sampling) == (weights, sampling)
    assert first.prior_correction == (text not in ("balance: none", "balance:"))
    assert (second.class_weights, second.sampling) == ("none", NO_SAMPLING)
    assert not second.prior_correction


def test_predictions_stay_as_they_are_where_that_is_asked_for():
    (stage,) = parse("balance: sampler\nprior_correction: false\nstages: [{epochs: 1}]").resolve()
    assert (stage.sampling, stage.prior_correction) == ("sampler", False)


@pytest.mark.parametrize("value", ["upsample", "0", "-3", "1.5", "true", "{}", "{cat: 0}", "[1]"])
def test_other_words_are_refused(value):
    with pytest.raises(ConfigError, match="balance: expected 'none', 'weights', 'sampler', 'ups"):
        parse(f"balance: {value}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class_weights: log\nbalance: weights", "4:10: balance: expected no `class_weights`"),
        ("pos_weight: 2\nbalance: {cat: 2}", "balance: expected no `pos_weight` beside it, got {"),
        (
            "class_weights: log\nbalance: 50",
            "balance: expected no `class_weights` beside it, got 50",
        ),
        ("subsample: 0.5\nbalance: sampler", "balance: expected no `subsample` beside it"),
        (
            "subsample: 0.5\nmaxEpochSize: 3\nbalance: 7",
            "balance: expected no `subsample` and `maxEpochSize` beside it, got 7",
        ),
    ],
)
def test_two_owners_of_one_matter_are_refused(text, message):
    with pytest.raises(ConfigError, match=message.replace("{", r"\{")):
        parse(f"\n\n{text}\nstages: [{{epochs: 1}}]")


def test_an_owner_in_a_stage_is_found_at_its_line():
    text = "class_weights: log\nstages:\n  - {epochs: 1}\n  - {epochs: 1, balance: upsampling}"
    with pytest.raises(ConfigError, match=r"yaml:4:26: stages.1.balance: expected no `class_w"):
        parse(text)


def test_weights_go_with_a_part_of_an_epoch():
    parse("subsample: 0.5\nbalance: weights\nstages: [{epochs: 1}]")


def test_a_correction_of_nothing_is_told(caplog):
    parse("prior_correction: false\nstages: [{epochs: 1}]")
    assert "prior_correction" in caplog.text
