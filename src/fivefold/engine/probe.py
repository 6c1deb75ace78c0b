"""How fast ways of computing are here: a few steps of each, in turn, on random pixels."""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fivefold.core.choices import Choices
from fivefold.engine.device import accelerator, computing_with, on_device
from fivefold.engine.memory import is_out_of_memory, out_of_memory
from fivefold.models import Classifier

_TURNS = 6  # the first warms up
_SECONDS = 2.0  # for each way; one turn is always finished
_LONGEST_STEP = 0.5  # seconds, about; what takes longer is tried with fewer images
_PILOT = 2  # images; BatchNorm needs two

Clock = Callable[[], float]


@dataclass(frozen=True)
class Steps:
    """What is tried.

    Attributes:
        shape: Height, width and channels of the images, or of cells where these are cut.
        batch: Images in a step.
        frozen: Whether the backbone only gives features; else it is trained.
        freeze_batchnorm: Whether BatchNorm's statistics are held while it is.
    """

    shape: tuple[int, int, int]
    batch: int
    frozen: bool
    freeze_batchnorm: bool


def image_rates(
    model: Classifier,
    ways: Sequence[Choices],
    steps: Steps,
    advance: Callable[[int], None],
    *,
    clock: Clock = time.perf_counter,
) -> dict[str, float]:
    """Time ways of computing.

    They are tried in turn, and of each the fastest step counts, so that other work on the machine
    does not decide. Neither the model nor any state of random numbers changes.

    Args:
        model: Not touched: a copy takes the steps.
        ways: Precision, layout and threads of each.
        steps: What is tried.
        advance: Told 1 for each way that had its turn; there are up to 6 turns.
        clock: Gives seconds.

    Returns:
        Images in a second, by the ways' names.

    Raises:
        ResourceError: If memory runs out.
    """
    tried = copy.deepcopy(model)
    device = accelerator().device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            return _Probe(tried, steps, clock).run(ways, advance)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise out_of_memory(error, "probe", steps.batch, "lower `batch` or `shape`") from error


class _Probe:
    def __init__(self, model: Classifier, steps: Steps, clock: Clock) -> None:
        self.model = model
        self.steps = steps
        self.clock = clock
        model.freeze(encoder=steps.frozen, batchnorm=steps.freeze_batchnorm)

    def run(self, ways: Sequence[Choices], advance: Callable[[int], None]) -> dict[str, float]:
        images = self._images(self._affordable(ways[0]))
        best = {way.name: float("inf") for way in ways}
        started = self.clock()
        for turn in range(_TURNS):
            for way in ways:
                seconds = self._step(way, images)
                if turn:  # the first is slow: kernels are chosen, memory is asked for
                    best[way.name] = min(best[way.name], seconds)
                advance(1)
            if turn and self.clock() - started > _SECONDS * len(ways):
                break
        return {name: round(len(images) / seconds, 1) for name, seconds in best.items()}

    def _affordable(self, way: Choices) -> int:
        """Choose how many images a step has: as in training, unless that takes too long."""
        pilot = self._images(_PILOT)
        self._step(way, pilot)
        seconds = self._step(way, pilot) / _PILOT
        return max(_PILOT, min(self.steps.batch, int(_LONGEST_STEP / seconds)))

    def _images(self, count: int) -> Tensor:
        height, width, channels = self.steps.shape
        generator = torch.Generator().manual_seed(0)
        shape = (count, height, width, channels)
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        return pixels.permute(0, 3, 1, 2).to(accelerator().device)

    def _step(self, way: Choices, images: Tensor) -> float:
        model = on_device(self.model, way)
        with computing_with(way.threads):
            _wait()
            started = self.clock()
            if self.steps.frozen:
                model.eval()
                with torch.inference_mode():
                    model.features(images)
            else:
                model.train()
                model(images).square().mean().backward()
            _wait()
            seconds = self.clock() - started
        model.zero_grad(set_to_none=True)
        return max(seconds, 1e-9)


def _wait() -> None:
    """Let a GPU finish what it was given."""
    if accelerator().device.type == "cuda":
        torch.cuda.synchronize()
