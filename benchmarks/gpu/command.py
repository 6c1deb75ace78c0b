"""Runs one of the three: `python -m benchmarks.gpu.command a|b|c OUT`; prints and writes JSON.

a: rooflines and steps, eager and compiled, of ResNet-18 and ResNet-50; our training efficiency;
   batches that are gathered on the device, against sent ones.
b: a whole experiment, ours against the plain scripts; the frozen sweep; time to the first step.
c: predicting; five folds on one GPU side by side; the same run twice, byte for byte.
"""

import argparse
import hashlib
import itertools
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import ours
from benchmarks.arms import run_json, run_process
from benchmarks.data import photo_set, standard_set
from benchmarks.environments import Environments
from benchmarks.folds import Peer, run_folds
from benchmarks.gpu.resident import batch_rates
from benchmarks.gpu.steps import rooflines, step_rate
from benchmarks.predicting import Ensemble, predict_photos
from benchmarks.rows.frozen_sweep import measure as measure_sweep
from benchmarks.settings import Settings
from benchmarks.weights import initial_weights
from benchmarks.workload import Workload

LIMIT = 540.0
"""Seconds after which nothing more is begun."""


def main() -> None:
    """Run one command; what fails is told and does not take the rest with it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("a", "b", "c"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--n", type=int, default=2_000, help="pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.gettempdir()) / "fivefold-benchmarks"
    steps = {"a": command_a, "b": command_b, "c": command_c}[options.command](folder, options.n)
    found: dict[str, Any] = {"machine": _machine()}
    begun = time.perf_counter()
    for name, step in steps.items():
        if time.perf_counter() - begun > LIMIT:
            found[name] = "not run: time was up"
            continue
        try:
            found[name] = step()
        except Exception as error:
            traceback.print_exc()
            found[name] = f"failed: {error}"
        print(json.dumps({name: found[name]}), flush=True)
        path = options.out / f"gpu-{options.command}.json"
        path.write_text(json.dumps(found, indent=1), encoding="utf-8")


def command_a(folder: Path, count: int) -> dict[str, Callable[[], Any]]:
    """Rooflines, bare steps, and what loading costs."""
    steps: dict[str, Callable[[], Any]] = {"rooflines": rooflines}
    kinds = itertools.product(("resnet18", "resnet50"), (False, True), (False, True))
    for name, half, last in kinds:
        title = f"{name} {'bf16' if half else 'tf32'} {'NHWC' if last else 'NCHW'}"
        steps[title] = lambda n=name, h=half, c=last: step_rate(  # type: ignore[misc]  # bound at once
            n, half=h, channels_last=c, compiled=False
        )
    for name in ("resnet18", "resnet50"):
        steps[f"{name} bf16 NHWC compiled"] = lambda n=name: step_rate(  # type: ignore[misc]  # as above
            n, half=True, channels_last=True, compiled=True
        )
        steps[f"efficiency {name}"] = lambda n=name: _json(  # type: ignore[misc]  # as above
            "benchmarks.training_efficiency",
            [str(_images(folder, count)), "--architecture", n, "--batch", "256", "--threads", "8"],
        )
    steps["batches on the device"] = lambda: batch_rates(_images(folder, count))
    steps["loading"] = lambda: _json("benchmarks.loading", [str(_images(folder, 400))])
    return steps


def command_b(folder: Path, count: int) -> dict[str, Callable[[], Any]]:
    """A whole experiment and the sweep, ours and the plain scripts'."""

    def work(precision: str) -> Workload:
        pictures, weights = standard_set(folder, count), initial_weights(folder, "resnet18")
        return Workload(pictures, weights, size=224, batch=64, precision=precision)

    environments = Environments(folder / "environments")
    settings = Settings(
        smoke=False,
        folder=folder,
        environments=environments,
        repetitions=1,
        count=count,
        peers=("timm",),
        peer_folds=1,
    )
    steps: dict[str, Callable[[], Any]] = {}
    for precision in ("fp32", "best"):
        steps[f"fivefold {precision}"] = lambda p=precision: vars(ours.fit(work(p)))  # type: ignore[misc]  # bound at once
        for name in ("torchvision", "timm"):
            steps[f"{name} {precision}"] = lambda p=precision, n=name: vars(  # type: ignore[misc]  # as above
                run_folds(Peer(n, tuned=True, folds=1), work(p), environments)
            )
    steps["frozen sweep"] = lambda: [str(row) for row in measure_sweep(settings)]
    return steps


def command_c(folder: Path, count: int) -> dict[str, Callable[[], Any]]:
    """Predicting, folds side by side, and exactness."""

    def work() -> Workload:
        pictures, weights = standard_set(folder, count), initial_weights(folder, "resnet18")
        return Workload(pictures, weights, size=64, batch=64)

    photo_set(folder, 60)
    return {
        "predict resnet18": lambda: predict_photos(folder, ensemble=Ensemble(), photos=60),
        "folds one after the other": lambda: _fit_with(work(), ["--jobs", "1"])[0],
        "folds side by side": lambda: _fit_with(work(), ["--jobs", "5"])[0],
        "same bytes twice": lambda: len({_fit_with(work(), ["--jobs", "1"])[1] for _ in "ab"}) == 1,
    }


def _fit_with(work: Workload, words: list[str]) -> tuple[float, str]:
    """Train; seconds, and a digest of all weights."""
    with tempfile.TemporaryDirectory(prefix="fivefold-gpu-") as name:
        experiment = Path(name) / "experiment"
        experiment.mkdir()
        (experiment / "config.yaml").write_text(ours.config_text(work), "utf-8")
        environment = {"FIVEFOLD_CACHE": str(Path(name) / "cache")}
        command = [*ours.COMMAND, "fit", str(experiment), *words]
        sample = run_process(command, Path(name) / "log.txt", environment)
        hasher = hashlib.sha256()
        for path in sorted((experiment / "weights").glob("*.safetensors")):
            hasher.update(path.read_bytes())
        return sample.seconds, hasher.hexdigest()


def _images(folder: Path, count: int) -> Path:
    return standard_set(folder, count).images


def _json(module: str, words: list[str]) -> Any:
    with tempfile.TemporaryDirectory(prefix="fivefold-gpu-") as name:
        return run_json([sys.executable, "-m", module, *words], Path(name) / "log.txt")


def _machine() -> dict[str, Any]:
    return {
        "gpu": torch.cuda.get_device_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }


if __name__ == "__main__":
    main()
