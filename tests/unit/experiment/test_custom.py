"""Musket's ways to add parts: they end in the same catalogs, and mean what Keras's would."""

import inspect

import numpy as np
import pytest
import torch
from own_modules import catalogs_as_before
from torch import nn

from fivefold import classification
from fivefold.core.errors import ConfigError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation import compute, direction
from fivefold.experiment.musket import custom
from fivefold.experiment.own_code import own_code
from fivefold.losses import build_loss
from fivefold.models.backbones import build_backbone

HEAD = Head(name="", class_names=("a", "b", "c"), activation="softmax")


@pytest.fixture(autouse=True)
def _as_before():
    with catalogs_as_before():
        yield


def predictions(n=7, seed=0):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet((1, 1, 1), n).astype(np.float32)
    truth = np.eye(3, dtype=np.float32)[rng.integers(0, 3, n)]
    return Predictions(tuple(map(str, range(n))), probs, (HEAD,), truth, fold=1, stage=0)


class OwnNet(nn.Module):
    def __init__(self, input_shape):
        super().__init__()
        self.layer = nn.Linear(int(np.prod(input_shape)), 5)

    def forward(self, images):
        return self.layer(images.flatten(1))


def test_a_network_in_the_dictionary_is_a_backbone():
    classification.custom_models["OwnNet"] = OwnNet
    assert classification.custom_models["ownnet"] is OwnNet
    assert "OwnNet" in set(classification.custom_models)
    assert len(classification.custom_models) == len(list(classification.custom_models))
    net = build_backbone("OwnNet", weights="none", channels=2, image_size=(4, 6))
    assert net(torch.zeros(3, 2, 4, 6)).shape == (3, 5)
    with pytest.raises(KeyError, match="ResNet18"):
        _ = classification.custom_models["ResNet18"]
    with pytest.raises(TypeError, match="'OwnNet' stays"):
        del classification.custom_models["OwnNet"]


def test_the_spelling_of_muskets_page_is_the_same_dictionary():
    classification.custom.models["MyUnet"] = OwnNet
    assert classification.custom_models["MyUnet"] is OwnNet


def test_a_network_that_wants_to_know_the_classes_is_told_whose_the_last_layer_is():
    def my_net(input_shape, classes):
        return None

    with pytest.raises(ConfigError, match=r"backbone 'my_net': expected .* the last layer is ours"):
        classification.custom_models["my_net"] = my_net


def absolute(y_true, y_pred):
    return (y_true - y_pred).abs().mean(axis=-1)


def test_an_object_of_keras_is_a_loss_of_probabilities_and_a_metric():
    custom.get_custom_objects()["my_loss"] = absolute
    assert custom.get_custom_objects()["my_loss"] is absolute
    assert list(custom.get_custom_objects()) == ["my_loss"]
    found = predictions()
    logits = torch.tensor(np.log(found.probs))
    expected = np.abs(found.truth - found.probs).mean()
    loss = build_loss(("0.5*my_loss",), (HEAD,))(logits, torch.tensor(found.truth))
    assert loss.item() == pytest.approx(0.5 * expected, rel=1e-5)
    assert compute(found, ["My_Loss"]) == {"My_Loss": pytest.approx(expected, rel=1e-6)}
    assert direction("val_my_loss") == "min"
    with pytest.raises(TypeError, match="'my_loss' stays"):
        del custom.get_custom_objects()["my_loss"]


def test_muskets_decorators_know_which_way_is_better():
    @custom.keras_loss
    def far(y_true, y_pred):
        return absolute(y_true, y_pred)

    @custom.keras_metric
    def near(y_true, y_pred, *, scale: float = 1.0):
        return 1 - scale * absolute(y_true, y_pred)

    @custom.keras_metric
    def my_error(y_true, y_pred):
        return absolute(y_true, y_pred)

    def low(y_true, y_pred):
        return absolute(y_true, y_pred)

    low.best = "min"
    custom.registerMetric("lowest", low)
    assert [direction(name) for name in ("far", "near", "my_error", "lowest")] == [
        "min", "max", "min", "min",
    ]  # fmt: skip
    found = compute(predictions(), ["near", "far", "my_error", "lowest"])
    assert found["near"] == pytest.approx(1 - found["far"])
    assert found["my_error"] == found["far"] == found["lowest"]


def test_a_final_metric_sees_a_data_set_of_predictions():
    seen = []

    @custom.final_metric
    def hits(folds_and_stages, predictions):
        seen.append(folds_and_stages)
        return np.mean([item.y.argmax() == item.prediction.argmax() for item in predictions])

    found = predictions()
    expected = (found.truth.argmax(1) == found.probs.argmax(1)).mean()
    assert compute(found, ["hits"]) == {"hits": pytest.approx(expected)}
    assert seen == [[(1, 0)]]


def test_what_is_no_function_of_truth_and_predictions_is_refused():
    with pytest.raises(ConfigError, match=r"'layer': expected a function of \(y_true, y_pred\)"):
        custom.get_custom_objects()["layer"] = nn.Linear
    with pytest.raises(ConfigError, match=r"test_custom\.py:\d+: .*, got \(x\)") as error:
        custom.get_custom_objects()["activation"] = lambda x: x
    assert error.value.slug == "config/bad-part"


def test_a_mistake_is_told_by_the_line_of_the_users_file():
    def wrong(y_true, y_pred):
        return y_true + y_prod  # noqa: F821

    custom.keras_metric(wrong)
    line = inspect.getsourcelines(wrong)[1] + 1
    with pytest.raises(ConfigError, match=rf"test_custom\.py:{line}: metric 'wrong': .*NameError"):
        compute(predictions(), ["wrong"])


def test_keys_count_the_users_file_and_not_the_adapter():
    before = own_code()
    custom.get_custom_objects()["my_loss"] = absolute
    assert any(line.startswith("test_custom.py ") for line in own_code())
    assert before is not None


def test_kerass_other_names_say_what_to_do_instead():
    with pytest.raises(ImportError, match="backend of Musket's or Keras's is not in fivefold"):
        _ = custom.backend
    assert not hasattr(custom, "__wrapped__")
