from dataclasses import replace

import pytest
import tiny  # noqa: F401  registers the net
import torch

from fivefold.core.choices import Choices
from fivefold.core.errors import ResourceError
from fivefold.core.types import Head
from fivefold.engine.device import on_device
from fivefold.engine.probe import Steps, image_rates
from fivefold.models import ModelSpec, build_classifier

SPEC = ModelSpec("tiny", (Head("label", "softmax", ("a", "b")),), (32, 32, 3), dropout=0.5)
STEPS = Steps((32, 32, 3), 8, frozen=False, freeze_batchnorm=False)
FLOAT = Choices(1)
BFLOAT = replace(FLOAT, precision="bfloat16")
PLAIN = replace(FLOAT, layout="contiguous")


@pytest.fixture
def model():
    return on_device(build_classifier(SPEC))


class Seconds:
    """A clock on which every look takes so many seconds, and nothing else does."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.now = 0.0

    def __call__(self):
        self.now += self.seconds
        return self.now


def ignore(steps):
    pass


def test_each_way_gets_the_rate_of_its_steps(model):
    # Every look at the clock takes a second: so does every step, of 8 images at most.
    found = image_rates(model, [FLOAT, PLAIN], STEPS, ignore, clock=Seconds(1.0))
    assert found == {FLOAT.name: 2.0, PLAIN.name: 2.0}
    found = image_rates(model, [FLOAT, BFLOAT], STEPS, ignore, clock=Seconds(0.1))
    assert found == {FLOAT.name: 80.0, BFLOAT.name: 80.0}


class Slow:
    """A hook that lets each step take a time of its own, and the clock of that time."""

    seconds = iter([0.1, 0.1, 0.001, 0.5, 1.5, 1.0, 1.0, 0.5])
    now = 0.0

    def __call__(self, *step):
        self.now += next(self.seconds) if step else 0
        return None if step else self.now

    def __deepcopy__(self, memo):  # the probe's copy of the model tells the same clock
        return self


def test_the_fastest_step_counts_and_the_first_does_not(model):
    slow = Slow()
    model.backbone.register_forward_hook(slow)
    found = image_rates(model, [FLOAT, PLAIN], STEPS, ignore, clock=slow)
    # To choose the batch 0.1, 0.1; first turn 0.001, 0.5; then until 2 s for each way are over.
    assert found == {FLOAT.name: 8.0, PLAIN.name: 16.0}


def test_a_probe_leaves_model_and_random_numbers_alone(model):
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    drawn, threads = torch.get_rng_state(), torch.get_num_threads()
    image_rates(model, [FLOAT, BFLOAT, PLAIN, replace(FLOAT, threads=2)], STEPS, ignore)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert model.training
    assert model.choices == FLOAT
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("frozen", [True, False])
def test_a_batch_of_one_is_tried_with_two(model, frozen):
    steps = replace(STEPS, batch=1, frozen=frozen)
    assert image_rates(model, [FLOAT], steps, ignore)[FLOAT.name] > 0


def test_turns_are_told(model):
    told = []
    image_rates(model, [FLOAT, PLAIN], STEPS, told.append, clock=Seconds(0.001))
    assert told == [1] * 12


def test_too_little_memory_is_told(model):
    def full(module, args):
        raise MemoryError

    model.backbone.register_forward_pre_hook(full)
    with pytest.raises(ResourceError, match="probe: expected enough memory for a batch of 8") as e:
        image_rates(model, [FLOAT], STEPS, ignore)
    assert e.value.slug == "resource/memory"
