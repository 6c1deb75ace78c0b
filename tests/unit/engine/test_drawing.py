import numpy as np
import pytest
import torch

from fivefold.core.types import Head
from fivefold.engine.drawing import answered_masks
from fivefold.evaluation.mask_answers import mask_of
from fivefold.models import probabilities


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_masks_that_are_drawn_are_those_of_the_probabilities(activation):
    head = Head("", activation, ("a", "b", "c"))
    logits = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    probs = probabilities(logits, (head,)).permute(0, 2, 3, 1).numpy()
    found = answered_masks(logits, head)
    np.testing.assert_array_equal(found, [mask_of(one, head) for one in probs])
