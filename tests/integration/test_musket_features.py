"""One small real fit of every config in `fixtures/musket`: what is in it trains and predicts.

Net, weights, size and data are others than the config's; everything else is what it says.
"""

import csv
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny  # noqa: F401  registers the net
import torch
from shapes import draw_folders

from fivefold.config import load
from fivefold.core.errors import ConfigError
from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parents[1] / "fixtures"
MUSKET = FIXTURES / "musket"
NAMES = sorted(path.stem for path in MUSKET.glob("*.yaml"))
REFUSED = {
    "background": "backbone: required by 'Unet', but not set",
    "declared_datasets": "datasets: not supported",
    "detection": "#%Musket MMDetection: not yet supported",
    "later_keys": "gpus: not yet supported",
    "piece_of_a_stage": "unfreeze_encoder: unknown key here",
    "refused_augmenters": "augmenter 'Voronoi' cannot be used",
    "refused_keys": "manualResize: not supported",
    "segmentation": "stages: required, but not set",
    "segmentation_options": "alpha: expected an option of Unet, which has no such one",
}
"""Configs that this version does not train, and the first thing that it says."""

ELSEWHERE = {
    "data_functions": "test_data_functions.py",
    "dataset_function": "test_dataset_functions.py",
    "extra_train_data": "test_further_samples.py",
    "mask_decisions": "test_segmentation_configs.py",
    "num_seeds": "test_num_seeds.py",
    "segmentation_decoder": "test_segmentation_configs.py",
}
"""Configs that are trained by tests of their own, which have what these need beside them."""

OWN_DATA = {"own_augmenter", "python_dataset", "table"}
"""Configs that train on the data that they name."""

HEADS = {
    "blended_augmenters": [(3, "softmax")],
    "three_stages": [(1, "sigmoid")],
}
"""Heads that the config leaves to its data, where they are not three sigmoids."""

NETS = {"network": "test_resnet"}
"""Nets of configs that ask for more than the tiny net, which pools by itself, can do."""

FURTHER = {
    "cyclic_lr": ["metrics=[binary_accuracy]"],
    "odd": ["metrics=[binary_accuracy]"],
    "three_stages": ["stages.2.initial_weights=null"],
}
"""What a piece of a config leaves out, and a file that there is not."""


def heads_of(name, config):
    """Say what the data of a config have to answer."""
    if name in HEADS:
        return HEADS[name]
    classes = config.classes if isinstance(config.classes, tuple) else [config.classes or 3]
    given = config.activation or "sigmoid"
    activations = [given] * len(classes) if isinstance(given, str) else given
    return list(zip(classes, activations, strict=True))


def overrides(name, config):
    """Write the config down for a small net and small data."""
    height, width, channels = config.shape
    shape = [height, width, channels] if name == "grey_letters" else [32, 32, channels]
    epochs = [f"stages.{i}.epochs=1" for i in range(len(config.stages))]
    folds = min(config.folds_count, 2)
    heads = [list(head) for head in heads_of(name, config)]
    length = max(24, *(2 * number for number, _ in heads))
    plain = not isinstance(config.classes, tuple)
    arguments = {"heads": heads, "shape": shape, "length": length, "plain": plain}
    drawn = f"dataset={{python: drawn_classes.py:Drawn, args: {arguments}}}"
    return [
        f"architecture={NETS.get(name, 'tiny')}",
        "weights=none",
        f"shape={shape}",
        f"folds_count={folds}",
        *([] if name in OWN_DATA else ["stratified=false", drawn]),
        *(epochs or ["stages=[{epochs: 1}]"]),
        *FURTHER.get(name, []),
    ]


def write_data(folder):
    """Write what configs with data of their own name: pictures, a table of labels, folds."""
    draw_folders(folder / "shapes", 6)
    names = [path.relative_to(folder / "shapes") for path in (folder / "shapes").rglob("*.png")]
    labels = [f"{name.with_suffix('')},{name.parent}|even" for name in sorted(names)]
    (folder / "labels.csv").write_text("\n".join(["file,tags", *labels]))
    folds = [f"spectrum{number:02d},{number // 2 % 2}" for number in range(12)]
    (folder / "folds.csv").write_text("\n".join(["id,fold", *folds]))


TRAINED = [name for name in NAMES if name not in REFUSED.keys() | ELSEWHERE.keys()]


@pytest.mark.parametrize("name", TRAINED)
def test_a_config_trains_and_predicts(name, tmp_path):
    torch.set_num_threads(1)
    shutil.copy(MUSKET / f"{name}.yaml", tmp_path / "config.yaml")
    for path in (FIXTURES / "drawn_classes.py", *MUSKET.glob("*.py")):
        shutil.copy(path, tmp_path)
    write_data(tmp_path)
    config = load(tmp_path / "config.yaml")
    experiment = Experiment.load(tmp_path, overrides(name, config), allow_imports=True)
    experiment.fit(folds=[0])
    for number in range(len(experiment.stages)):
        rows = history(experiment.folder.metrics(0, number))
        assert len(rows) == 1
        assert all(math.isfinite(float(rows[0][column])) for column in ("loss", "val_loss", "lr"))
        if not isinstance(config.classes, tuple):  # metrics of outputs have the outputs' names too
            assert {f"val_{metric}" for metric in config.metrics} <= rows[0].keys()
    model = experiment.load_model(0)
    if name not in OWN_DATA:
        expected = [number for number, _ in heads_of(name, config)]
        assert [head.num_classes for head in model.heads] == expected
    assert np.isfinite(sum(p.sum().item() for p in model.parameters()))
    experiment.fit(folds=[0])


@pytest.mark.parametrize("name", REFUSED)
def test_a_config_that_does_not_train_says_why(name, tmp_path):
    shutil.copy(MUSKET / f"{name}.yaml", tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match=re.escape(REFUSED[name])):
        Experiment.load(tmp_path)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_config_is_trained_elsewhere(name):
    assert f"fixtures/musket/{name}.yaml" in (Path(__file__).parent / ELSEWHERE[name]).read_text()


def history(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
