import numpy as np
import pytest
from sklearn.metrics import log_loss

from fivefold.core.types import Head
from fivefold.evaluation.mask_counting import ImageCounts, scores_of_counts

TWO = Head("", "sigmoid", ("vessel", "lesion"))
THREE = Head("", "softmax", ("ground", "cell", "nucleus"))


def image(head, seed=0):
    rng = np.random.default_rng(seed)
    probs = rng.random((9, 7, head.num_classes)).astype(np.float32)
    if head.activation == "softmax":
        truth = rng.integers(0, 3, (9, 7, 1)).astype(np.uint8)
        probs /= probs.sum(axis=-1, keepdims=True)
    else:
        truth = rng.integers(0, 2, probs.shape).astype(np.uint8)
    truth[0, :3, 0] = 255
    return probs, truth


def counts(probs, truth, head, step=9):
    found = ImageCounts(head)
    for top in range(0, len(probs), step):
        found.add(probs[top : top + step], truth[top : top + step])
    return found


@pytest.mark.parametrize("head", [TWO, THREE], ids=["planes", "exclusive"])
def test_rows_add_up_to_the_image(head):
    probs, truth = image(head)
    whole, parts = (
        scores_of_counts(head, [("a", counts(probs, truth, head, step))]) for step in (9, 2)
    )
    for name in ("hits", "said", "true", "pixels"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    for name in ("soft_hits", "soft_said", "log_losses"):
        np.testing.assert_allclose(getattr(whole, name), getattr(parts, name))


def test_planes_are_counted_as_by_brute_force():
    probs, truth = image(TWO)
    scores = scores_of_counts(TWO, [("a", counts(probs, truth, TWO))])
    kept = ~(truth == 255).any(axis=-1)
    said, true = probs[kept] > 0.5, truth[kept] == 1
    assert scores.pixels.tolist() == [60]
    assert scores.hits[0].tolist() == (said & true).sum(axis=0).tolist()
    assert scores.said[0].tolist() == said.sum(axis=0).tolist()
    assert scores.true[0].tolist() == true.sum(axis=0).tolist()
    np.testing.assert_allclose(scores.soft_hits[0], (probs[kept] * true).sum(axis=0), rtol=1e-6)
    each = [log_loss(true[:, k], probs[kept][:, k].astype(float)) for k in range(2)]
    assert scores.log_losses[0] == pytest.approx(np.mean(each), rel=1e-6)


def test_exclusive_classes_are_counted_as_by_scikit_learn():
    probs, truth = image(THREE)
    scores = scores_of_counts(THREE, [("a", counts(probs, truth, THREE))])
    kept = truth[..., 0] != 255
    said, true = probs[kept].argmax(axis=-1), truth[kept][:, 0]
    assert scores.hits.sum() == (said == true).sum()
    assert scores.true[0].tolist() == np.bincount(true, minlength=3).tolist()
    exact = probs[kept].astype(float)
    expected = log_loss(true, exact / exact.sum(axis=-1, keepdims=True), labels=range(3))
    assert scores.log_losses[0] == pytest.approx(expected, rel=1e-5)


def test_scores_are_those_that_training_measures():
    torch = pytest.importorskip("torch")
    from fivefold.models.mask_measuring import measured

    for head in (TWO, THREE):
        logits = torch.from_numpy(np.random.default_rng(1).normal(size=(1, head.num_classes, 9, 7)))
        _, truth = image(head)
        softmax = head.activation == "softmax"
        probs = (logits.softmax(1) if softmax else logits.sigmoid())[0].permute(1, 2, 0).float()
        mine = scores_of_counts(head, [("a", counts(probs.numpy(), truth, head))])
        masks = torch.from_numpy(truth).permute(2, 0, 1)[None]
        for name, values in measured(logits.float(), masks, head).items():
            np.testing.assert_allclose(getattr(mine, name), values, rtol=1e-5, err_msg=name)


def test_no_images_give_no_rows():
    assert len(scores_of_counts(TWO, [])) == 0
