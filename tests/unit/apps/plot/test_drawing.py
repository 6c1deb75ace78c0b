import io
import math
import subprocess
import sys

import numpy as np
import pytest
from many_runs import make_run
from PIL import Image

from fivefold.apps.plot import Log, choose_metrics, read_log
from fivefold.apps.plot.drawing import _Span, draw_curves


def log_of(folds, stages, epochs, value=0.5):
    rows = [{"loss": value, "val_loss": value} for _ in range(epochs)]
    places = [(fold, stage) for fold in range(folds) for stage in range(stages)]
    return Log("run", dict.fromkeys(places, rows))


def size_of(log, **options):
    png = draw_curves(log, choose_metrics(log), "png", **options)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_same_run_gives_the_same_bytes(tmp_path):
    make_run(tmp_path / "birds")
    log = read_log(tmp_path / "birds")
    for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        first, second = (draw_curves(log, choose_metrics(log), kind) for _ in range(2))
        assert first == second
        assert first.startswith(start)


@pytest.mark.parametrize(
    ("folds", "stages", "epochs"), [(1, 1, 1), (10, 3, 200), (2, 1, 9), (40, 1, 2)]
)
@pytest.mark.parametrize("each_stage", [False, True])
def test_runs_of_any_size_are_drawn(folds, stages, epochs, each_stage):
    pixels = size_of(log_of(folds, stages, epochs), each_stage=each_stage)
    blue = (0, 114, 178)
    assert (np.abs(pixels.astype(int) - blue).sum(axis=2) < 40).any()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_leave_a_gap_and_no_crash(value):
    assert size_of(log_of(2, 2, 3, value)).shape[2] == 3


def test_stages_follow_each_other_however_long_folds_are():
    histories = {
        (0, 0): [{"loss": 1.0}, {"loss": 2.0}],
        (0, 2): [{"loss": 5.0}],
        (1, 0): [{"loss": 3.0}],
        (1, 2): [{"loss": 6.0}, {}],
    }
    span = _Span(Log("run", histories), [0, 2])
    assert span.starts == {0: 0, 2: 2}
    np.testing.assert_equal(span.values(0, "loss"), [1, 2, 5, np.nan])
    np.testing.assert_equal(span.values(1, "loss"), [3, np.nan, 6, np.nan])


def test_names_from_tables_are_only_text():
    log = Log("run", {(0, 0): [{"$x^$": 1.0, "a<b>\n": 2.0, "\u4e2d": 3.0}]})
    svg = draw_curves(log, choose_metrics(log), "svg").decode()
    assert "$x^$" in svg
    assert "a&lt;b&gt;" in svg


def test_drawing_loads_no_torch(tmp_path):
    make_run(tmp_path / "birds")
    command = ["plot", str(tmp_path / "birds"), "-o", str(tmp_path / "x.svg")]
    code = (
        f"import sys; from fivefold.cli.app import run; assert run({command!r}) == 0\n"
        "print('LOADED', *[m for m in ('torch', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]
