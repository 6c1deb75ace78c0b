"""A large experiment's report: `python -m benchmarks.report_size FOLDER [--make]`.

The folder looks as `fivefold fit` leaves it: 5 folds of 2 stages, samples of 100 classes, each a
file. Probabilities are drawn: some classes are hard to tell from their neighbour, the rest of the
mistakes are scattered.
"""

import hashlib
import io
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import Busy

_FOLDS, _STAGES, _EPOCHS = 5, 2, 20
_SIDE = 160
_CONFIG = """\
architecture: resnet18
weights: imagenet
shape: [160, 160, 3]
classes: {classes}
folds_count: 5
batch: 32
dataset: {{folder: images}}
metrics: [accuracy, macro_f1]
primary_metric: val_accuracy
stages:
  - {{epochs: 20, lr: 5e-3, freeze_encoder: true}}
  - {{epochs: 20, lr: 1e-3, unfreeze_encoder: true}}
"""


def make_run(folder: Path, samples: int, classes: int) -> None:
    """Write a run folder with images.

    Args:
        folder: Gets all files.
        samples: How many images, JPEGs of 160 pixels.
        classes: How many classes; each is a folder.
    """
    from fivefold.core.layout import RunFolder

    folder.mkdir(parents=True)
    run = RunFolder.of(folder)
    run.config_path.write_text(_CONFIG.format(classes=classes), "utf-8")
    names = tuple(f"class {k:03}" for k in range(classes))
    ids = [f"{names[i % classes]}/{i:06}.jpg" for i in range(samples)]
    _write_audit(run, ids)
    tables = [_write_stage(run, stage, ids, names) for stage in range(_STAGES)]
    _write_summary(run, tables)
    manifest = {
        "versions": {"fivefold": "0.1.0"},
        "choices": {},
        "config": {"shape": [160, 160, 3], "folds_count": 5, "primary_metric": "val_accuracy"},
        "warnings": [],
        "seconds": 5000.0,
    }
    run.manifest_path.write_text(json.dumps(manifest), "utf-8")


def _write_audit(run: Any, ids: list[str]) -> None:
    from fivefold.data.audit_rows import USED, AuditRow, AuditRows
    from fivefold.data.audited import Audit

    rng, rows = np.random.default_rng(0), []
    for sample_id in ids:
        path = run.root / "images" / sample_id
        path.parent.mkdir(parents=True, exist_ok=True)
        data = _photo(rng)
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        row = AuditRow(sample_id, USED, height=_SIDE, width=_SIDE, path=str(path))
        rows.append(replace(row, stamp=f"{len(data)}:0", digest=digest))
    Audit(AuditRows.of(rows), listed=len(rows)).save(run)


def _photo(rng: Any) -> bytes:
    """Draw something whose cost to decode and whose size are those of a photograph."""
    coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)).astype(np.int16)
    grainy = smooth + rng.integers(-12, 13, smooth.shape, dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _write_stage(run: Any, stage: int, ids: list[str], names: tuple[str, ...]) -> Any:
    """Write metrics and predictions of every fold; gives the kept epochs' metrics."""
    from fivefold.core.predictions import Predictions
    from fivefold.core.types import Head
    from fivefold.engine.history import write_history

    kept, head = [], Head("", "softmax", names)
    for fold in range(_FOLDS):
        rng = np.random.default_rng([stage, fold])
        own = [name for i, name in enumerate(ids) if i // len(names) % _FOLDS == fold]
        truth = np.array([names.index(sample_id.partition("/")[0]) for sample_id in own])
        probs = _drawn_probs(rng, truth, len(names), 3.0 + stage)
        targets = np.eye(len(names), dtype=np.float32)[truth]
        Predictions(tuple(own), probs, (head,), targets, fold, stage).save(
            run.predictions("validation", fold, stage)
        )
        rows = [_epoch(rng, stage, epoch) for epoch in range(_EPOCHS)]
        write_history(run.metrics(fold, stage), rows)
        kept.append({name: value for name, value in rows[-1].items() if name != "lr"})
    return kept


def _drawn_probs(rng: Any, truth: Any, count: int, strength: float) -> Any:
    logits = rng.normal(0, 1.3, (len(truth), count))
    rows = np.arange(len(truth))
    logits[rows, truth] += strength
    hard = truth % 7 == 0
    logits[rows[hard], (truth[hard] + 1) % count] += strength - 0.5
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exps / exps.sum(axis=1, keepdims=True)).astype(np.float32)


def _epoch(rng: Any, stage: int, epoch: int) -> dict[str, float]:
    loss = (1.5 - stage) * 0.85**epoch + 0.3 + 0.05 * float(rng.random())
    return {
        "loss": loss * 0.9,
        "val_loss": loss,
        "val_accuracy": 1 - loss / 3,
        "val_macro_f1": 0.99 - loss / 3,
        "lr": 1e-3,
    }


def _write_summary(run: Any, tables: Any) -> None:
    from fivefold.evaluation import spread
    from fivefold.experiment.summary import Summary, write_summary

    stages = tuple(
        {name: spread([row[name] for row in rows]) for name in rows[0]} for rows in tables
    )
    oof = {"accuracy": 0.8, "macro_f1": 0.8}
    write_summary(run, Summary(tuple(range(_FOLDS)), True, "val_accuracy", stages, oof))


def measure(folder: Path) -> dict[str, Any]:
    """Write the report once, in this process.

    Returns:
        `seconds` and `cpu_seconds` of all, imports included; `bytes` of the page; `pictures` in
        it; `torch`, whether it was loaded.
    """
    began = Busy.now()
    from fivefold.apps.report import write_report
    from fivefold.core.layout import RunFolder

    page = write_report(RunFolder.of(folder)).read_bytes()
    ended = Busy.now()
    return {
        "seconds": ended.at - began.at,
        "cpu_seconds": ended.own - began.own,
        "bytes": len(page),
        "pictures": page.count(b"data:image/"),
        "torch": "torch" in sys.modules,
    }


def main() -> None:
    """Make a run folder, or write its report and print what that took."""
    folder = Path(sys.argv[1])
    if "--make" in sys.argv:
        began = time.perf_counter()
        make_run(folder, samples=10_000, classes=100)
        print(f"made in {time.perf_counter() - began:.0f} s")
        return
    print(json.dumps(measure(folder)))


if __name__ == "__main__":
    main()
