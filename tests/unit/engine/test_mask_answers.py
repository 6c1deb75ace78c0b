"""What is kept of a segmenter's answers."""

import math

import numpy as np
import pytest
import torch

from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import MaskKind
from fivefold.core.types import Head
from fivefold.data.batches import Batch
from fivefold.data.samples import SampleTable
from fivefold.engine.mask_answers import MaskAnswers
from fivefold.engine.predictor import Place
from fivefold.losses import build_mask_loss

CELL = Head("", "sigmoid", ("cell", "edge"))
COUNT, SIDE = 7, 12


def table():
    ids = tuple(f"n{i}" for i in range(COUNT))
    kind = MaskKind(2, exclusive=False)
    return SampleTable(ids, np.arange(COUNT), None, (), ids, [""] * COUNT, masks=kind)


def answers(text="dice_loss"):
    return MaskAnswers(CELL, table(), Place(1, 0), build_mask_loss((text,), CELL))


def drawn():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(COUNT, 2, SIDE, SIDE, generator=generator)
    masks = torch.randint(0, 2, (COUNT, SIDE, SIDE, 2), generator=generator, dtype=torch.uint8)
    return logits, masks.numpy()


def judged(size, text="dice_loss"):
    logits, masks = drawn()
    kept = []
    for start in range(0, COUNT, size):
        rows = np.arange(start, min(start + size, COUNT))
        batch = Batch(rows, np.zeros((len(rows), SIDE, SIDE, 3), np.uint8), None, masks[rows])
        kept.append(answers(text).answered(logits[rows], batch))
    return answers(text).judged(np.arange(COUNT), kept)


@pytest.mark.parametrize("text", ["dice_loss", "lovasz_loss", "binary_crossentropy+dice_loss"])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_loss_and_the_scores_of_a_fold_do_not_depend_on_the_batches(text, size):
    (whole, losses), (found, own) = judged(COUNT, text), judged(size, text)
    assert own["loss"] == pytest.approx(losses["loss"], rel=1e-6)
    for name in ("hits", "said", "true", "pixels", "soft_hits", "soft_said", "log_losses"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    assert (found.ids, found.fold, found.stage) == (table().ids, 1, 0)


def test_of_a_batch_only_numbers_are_kept():
    logits, masks = drawn()
    kept = answers().seen(logits.requires_grad_(), torch.from_numpy(masks).permute(0, 3, 1, 2))
    assert sum(array.nbytes for array in kept.values()) < 100 * COUNT
    assert all(isinstance(array, np.ndarray) for array in kept.values())
    assert isinstance(answers().learned(range(COUNT), [kept]), MaskScores)


def test_an_output_that_is_no_number_is_told_by_the_loss():
    logits, masks = drawn()
    logits[3, 0, 5, 5] = math.inf
    batch = Batch(np.arange(COUNT), np.zeros((COUNT, 1, 1, 3), np.uint8), None, masks)
    _, losses = answers().judged(range(COUNT), [answers().answered(logits, batch)])
    assert math.isnan(losses["loss"])
