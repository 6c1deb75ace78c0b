import re

import numpy as np
import pytest
from fake_mask_run import make_mask_run
from fake_summary import FakeSummary

from fivefold.cli.results import finish
from fivefold.config import load
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.experiment.assessing import assess_run
from fivefold.experiment.decisions import Wishes, make_decisions, write_decisions
from fivefold.experiment.mask_decided import assess_masks_decided, change_by_decisions

EXTRA = "thresholds: dice\nsmallest_area: auto\n"


def decided_run(root, extra=EXTRA):
    folder = make_mask_run(root, extra=extra)
    config = load(folder.config_path)
    decisions = make_decisions(folder, (0, 1, 2), 0, Wishes.by(config))
    write_decisions(folder, decisions)
    return folder, config, decisions


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return decided_run(tmp_path_factory.mktemp("runs") / "run")


def last_lines(folder, capsys, **summary):
    folder.report_path.touch()
    finish(FakeSummary(**summary), folder, "fivefold fit x")
    return capsys.readouterr().out


def test_numbers_are_those_of_evaluate(run):
    folder, config, decisions = run
    found = change_by_decisions(folder, decisions, Silent())
    after = assess_masks_decided(folder, config, decisions, Silent()).headline
    before = assess_run(folder, config, -1).headline
    assert found.keys() == before.keys()
    for name, (without, own) in found.items():
        assert (without, own) == pytest.approx((before[name].value, after[name].value))
    assert found["dice"][0] != found["dice"][1]


def test_the_end_of_a_run_says_what_was_chosen_and_what_it_is_worth(run, capsys):
    folder, _, decisions = run
    text = last_lines(folder, capsys)
    (one,) = decisions.heads
    assert re.search(rf"thresholds +{one.thresholds[0]:.4g}: the highest dice", text)
    assert f"smallest parts  {one.areas[0]} pixels of 48 x 64" in text
    assert "chosen on other folds" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    for name, pair in change_by_decisions(folder, decisions, Silent()).items():
        if name in ("dice", "iou", "image_dice", "image_specificity"):
            assert np.array(rows[name], float) == pytest.approx(pair, abs=5e-4)


def test_of_a_finished_run_the_values_are_said_alone(run, capsys):
    text = last_lines(run[0], capsys, fresh=False)
    assert "smallest parts  " in text
    assert "without these" not in text


@pytest.mark.parametrize("extra", ["", "thresholds: 0.5\n"])
def test_nothing_is_said_where_masks_stay_as_they_are(tmp_path, capsys, extra):
    folder, _, decisions = decided_run(tmp_path / "run", extra)
    assert "thresholds" not in last_lines(folder, capsys)
    assert change_by_decisions(folder, decisions, Silent()) == {}


def test_an_unfinished_run_has_chosen_nothing(run, tmp_path, capsys):
    assert "smallest parts" not in last_lines(run[0], capsys, completed=False)
    assert "thresholds" not in last_lines(RunFolder.of(tmp_path), capsys, fresh=False)
