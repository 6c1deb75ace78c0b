"""Training steps on the GPU: what the machine allows, and what an epoch of ours reaches."""

import time
from collections.abc import Callable
from typing import Any

import timm
import torch
from torch import Tensor, nn

ROOFLINE_SIDE = 8192


def rooflines() -> dict[str, float]:
    """Measure arithmetic in bfloat16, TFLOP/s, and copying, TB/s read and written."""
    a = torch.randn(ROOFLINE_SIDE, ROOFLINE_SIDE, device="cuda", dtype=torch.bfloat16)
    seconds = timed(lambda: a @ a, 20)
    block = torch.zeros(2**30, dtype=torch.uint8, device="cuda")
    copied = timed(block.clone, 20)
    return {
        "matrix product bf16, TFLOP/s": 2 * ROOFLINE_SIDE**3 / seconds / 1e12,
        "copy, TB/s": 2 * block.nbytes / copied / 1e12,
    }


def step_rate(
    architecture: str, *, half: bool, channels_last: bool, compiled: bool, batch: int = 256
) -> float:
    """Measure images in a second of a training step on a resident batch at 224 pixels."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model: Any = timm.create_model(architecture, num_classes=10).cuda().to(memory_format=layout)
    images = torch.randn(batch, 3, 224, 224, device="cuda").to(memory_format=layout)
    labels = torch.arange(batch, device="cuda") % 10
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, fused=True)
    forward: Callable[[Tensor], Tensor] = torch.compile(model) if compiled else model

    def step() -> None:
        with torch.autocast("cuda", torch.bfloat16, enabled=half):
            logits = forward(images)
        loss = nn.functional.cross_entropy(logits.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
        optimizer.step()

    return batch / timed(step, 20)


def timed(work: Callable[[], Any], times: int) -> float:
    """Tell how many seconds one call takes, the GPU's work included; the first calls warm up."""
    for _ in range(5):
        work()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / times
