"""The driver: `python -m benchmarks.run --smoke` or `--full`; see docs/benchmarks.md."""

import argparse
import datetime as dt
import importlib
import platform
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from benchmarks.arms import ROOT
from benchmarks.environments import Environments, open_environments
from benchmarks.folds import OF_THE_PROJECT, PEERS
from benchmarks.machine import describe_machine, measure_limits
from benchmarks.record import page, write_lines
from benchmarks.settings import Settings
from benchmarks.table import Row, plain

ROWS = (
    "whole_experiment",
    "frozen_sweep",
    "training_efficiency",
    "loading",
    "fold_scaling",
    "predicting",
    "segmentation",
    "memory",
    "many_rows",
    "evaluate_many",
    "report_size",
    "startup",
    "comparing",
)
"""Modules of `benchmarks.rows` in the table's order."""

_GPU = "needs a GPU; benchmarks/gpu holds the commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the record; returns the exit code."""
    options = _read(argv)
    folder = options.data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with open_environments(options.keep) as environments:
        settings = _settings(options, folder, environments)
        rows, left_out = _measure_all(settings, options.only or ROWS)
        _keep_record(options, settings, rows, left_out)
    print(plain(rows))
    print(f"{len(rows)} rows in {(time.perf_counter() - started) / 60:.1f} min")
    return 1 if any(row.verdict == "not run" for row in rows) else 0


def _read(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--smoke", action="store_true", help="small sizes, under 5 minutes")
    size.add_argument("--full", action="store_true", help="the sizes of the goals, an hour or more")
    parser.add_argument("--only", action="append", choices=ROWS, help="one row; repeatable")
    parser.add_argument("--reps", type=int, help="repetitions of each arm; default 1 or 3")
    parser.add_argument("--n", type=int, help="pictures of the experiment; default 100 or 800")
    parser.add_argument("--peers", help=f"separated by commas, of {', '.join(PEERS)}")
    parser.add_argument("--peer-folds", type=int, help="folds that peers run; default 1 or 5")
    parser.add_argument("--no-defaults", action="store_true", help="leave out untuned peers")
    parser.add_argument("--retries", type=int, default=0, help="for disturbed samples")
    parser.add_argument("--keep", type=Path, help="folder that keeps the peers' environments")
    cache = user_cache_path("fivefold-benchmarks")
    parser.add_argument("--data", type=Path, default=cache, help="folder of data sets and weights")
    parser.add_argument("--record", type=Path, help="folder of the record; default with --full")
    return parser.parse_args(argv)


def _settings(options: argparse.Namespace, folder: Path, environments: Environments) -> Settings:
    smoke = bool(options.smoke)
    peers = tuple(options.peers.split(",")) if options.peers else None
    unknown = set(peers or ()) - set(PEERS)
    if unknown:
        sys.exit(f"--peers: expected some of {', '.join(PEERS)}, got {', '.join(sorted(unknown))}")
    return Settings(
        smoke=smoke,
        folder=folder,
        environments=environments,
        repetitions=options.reps or (1 if smoke else 3),
        count=options.n or (100 if smoke else 800),
        peers=peers or (OF_THE_PROJECT if smoke else tuple(PEERS)),
        peer_folds=options.peer_folds or (1 if smoke else 5),
        defaults=not (options.no_defaults or smoke),
        retries=options.retries,
        limits=measure_limits(0.3 if smoke else 2.0),
    )


def _measure_all(settings: Settings, names: Sequence[str]) -> tuple[list[Row], dict[str, str]]:
    """Measure the rows; one that breaks does not take the others with it."""
    rows: list[Row] = []
    left_out = {name: "not asked for" for name in ROWS if name not in names}
    left_out["benchmarks on a GPU"] = _GPU
    for name in names:
        started = time.perf_counter()
        print(f"{name}", flush=True)
        try:
            rows += importlib.import_module(f"benchmarks.rows.{name}").measure(settings)
        except Exception as error:
            traceback.print_exc()
            left_out[name] = f"failed: {error}"
        print(f"  {time.perf_counter() - started:.0f} s", flush=True)
    left_out |= {peer: "not asked for" for peer in PEERS if peer not in settings.peers}
    return rows, left_out


def _command(options: argparse.Namespace) -> str:
    """Write the command again, without the folders, which are nobody else's."""
    given = {name: value for name, value in vars(options).items() if value not in (None, False)}
    words = ["python", "-m", "benchmarks.run"]
    for name, value in given.items():
        if name in ("data", "keep", "record") or (name == "retries" and not value):
            continue
        option = f"--{name.replace('_', '-')}"
        values = value if isinstance(value, list) else [value]
        words += [option] if value is True else [w for v in values for w in (option, str(v))]
    return shlex.join(words)


def _keep_record(
    options: argparse.Namespace, settings: Settings, rows: Sequence[Row], left_out: dict[str, str]
) -> None:
    if not (options.record or options.full):
        return
    date = dt.datetime.now(dt.UTC).date().isoformat()
    kind = "smoke" if options.smoke else "full"
    machine = describe_machine()
    about = {
        "title": f"Benchmarks, {kind}: {machine['cores']} cores, {machine['processor']}",
        "command": _command(options),
        "date": date,
        "machine": machine,
        "limits": settings.limits,
        "peers": settings.environments.versions,
    }
    folder = options.record or ROOT / "benchmarks" / "records"
    # A part of the rows is a record of its own, beside those of the others.
    parts = [f"{date}-{platform.machine()}-{machine['cores']}-cores-{kind}", *(options.only or ())]
    name = "-".join(part.replace("_", "-") for part in parts)
    write_lines(folder / f"{name}.jsonl", about, rows)
    (folder / f"{name}.md").write_text(page(about, rows, left_out), encoding="utf-8")
    print(f"record: {folder / name}.md")


if __name__ == "__main__":
    raise SystemExit(main())
