"""Parts of one's own in a real run, and what is said of wrong ones: the line of one's file."""

import hashlib
import json
import textwrap

import numpy as np
import pytest
import torch
from own_modules import catalogs_as_before
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.core.errors import ConfigError
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.own_code import is_code_known, own_code

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _as_before():
    with catalogs_as_before():
        yield


WHOLE = CONFIG[: CONFIG.index("stages:")] + "stages: [{epochs: 1}]\ndataset: {folder: shapes}\n"


def fit(folder, code, keys):
    """Train one epoch with a module `own.py` beside the config."""
    config = WHOLE
    for key, value in keys.items():
        lines = [line for line in config.splitlines() if not line.startswith(f"{key}:")]
        config = "\n".join([*lines, f"{key}: {value}", ""])
    write_experiment(folder, per_class=4, config=f"{config}imports: [own]\n")
    (folder / "own.py").write_text(textwrap.dedent(code).lstrip())
    run = Experiment.load(folder, allow_imports=True, progress=Silent())
    run.fit(folds=[0], jobs=1)
    return run


LOSS = """
from fivefold import loss

@loss({facts})
def mine(logits, targets, *, power=2.0):
    {body}
"""
METRIC = """
from fivefold import metric

@metric({facts})
def mine(predictions):
    {body}
"""
AUGMENTER = """
import numpy as np
from fivefold import augmenter
from fivefold.augment.changes import Both, Field, Pixels, Table

@augmenter()
def mine(rng, height, width):
    {body}
"""
NET = """
from torch import nn
from fivefold import architecture

@architecture(name="mine")
class Net(nn.Module):
    num_features = {features}

    def __init__(self, *, in_channels=3):
        super().__init__()
        self.layer = nn.Conv2d({channels}, 8, 3)

    def forward(self, images):
        return {body}
"""
CALLBACK = """
from fivefold import callback
from fivefold.engine.callbacks import Callback

@callback()
class Mine(Callback):
    def on_epoch_end(self, epoch, row, control):
        {body}
"""
SCHEDULE = """
from fivefold import schedule

@schedule()
def mine(now):
    return {body}
"""
OPTIMIZER = """
from torch import optim
from fivefold import optimizer

@optimizer()
def mine(params, lr):
    {body}
"""
MIXER = """
from fivefold import mixer
from fivefold.augment.mixing import Mixed

@mixer()
def mine(rng, images, targets):
    {body}
"""


def net(body="self.layer(images).mean(dim=(2, 3))", features=8, channels="in_channels"):
    return NET.format(body=body, features=features, channels=channels)


FACT_LOSS = LOSS.replace("{facts}", 'inputs="probabilities", gives="sample"')
AS_LOSS, AS_METRIC = {"loss": "mine"}, {"metrics": "[mine]", "primary_metric": "val_loss"}
AS_AUGMENTER, AS_NET = {"augmentation": "{mine: }"}, {"architecture": "mine"}


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        (LOSS.format(facts="", body="return ((logits - targets).abs() ** power).mean()"), AS_LOSS),
        (FACT_LOSS.format(body="return ((logits - targets) ** 2).sum(dim=1)"),
         {"loss": "0.5*mine(power=3) + mse", "class_weights": "balanced"}),
        (METRIC.format(facts='best="max"', body="return predictions.probs.max(axis=1).mean()"),
         {"metrics": "[mine]", "primary_metric": "val_mine"}),
        (METRIC.format(facts='best="min"', body="return 1"), AS_METRIC),
        (AUGMENTER.format(body="return Pixels(lambda image: 255 - image)"), AS_AUGMENTER),
        (AUGMENTER.format(body="return Table(lambda n: np.arange(256, dtype=np.uint8)), ()"),
         AS_AUGMENTER),
        (net(), AS_NET),
        (net().replace("    num_features = 8\n", ""), AS_NET),
        (net(channels="input_shape[2]").replace("*, in_channels=3", "input_shape"), AS_NET),
        (CALLBACK.format(body="control.lr /= 2"), {"callbacks": "{mine: }"}),
        (SCHEDULE.format(body="now.lr * 0.5"), {"schedule": "mine"}),
        (OPTIMIZER.format(body="return optim.SGD(params, lr)"), {"optimizer": "mine"}),
        (MIXER.format(body="return Mixed(images, targets, rng.permutation(len(images)))"),
         {"augmentation": "{mine: }"}),
    ],
)  # fmt: skip
def test_parts_of_ones_own_train(tmp_path, code, keys):
    run = fit(tmp_path, code, keys)
    assert run.folder.results(0, 0)[0].exists()
    assert not is_code_known(run.config), "a config that runs code shares no stages"
    own = tmp_path / "own.py"
    assert digest(own) in own_code(), "of a part without `imports`, keys count the file"
    own.write_text(f"{own.read_text()}# edited")
    assert digest(own) in own_code()


def digest(path):
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"


WRONG = [
    # what the engine gives it, or was told about it, does not fit
    (LOSS.format(facts="", body="pass").replace("targets, ", ""), AS_LOSS, 3,
     "loss 'mine': expected a function of (logits, targets), and options after a `*`, "
     "got (logits, *, power=2.0)"),
    (LOSS.format(facts='gives="batch"', body="pass"), AS_LOSS, 3,
     "loss 'mine': expected gives='class' or 'sample', got 'batch'"),
    (METRIC.format(facts="best='up'", body="return 1"), AS_METRIC, 3,
     "metric 'mine': expected best='max' or best='min' where it is registered, got best='up'"),
    (AUGMENTER.format(body="return ()").replace(", width", ""), AS_AUGMENTER, 5,
     "augmenter 'mine': expected a function of (rng, height, width), and options after a `*`, "
     "got (rng, height)"),
    (net().replace("*, in_channels=3", "in_channels, depth"), AS_NET, 8,
     "backbone 'mine': expected a class or function of `in_channels` or `input_shape`, no other "
     "without a default; the last layer is ours, got (in_channels, depth)"),
    (CALLBACK.format(body="pass").replace("    def on_epoch", "    def __init__(self, a):\n"
     "        pass\n\n    def on_epoch"), {"callbacks": "{mine: 1}"}, 6,
     "callback 'Mine': expected a function of no parameter without a name, and options after"),
    # it raises
    (LOSS.format(facts="", body="return logits[:, 7].mean()"), AS_LOSS, 5,
     "loss 'mine': expected this code to run, got IndexError: index 7 is out of bounds"),
    (LOSS.format(facts="", body="return helper(logits)").replace("@loss", "def helper(x):\n"
     "    return x + y\n\n@loss"), AS_LOSS, 4,
     "loss 'mine': expected this code to run, got NameError: name 'y' is not defined"),
    (METRIC.format(facts='best="max"', body="return predictions.probabilities"), AS_METRIC, 5,
     "metric 'mine': expected this code to run, got AttributeError: 'Predictions' object has no"),
    (AUGMENTER.format(body="return Pixels(height / 0)"), AS_AUGMENTER, 7,
     "augmenter 'mine': expected this code to run, got ZeroDivisionError: division by zero"),
    (AUGMENTER.format(body="return Pixels(\n        lambda image: image @ image)"), AS_AUGMENTER, 8,
     "augmenter 'mine': expected this code to run, got ValueError: matmul"),
    (net("self.layers(images)"), AS_NET, 13,
     "backbone 'mine': expected this code to run, got AttributeError: 'Net' object has no attrib"),
    (net(channels="'three'"), AS_NET, 10,
     "backbone 'mine': expected this code to run, got TypeError"),
    (net("self.layer(images).mean(dim=(2, 3)) / (0 if not self.training else None)"), AS_NET, 13,
     "backbone 'mine': expected this code to run, got TypeError: unsupported operand type"),
    (CALLBACK.format(body="row['val_f9']"), {"callbacks": "{mine: }"}, 7,
     "callback 'Mine': expected this code to run, got KeyError: 'val_f9'"),
    (SCHEDULE.format(body="now.rate"), {"schedule": "mine"}, 5,
     "schedule 'mine': expected this code to run, got AttributeError: 'Moment' object has no att"),
    (OPTIMIZER.format(body="return optim.Sgd(params)"), {"optimizer": "mine"}, 6,
     "optimizer 'mine': expected this code to run, got AttributeError: module 'torch.optim'"),
    (MIXER.format(body="return Mixed(images)"), {"augmentation": "{mine: }"}, 6,
     "mixer 'mine': expected this code to run, got TypeError"),
    # it gives something else
    (LOSS.format(facts="", body="return 0.5"), AS_LOSS, 3,
     "loss 'mine': expected a tensor of shape () or (6,) or (6, 3) of 6 samples and 3 classes, "
     "got float"),
    (FACT_LOSS.format(body="return (logits - targets).abs()"), AS_LOSS, 3,
     "loss 'mine': expected a tensor of shape (6,) of 6 samples and 3 classes, got Tensor of "
     "shape (6, 3) and type torch.float32"),
    (LOSS.format(facts="", body="return (logits.detach() - targets).abs().mean()"), AS_LOSS, 3,
     "loss 'mine': expected a tensor with a gradient, got one that was cut off from the logits"),
    (LOSS.format(facts="", body="return (logits > targets).sum()"), AS_LOSS, 3,
     "loss 'mine': expected a tensor of floating-point numbers, got Tensor of shape () and type "
     "torch.int64"),
    (METRIC.format(facts='best="max"', body="return predictions.probs"), AS_METRIC, 3,
     "metric 'mine': expected one number, got ndarray of shape (6, 3) and type float32"),
    (METRIC.format(facts='best="max"', body="return 'high'"), AS_METRIC, 3,
     "metric 'mine': expected one number, got str"),
    (AUGMENTER.format(body="return rng"), AS_AUGMENTER, 5,
     "augmenter 'mine': expected what is to be done (Warp, Field, Pixels, Table, Both, WithMask, "
     "or a tuple of these), got Generator"),
    (AUGMENTER.format(body="return Pixels(lambda image: image / 2)"), AS_AUGMENTER, 5,
     "augmenter 'mine': expected uint8 pixels of shape (32, 32, 3), got ndarray of shape "
     "(32, 32, 3) and type float64"),
    (AUGMENTER.format(body="return Pixels(lambda image: image[:9])"), AS_AUGMENTER, 5,
     "augmenter 'mine': expected uint8 pixels of shape (32, 32, 3), got ndarray of shape "
     "(9, 32, 3) and type uint8"),
    (AUGMENTER.format(body="return Table(lambda n: np.zeros(9))"), AS_AUGMENTER, 5,
     "augmenter 'mine': expected uint8 pixels of shape (256,), got ndarray of shape (9,)"),
    (AUGMENTER.format(body="return Field(lambda h, w: (np.zeros((h, w)), np.zeros((h, w))))"),
     AS_AUGMENTER, 5,
     "augmenter 'mine': expected x and y, each float32 of shape (32, 32), got ndarray of shape"),
    (net("images.sum()"), AS_NET, 8,
     "architecture: expected 'mine' to turn 2 images into features of shape (2, 8), got ()"),
    (net(features="9"), AS_NET, 8,
     "architecture: expected 'mine' to turn 2 images into features of shape (2, 9), got (2, 8)"),
    (net("(images,)"), AS_NET, 8,
     "architecture: expected 'mine' to turn 2 images into features of shape (2, 8), got tuple"),
    (net("self.layer(images)").replace("    num_features = 8\n\n", ""), AS_NET, 6,
     "architecture: expected 'mine' to turn 2 images into features of shape (2, num_features), "
     "got (2, 8, 30, 30)"),
    (CALLBACK.format(body="pass").replace("(Callback)", ""), {"callbacks": "{mine: }"}, 6,
     "callback 'Mine': expected an object of a class derived from Callback, got Mine"),
    (SCHEDULE.format(body="-now.lr"), {"schedule": "mine"}, 3,
     "schedule 'mine': expected a learning rate of at least 0, got -0.01"),
    (OPTIMIZER.format(body="return params"), {"optimizer": "mine"}, 4,
     "optimizer 'mine': expected an optimizer of torch's kind, got list"),
    (MIXER.format(body="return images"), {"augmentation": "{mine: }"}, 4,
     "mixer 'mine': expected a `Mixed`, got ndarray"),
    (MIXER.format(body="return Mixed(images / 2, targets, [0, 1])"), {"augmentation": "{mine: }"},
     4, "mixer 'mine': expected images of the kind that came (ndarray of shape (6, 32, 32, 3) and "
     "type uint8), got ndarray"),
    (MIXER.format(body="return Mixed(images, targets, [0, 1])"), {"augmentation": "{mine: }"},
     4, "mixer 'mine': expected each sample's place once in `order`, got [0, 1]"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "keys", "line", "message"), WRONG)
def test_a_wrong_part_is_told_by_the_line_of_its_file(tmp_path, code, keys, line, message):
    with pytest.raises(ConfigError, match=r"mine|Mine") as error:
        fit(tmp_path, code, keys)
    text = str(error.value)
    assert text.startswith(f"{tmp_path}/own.py:{line}: {message}"), text
    assert error.value.slug in (
        "config/bad-part", "config/part-failed", "config/part-result", "config/backbone-contract"
    )  # fmt: skip


def test_an_option_without_a_type_takes_anything_and_a_written_type_is_held(tmp_path):
    code = LOSS.format(facts="", body="return ((logits - targets) * power).mean()")
    run = fit(tmp_path, code, {"loss": "mine(power=0.5)"})
    assert run.folder.results(0, 0)[0].exists()
    for annotation in ("power: float = 2.0", "power: 'float' = 2.0"):
        own = tmp_path / f"own-{len(annotation)}"
        own.mkdir()
        text = code.replace("power=2.0", annotation)
        with pytest.raises(ConfigError, match=r"mine\.power: expected a number, got nothing"):
            fit(own, text, {"loss": "mine(power=none)"})


def test_what_a_part_raises_for_lack_of_memory_stays_that(tmp_path):
    from fivefold.core.errors import ResourceError

    body = "raise RuntimeError('CUDA out of memory: not enough memory')"
    with pytest.raises(ResourceError, match="expected enough memory for a batch of 6") as error:
        fit(tmp_path, LOSS.format(facts="", body=body), AS_LOSS)
    assert error.value.slug == "resource/memory"


IN_MUSKETS_WORDS = """
import keras
import torch
from classification_pipeline import classification
from musket_core.losses import keras_loss
from musket_core.metrics import final_metric

@keras_loss
def soft_dice(y_true, y_pred):
    return 1 - 2 * (y_true * y_pred).sum(axis=1) / (y_true + y_pred).sum(axis=1)

@final_metric
def hits(folds_and_stages, predictions):
    return sum(i.y.argmax() == i.prediction.argmax() for i in predictions) / len(predictions)

def my_loss(y_true, y_pred):
    return (y_true - y_pred).abs().mean(axis=1)

class MyNet(torch.nn.Module):
    def __init__(self, input_shape):
        super().__init__()
        self.layer = torch.nn.Conv2d(input_shape[2], 8, 3)

    def forward(self, images):
        return self.layer(images).relu().mean(dim=(2, 3))

keras.utils.get_custom_objects()["my_loss"] = my_loss
classification.custom_models["MyNet"] = MyNet
"""


def test_parts_in_muskets_and_kerass_words_train_on_both_roads(tmp_path):
    run = fit(tmp_path, IN_MUSKETS_WORDS, {
        "architecture": "MyNet",
        "loss": "my_loss + 0.1*soft_dice",
        "metrics": "[accuracy, my_loss]",
        "final_metrics": "[hits]",
        "primary_metric": "val_my_loss",
        "stages": "[{epochs: 1}, {epochs: 1, freeze_encoder: true}]",
    })  # fmt: skip
    found = run.fit(folds=[0], jobs=1).oof
    assert found["hits"] == found["accuracy"]
    probs, truth = (getattr(Predictions.load(run.folder.predictions("validation", 0, 1)), name)
                    for name in ("probs", "truth"))  # fmt: skip
    assert found["my_loss"] == pytest.approx(np.abs(probs - truth).mean())


def test_a_loss_in_kerass_words_and_its_own_are_the_same_to_the_bit(tmp_path):
    keras = """
    from musket_core.losses import keras_loss

    @keras_loss
    def far(y_true, y_pred):
        return (y_true - y_pred).abs().mean(axis=1)
    """
    own = """
    from fivefold import loss

    @loss(inputs="probabilities", gives="sample")
    def far(probs, targets):
        return (targets - probs).abs().mean(dim=1)
    """
    weights = []
    for name, code in (("keras", keras), ("own", own)):
        (tmp_path / name).mkdir()
        with catalogs_as_before():
            run = fit(tmp_path / name, code, {"loss": "far"})
        weights.append((run.folder.root / "weights" / "best-0.0.safetensors").read_bytes())
    assert weights[0] == weights[1]


EVERYTHING = """
import torch
from fivefold import callback, loss, metric, optimizer, schedule
from fivefold.engine.callbacks import Callback

@loss()
def far(logits, targets):
    return ((logits - targets) ** 2).mean()

@metric(best="max")
def near(predictions):
    return (predictions.probs * predictions.truth).sum(axis=1).mean()

@optimizer(name="Plain")
def plain(params, lr, *, momentum: float = 0.9):
    return torch.optim.SGD(params, lr, momentum)

@schedule()
def halved(now):
    return now.lr * 0.5 ** now.epoch

@callback()
class Counted(Callback):
    seen = 0

    def on_epoch_end(self, epoch, row, control):
        self.seen += 1
        control.lr *= 1 - 0.1 * self.seen

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]
"""
ALL_KEYS = {
    "loss": "far",
    "metrics": "[near]",
    "primary_metric": "val_near",
    "optimizer": "Plain",
    "schedule": "halved",
    "callbacks": "{Counted: }",
    "stages": "[{epochs: 4}]",
}


def broken_off(folder, lines):
    """Stop after some epochs; the run stays as it is."""
    keys = ALL_KEYS | {"dataset": "{folder: shapes}"}
    config = "\n".join(f"{key}: {value}" for key, value in keys.items())
    kept = [line for line in WHOLE.splitlines() if line.partition(":")[0] not in keys]
    write_experiment(folder, per_class=4, config="\n".join([*kept, config, "imports: [own]\n"]))
    (folder / "own.py").write_text(EVERYTHING)
    run = Experiment.load(folder, allow_imports=True, progress=StopAfter(lines))
    with pytest.raises(StopError, match="epoch"):
        run.fit(folds=[0], jobs=1)


def go_on(folder):
    with catalogs_as_before():
        run = Experiment.load(folder, allow_imports=True, progress=Silent())
        run.fit(folds=[0], jobs=1)
    return run.folder


def test_a_resumed_run_of_own_parts_equals_an_unbroken_one(tmp_path, caplog):
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = fit(tmp_path / "whole", EVERYTHING, ALL_KEYS).folder
    broken_off(tmp_path / "broken", 2)
    broken = go_on(tmp_path / "broken")
    for path in (*whole.results(0, 0), whole.metrics(0, 0)):
        assert (broken.root / path.relative_to(whole.root)).read_bytes() == path.read_bytes()
    assert json.loads(whole.manifest_path.read_text())["own_code"]["own.py"] == (
        hashlib.sha256((tmp_path / "whole" / "own.py").read_bytes()).hexdigest()
    )
    assert "another own.py" not in caplog.text


def test_code_that_was_edited_in_between_is_told(tmp_path, caplog):
    with catalogs_as_before():
        broken_off(tmp_path, 1)
    own = tmp_path / "own.py"
    own.write_text(own.read_text().replace("** 2", "** 4"))
    go_on(tmp_path)
    assert "resumed with another own.py than it was started with: what is trained from " in (
        caplog.text
    )
