import json
import subprocess
import sys

import pytest
from drawn_predictions import predict, single_label
from fake_run import CONFIG, make_fake_run

from fivefold.cli import app
from fivefold.cli.evaluate import _columns
from fivefold.cli.evaluate_table import show_evaluation
from fivefold.core.predictions import Predictions
from fivefold.evaluation.assessment import assess

METRICS = f"{CONFIG}metrics: [accuracy, macro_f1]\n"


@pytest.fixture
def folder(tmp_path):
    """A finished run that nobody has to train."""
    folder = make_fake_run(tmp_path / "run.yaml", pictures=False, config=METRICS)
    folder.manifest_path.unlink()
    for fold in range(5):
        folder.bundle(fold, 1).parent.mkdir(exist_ok=True)
        folder.bundle(fold, 1).touch()
    return folder


def hold_out(folder):
    for fold in range(5):
        some = Predictions.load(folder.predictions("validation", fold, 1)).take(range(9))
        ids = tuple(f"held/{i}" for i in range(9))
        held = Predictions(ids, some.probs, some.heads, some.targets)
        held.save(folder.predictions("holdout", fold, 1))


def evaluate(folder, *arguments):
    return app.run(["evaluate", str(folder.config_path), *map(str, arguments)])


def test_numbers_have_intervals_and_spreads_and_classes_their_rows(folder, capsys):
    assert evaluate(folder) == 0
    out, _ = capsys.readouterr()
    first, _, *lines = out.splitlines()
    assert first == "out-of-fold 400 samples"
    row = next(line.split() for line in lines if line.startswith("accuracy "))
    expected = assess_of(folder).heads[0].headline["accuracy"]
    assert row[1] == f"{expected.value:.4f}"
    assert row[2] == f"{expected.low:.3f}..{expected.high:.3f}"
    assert row[3] == f"{expected.std_over_folds:.4f}"
    start = next(i for i, line in enumerate(lines) if line.startswith("class "))
    f1 = [float(line.split()[4]) for line in lines[start + 2 : start + 12]]
    assert f1 == sorted(f1, reverse=True)
    assert width_of(out) <= 80


def width_of(out):
    tables = out.partition("\nprediction sets")[0]
    return max(map(len, tables.splitlines()))


def assess_of(folder):
    from fivefold.config import load
    from fivefold.experiment.assessing import assess_run

    return assess_run(folder, load(folder.config_path))


def test_the_holdout_stands_beside_and_all_fits_80_columns(folder, capsys):
    hold_out(folder)
    assert evaluate(folder) == 0
    out = capsys.readouterr().out
    assert out.startswith("out-of-fold 400 samples, holdout 9 samples\n")
    assert width_of(out) <= 80
    assert evaluate(folder, "--holdout") == 0
    assert capsys.readouterr().out.startswith("holdout 9 samples\n")


def test_a_run_without_a_holdout_has_none_to_measure(folder, capsys):
    assert evaluate(folder, "--holdout") == 3
    assert "expected predictions of a holdout, got none" in capsys.readouterr().err


def test_json_has_everything_and_what_it_had_before(folder, capsys):
    assert evaluate(folder, "--json") == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert set(found) >= {"oof", "folds", "assessments"}
    head = found["assessments"]["out-of-fold"]["heads"][0]
    assert head["headline"]["accuracy"]["value"] == found["oof"]["accuracy"]
    assert len(head["curves"]["roc"]) == len(head["classes"]) == 10


def test_files_are_written_where_there_are_none(folder, capsys, tmp_path):
    assert evaluate(folder, "-o", tmp_path / "out") == 0
    assert "out: 7 files" in capsys.readouterr().err
    assert (tmp_path / "out" / "roc.png").stat().st_size > 1000
    assert evaluate(folder, "-o", tmp_path / "out") == 2
    assert "expected a new or an empty folder, got one with files" in capsys.readouterr().err
    assert evaluate(folder, "-o", tmp_path / "out", "--force") == 0
    assert evaluate(folder, "-o", folder.config_path) == 2


def test_the_configs_metrics_are_shown_fold_by_fold(folder, capsys):
    assert evaluate(folder, "--by-fold") == 0
    header, _, *rows = capsys.readouterr().out.strip().splitlines()
    assert header.split("   ")[-1].strip() == "fold 4"
    assert [row.split()[0] for row in rows] == ["accuracy", "macro_f1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tta",), "--tta: expected DATA beside it, got none"),
        (("--tiles",), "--tiles: expected DATA beside it, got none"),
        (("DATA", "--overlap", "0.3"), "--overlap: expected no overlap without --tiles, got one"),
        (("--label-column", "a"), "--label-column: expected DATA beside it, got none"),
        (("DATA", "--holdout"), "--holdout: expected no such option with DATA, got one"),
        (("DATA", "--by-fold"), "--by-fold: expected no such option with DATA, got one"),
    ],
)
def test_options_that_mean_nothing_are_refused(folder, capsys, tmp_path, arguments, message):
    given = [tmp_path if argument == "DATA" else argument for argument in arguments]
    assert evaluate(folder, *given) == 2
    assert message in capsys.readouterr().err


def test_stored_predictions_are_measured_without_torch(folder, tmp_path):
    code = (
        "import sys; from fivefold.cli.app import run; code = run(sys.argv[1:])\n"
        "print(code, *[m for m in ('torch', 'timm', 'cv2', 'sklearn') if m in sys.modules])"
    )
    arguments = ["evaluate", str(folder.config_path), "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0"


def test_what_is_undefined_is_told_with_its_reason(capsys):
    found = assess(predict([[0.9, 0.1]] * 4, [[1, 0]] * 4))
    show_evaluation({"all": found}, is_narrow=False)
    out, err = capsys.readouterr()
    kappa = next(line for line in out.splitlines() if line.startswith("cohen_kappa"))
    assert kappa.split() == ["cohen_kappa", "undefined", "-"]
    assert "cohen_kappa: one class only is true and answered\n" in err
    assert "\nc1" in out


def test_long_names_of_classes_are_cut_on_a_terminal_alone(capsys):
    found = single_label(0, classes=2)
    name = "a name that is much longer than there is room"
    object.__setattr__(found.heads[0], "class_names", (name, "b"))
    for is_narrow in (True, False):
        show_evaluation({"all": assess(found, resamples=20)}, is_narrow=is_narrow)
        out = capsys.readouterr().out
        assert (name in out) is not is_narrow
        assert not is_narrow or max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("folds", [[{"a": 1.0}], {0: {"a": 1.0}}])
def test_columns_of_an_evaluation_by_fold_are_named(folds):
    result = {"oof": {"a": 0.5}, "folds": folds, "holdout": {}}
    assert _columns(result) == {"out-of-fold": {"a": 0.5}, "fold 0": {"a": 1.0}}
    assert list(_columns({**result, "holdout": {"a": 0.1}}))[-1] == "holdout"
