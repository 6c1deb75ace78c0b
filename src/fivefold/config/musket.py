"""Musket's keys that no field honours: what happens to each, so that none is ignored in silence.

Keys that work are fields of the schema. A key here is `not-yet`, which `check` and `fit` report as
a problem, `misplaced`, the same for a key that only works elsewhere, `refused`, the same for good,
or `no-effect`, which loading accepts with one warning.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from fivefold.config.decision_keys import DECISION_KEYS


class Legacy(NamedTuple):
    """What happens to one key.

    Attributes:
        fate: `not-yet`: refused until a later version; `misplaced`: refused in this place;
            `refused`: refused for good; `no-effect`: accepted with a warning.
        meaning: What it means, or why it has no effect.
        neutral: Values that change nothing, so that they need no word.
    """

    fate: Literal["not-yet", "misplaced", "refused", "no-effect"]
    meaning: str
    neutral: tuple[Any, ...] = ()

    def is_neutral(self, value: object) -> bool:
        """Say whether a value is the same as leaving the key out."""
        if self.fate == "misplaced":
            return False
        return value is None or value is False or value in ({}, []) or value in self.neutral


SYNONYMS: Mapping[str, str] = {
    "batch_size": "batch",
    "input_shape": "shape",
    "encoder_freeze": "freeze_encoder",
    "encoder_weights": "weights",
    "class_weight": "class_weights",
    "aggregation_metric": "experiment_result",
    "folds": "folds_count",
    "classifier_layer_sizes": "head_layers",
    "final_layer_pooling": "pooling",
    "conv_layers_to_train": "layers_to_train",
    "pop_conv_layers": "cut_levels",
    "cnn_downscaling_factor": "downscaling",
    "cnn_downscaling_filters": "downscaling_filters",
}
"""Other spellings of keys, and the key that each one means."""


def _not_yet(meaning: str, *neutral: Any) -> Legacy:
    return Legacy("not-yet", meaning, neutral)


def _refused(reason: str) -> Legacy:
    return Legacy("refused", reason)


def _no_effect(reason: str) -> Legacy:
    return Legacy("no-effect", reason)


_INSTANCES = "an option of instance segmentation, which comes later"
_TASKS = "tasks are not run; loop over `predict_on_dataset` instead"
_BACKGROUNDS = "`BackgroundReplacer` under `augmentation` has it as an option"
_CPU = "a matter of Musket's TensorFlow sessions"
_NEVER_READ = "no version of Musket read it"

EXPERIMENT_KEYS: Mapping[str, Legacy] = {
    "manualResize": _refused(
        "a network needs one size, which `shape` names; images of that size stay as they are"
    ),
    "gpus": _not_yet(
        "one network on several accelerators comes later; several folds train at the same time, "
        "each on one",
        1,
    ),
    "noTrain": _refused(
        "there is nothing to learn without samples; `subsample` takes a part of them"
    ),
    "datasets": _refused(
        "`dataset` describes the one to train on; Python and `predict` take any other"
    ),
    "fit_with": _refused("`dataset` describes the one to train on"),
    "import_tasks": _refused(_TASKS),
    "run_tasks": _refused(_TASKS),
    "tasks": _refused(_TASKS),
    "bgr": _refused(_BACKGROUNDS),
    "rate": _refused(_BACKGROUNDS),
    "groupFunc": _refused(
        "strata follow the labels; `folds_from` takes folds that were made in any other way"
    ),
    "hyperparameters": _not_yet(
        "a search over ranges comes later; `fivefold compare` puts experiments side by side"
    ),
    "max_evals": _not_yet("the number of trials of a search, which comes later"),
    **{
        key: _not_yet(_INSTANCES)
        for key in (
            "configPath",
            "dropSemanticHead",
            "imagesPerGpu",
            "multiscaleMode",
            "resetHeads",
            "storage_threshold",
            "threshold",
            "weightsPath",
        )
    },
    # A piece of a stage loads on its own, as the examples of Musket's pages show it.
    "unfreeze_encoder": Legacy("misplaced", "this key belongs in an entry of `stages`"),
    "flipPred": _no_effect("predictions of turned images are always turned back"),
    "compressPredictionsAsInts": _no_effect("predictions are kept in full precision"),
    "compressScale": _no_effect("predictions are kept in full precision"),
    "dumpPredictionsToCSV": _no_effect("out-of-fold predictions are always written as CSV"),
    "resume": _no_effect("a run always goes on where it stopped"),
    "verbose": _no_effect("the command line decides what is shown"),
    "needsSessionForPrediction": _no_effect(_CPU),
    "separatePredictions": _no_effect("predictions are always kept for each fold and stage"),
    "classifier": _no_effect(_NEVER_READ),
    "classifier_lr": _no_effect(_NEVER_READ),
    "add_to_train": _no_effect(_NEVER_READ),
    "saveLast": _no_effect(_NEVER_READ),
}
"""Keys of an experiment, beside the fields of the schema."""

STAGE_KEYS: Mapping[str, Legacy] = {
    "validationSplit": _no_effect("all stages of an experiment share one split"),
}
"""Keys of a stage, beside the fields of the schema."""

VALUES_NOT_YET: Mapping[str, frozenset[str]] = {
    "weights": frozenset({"imagenet11k", "imagenet11k-places365ch"}),
}
"""Values of working keys that a later version brings."""

DIALECTS: Mapping[str, bool] = {
    "classification": True,
    "segmentation": True,
    "generic": False,
    "gradientboosting": False,
    "mmdetection": False,
    "maskrcnn": False,
}
"""Words after `#%Musket` on the first line, and whether this version speaks them."""

HARMLESS: frozenset[str] = frozenset(
    {"inference_batch", "keep_maps", "num_workers", *DECISION_KEYS}
).union(key for key, legacy in EXPERIMENT_KEYS.items() if legacy.fate == "no-effect")
"""Keys that may change between start and resume, since they alter nothing that is trained."""
