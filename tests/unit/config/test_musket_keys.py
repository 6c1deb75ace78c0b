"""Every key that Musket's documentation, code or examples know: what happens to each is said."""

import logging
import re

import pytest

from fivefold.config import musket_markdown, parse
from fivefold.config.musket import EXPERIMENT_KEYS, STAGE_KEYS, SYNONYMS
from fivefold.core.errors import ConfigError

OF_AN_EXPERIMENT = """
architecture backbone classes activation encoder_weights weights pooling shape input_shape
dropout optimizer lr clipnorm clipvalue loss batch metrics primary_metric primary_metric_mode
stages callbacks augmentation transforms freeze_encoder encoder_freeze crops copyWeights
manualResize flipPred testTimeAugmentation inference_batch compressPredictionsAsInts
compressScale showDataExamples gpus resume verbose dumpPredictionsToCSV maxEpochSize noTrain
bgr rate classifier classifier_lr add_to_train saveLast folds_count random_state
validationSplit stratified groupFunc testSplit testSplitSeed dataset datasets fit_with
import_tasks run_tasks imports declarations preprocessing pretrain_transform extra_train_data
dataset_augmenter final_metrics experiment_result aggregation_metric num_seeds hyperparameters
max_evals datasets_path needsSessionForPrediction separatePredictions tasks batch_size
early_stopping schedule encoder_features decoder_block_type decoder_filters n_upsample_blocks
upsample_rates use_batchnorm decoder_use_batchnorm pyramid_block_filters
segmentation_block_filters last_upsample interpolation final_interpolation
pyramid_use_batchnorm pyramid_dropout upsample_kernel_size upsample_layer downsample_factor
psp_conv_filters psp_pooling_type psp_use_batchnorm psp_dropout OS alpha configPath weightsPath
imagesPerGpu multiscaleMode resetHeads dropSemanticHead threshold storage_threshold
"""
"""Those of an experiment; those that two kinds of pipelines share stand once."""

OF_A_STAGE = """
epochs lr loss negatives validation_negatives initial_weights callbacks extra_callbacks
unfreeze_encoder freeze_encoder logAll validationSplit
"""
"""Those of a stage."""

BLOCKS = ["shared", "parameters", "with", "body", "inputs", "outputs"]
"""Those of an entry of `declarations`, which are no keys of an experiment."""

FATES = {
    "works",
    "not yet supported",
    "refused",
    "refused here",
    "accepted with a warning, without effect",
}


def fates():
    rows = re.findall(r"^\| (\S+) \| ([^|]+) \| (.+) \|$", musket_markdown(), re.MULTILINE)
    return {key: (fate, meaning) for key, fate, meaning in rows if key not in ("key", "---")}


@pytest.mark.parametrize(
    "key", [*OF_AN_EXPERIMENT.split(), *(f"stages.{key}" for key in OF_A_STAGE.split())]
)
def test_every_key_has_a_fate_and_says_why(key):
    fate, meaning = fates()[key]
    assert fate in FATES
    assert len(meaning.strip()) >= 5


def test_no_key_has_two_fates():
    keys = re.findall(r"^\| (\S+) \|", musket_markdown(), re.MULTILINE)
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("key", sorted(EXPERIMENT_KEYS))
def test_what_is_not_honoured_is_never_silent(key, caplog):
    legacy = EXPERIMENT_KEYS[key]
    with caplog.at_level(logging.WARNING):
        config = parse(f"lr: 0.1\n{key}: something")
    problems = [problem for problem in config.not_yet() if problem.message.startswith(f"{key}:")]
    if legacy.fate == "no-effect":
        (told,) = [r.getMessage() for r in caplog.records]
        assert f"{key}: has no effect: {legacy.meaning}" in told
        assert problems == []
    else:
        (problem,) = problems
        assert legacy.meaning in problem.hint
        assert re.match(r"config\.yaml:2:\d+$", problem.where)


@pytest.mark.parametrize("key", sorted(STAGE_KEYS))
def test_nor_is_one_of_a_stage(key, caplog):
    parse(f"stages: [{{epochs: 1, {key}: 0.5}}]")
    assert f"stages.0.{key}: has no effect" in caplog.text


@pytest.mark.parametrize("key", BLOCKS)
def test_a_part_of_a_declaration_is_no_key_of_an_experiment(key):
    with pytest.raises(ConfigError, match=f"{key}: unknown key"):
        parse(f"{key}: 1")


def test_another_spelling_is_never_a_key_of_its_own():
    assert not SYNONYMS.keys() & EXPERIMENT_KEYS.keys()
    assert {fates()[key] for key in SYNONYMS} == {
        ("works", f"the same as `{meant}`") for meant in SYNONYMS.values()
    }


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("gpus", "several folds train at the same time"),
        ("hyperparameters", "compare"),
        ("max_evals", "search"),
    ],
)
def test_what_a_later_version_brings_says_what_works_until_then(key, hint):
    (problem,) = parse(f"{key}: 7").not_yet()
    assert problem.slug == "config/not-yet"
    assert hint in problem.hint
