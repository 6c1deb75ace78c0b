"""Training steps on a batch that stays in memory: `python -m benchmarks.fold_threads …`.

Prints images in a second as JSON. Several of them at once show what folds side by side are worth.
"""

import argparse
import json
import sys
import time

import torch

from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier


def main() -> None:
    """Say that all is ready, wait for a line, then train for some seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("architecture")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    task = parser.parse_args()
    torch.set_num_threads(task.threads)
    heads = (Head("", "softmax", tuple("abcdefghij")),)
    spec = ModelSpec(task.architecture, heads, (task.size, task.size, 3))
    model = build_classifier(spec).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, fused=True)
    images = torch.randint(256, (task.batch, task.size, task.size, 3), dtype=torch.uint8)
    images, labels = images.permute(0, 3, 1, 2), torch.arange(task.batch) % 10

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
        optimizer.step()

    step()
    print("ready", flush=True)
    sys.stdin.readline()
    steps, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < task.seconds:
        step()
        steps += 1
    print(json.dumps({"rate": steps * task.batch / (time.perf_counter() - begun)}))


if __name__ == "__main__":
    main()
