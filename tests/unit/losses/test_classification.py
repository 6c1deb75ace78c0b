import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from fivefold.core.errors import DataError
from fivefold.losses import losses
from fivefold.losses.classification import binary_crossentropy, categorical_crossentropy

torch.set_num_threads(1)


def batch(seed=0, samples=12, classes=5):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(0, 3, (samples, classes)))
    return logits, torch.eye(classes, dtype=torch.float64)[rng.integers(0, classes, samples)]


@pytest.mark.parametrize("seed", range(5))
def test_categorical_crossentropy_is_scikit_learns_log_loss(seed):
    logits, targets = batch(seed)
    expected = log_loss(targets.argmax(1), logits.softmax(1), labels=range(5))
    assert categorical_crossentropy(logits, targets).mean().item() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_binary_crossentropy_is_the_mean_of_scikit_learns_log_losses(seed):
    logits, _ = batch(seed)
    targets = (torch.tensor(np.random.default_rng(seed).random((12, 5))) < 0.4).double()
    each = [log_loss(targets[:, i], logits[:, i].sigmoid(), labels=[0, 1]) for i in range(5)]
    assert binary_crossentropy(logits, targets).mean().item() == pytest.approx(np.mean(each))


def test_smoothing_spreads_the_truth_as_the_definition_says():
    logits, targets = batch()
    spread = targets * 0.8 + 0.2 / 5
    expected = -(spread * logits.log_softmax(1)).sum(1)
    torch.testing.assert_close(
        categorical_crossentropy(logits, targets, label_smoothing=0.2), expected
    )
    halved = targets * 0.8 + 0.1
    odds, evens = logits.sigmoid().log(), (1 - logits.sigmoid()).log()
    expected = -(halved * odds + (1 - halved) * evens)
    torch.testing.assert_close(binary_crossentropy(logits, targets, label_smoothing=0.2), expected)


@pytest.mark.parametrize("name", ["CE", "cross_entropy", "sparse_categorical_crossentropy"])
def test_kerass_names_mean_categorical_crossentropy(name):
    assert losses.get(name).make is categorical_crossentropy


@pytest.mark.parametrize("shape", [(12, 4), (11, 5), (12,), (12, 5, 1)])
def test_a_wrong_shape_is_a_data_error(shape):
    logits, _ = batch()
    with pytest.raises(DataError, match=r"loss: expected logits and targets of one shape") as error:
        categorical_crossentropy(logits, torch.zeros(shape))
    assert error.value.slug == "data/loss-shape"


@pytest.mark.parametrize("value", [1.0, -0.1])
def test_smoothing_out_of_range_is_a_complaint(value):
    _, complaints = losses.get("bce").check({"label_smoothing": value})
    assert [complaint.kind for complaint in complaints] == ["bad-value"]
