import numpy as np
import pytest
from mask_nets import BRIGHT, COLOURS, GROUNDS

from fivefold.core.errors import ConfigError
from fivefold.core.mask_scores import MaskScores
from fivefold.evaluation import compute
from fivefold.experiment.musket.mask_thresholds import best_by_class, best_threshold
from fivefold.experiment.musket.thresholds import GRID


def pairs_of(classes, count=3, seed=0, ignored=True):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        mask = (rng.random((12, 9, classes)) < 0.4).astype(np.uint8)
        noise = rng.random(mask.shape, dtype=np.float32)
        probs = np.clip(0.35 * mask + 0.6 * noise, 0, 1).astype(np.float32).round(2)
        if ignored:
            mask[rng.random((12, 9)) < 0.1] = 255
        found.append((probs, mask))
    return found


@pytest.mark.parametrize("metric", ["dice", "iou", "image_dice"])
def test_a_metric_is_that_of_the_masks_at_each_candidate(metric):
    pairs = pairs_of(3)
    values = []
    for threshold in GRID:
        parts = {name: [] for name in ("hits", "said", "true", "pixels")}
        for probs, mask in pairs:
            counts = ~(mask == 255).any(axis=2)
            said = (probs > np.float32(threshold)) & counts[..., None]
            true = (mask == 1) & counts[..., None]
            parts["hits"].append((said & true).sum((0, 1)))
            parts["said"].append(said.sum((0, 1)))
            parts["true"].append(true.sum((0, 1)))
            parts["pixels"].append(counts.sum())
        arrays = [np.array(part, np.int64) for part in parts.values()]
        nothing = np.zeros((3, 3))
        scores = MaskScores(("a", "b", "c"), (COLOURS,), *arrays, nothing, nothing, np.zeros(3))
        values.append(compute(scores, [metric])[metric])
    assert best_threshold(pairs, COLOURS, metric) == GRID[int(np.nanargmax(values))]


def test_a_function_is_averaged_over_images():
    pairs = pairs_of(1, ignored=False)

    def agreement(truth, answer):
        return (truth == answer).mean()

    means = [
        np.mean([agreement(mask > 0, probs > np.float32(t)) for probs, mask in pairs]) for t in GRID
    ]
    assert best_threshold(pairs, BRIGHT, agreement) == GRID[int(np.argmax(means))]


def test_each_class_gets_its_own():
    pairs = pairs_of(3, ignored=False)
    pairs = [(probs * np.array([1, 0.5, 0.25], np.float32), mask) for probs, mask in pairs]
    found = best_by_class(pairs, COLOURS)
    assert found["red"] > found["green"] > found["blue"]
    for k, name in enumerate(COLOURS.class_names):
        alone = [(probs[..., k : k + 1], mask[..., k : k + 1]) for probs, mask in pairs]
        assert best_by_class(alone, BRIGHT) == {"bright": found[name]}


def test_exclusive_classes_have_no_threshold():
    with pytest.raises(ConfigError, match="expected classes that may overlap, got exclusive ones"):
        best_threshold([], GROUNDS, "dice")
