"""Musket's own flags: each is honoured, translated, or refused with the reason."""

import os
import re
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from many_runs import make_run

from fivefold.cli import app
from fivefold.cli.musket_flags import ANALYZE, FIT, translated

PAGE = Path(__file__).parents[3] / "docs" / "projects.md"


def test_flags_get_their_name_here():
    line = ["--project", "p", "--num_workers", "3", "--folds", "0,2", "--time=60"]
    expected = ["--project", "p", "--jobs", "3", "--folds", "0,2", "--time=60"]
    assert translated(line, FIT) == expected
    assert translated(["--num_workers=3"], FIT) == ["--jobs", "3"]


@pytest.mark.parametrize("value", [[], ["True"], ["true"], ["1"]])
def test_switches_may_have_a_value(value):
    assert translated(["--only_report", *value, "a"], FIT) == ["--only-report", "a"]


def test_false_is_false():
    """Musket takes every text for true, also this one."""
    assert translated(["--only_report", "False", "a"], FIT) == ["a"]
    assert translated(["--only_report=False"], FIT) == []


def test_a_flag_without_effect_is_said_so(capsys):
    assert translated(["--allow_resume", "True", "--one_process"], FIT) == []
    assert capsys.readouterr().err.splitlines() == [
        "warning: --allow_resume: has no effect: a run always goes on where it stopped",
        "warning: --one_process: has no effect: experiments run one after another anyway",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (["--num_gpus", "2"], "CUDA_VISIBLE_DEVICES"),
        (["--gpus_per_net=2"], "a network trains on one accelerator"),
        (["-d"], "nothing is downloaded unasked"),
        (["--download_deps", "True"], "nothing is downloaded unasked"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_the_reason(line, reason):
    with pytest.raises(typer.BadParameter, match=reason):
        translated(line, FIT)


def test_values_that_change_nothing_need_no_word(capsys):
    assert translated(["--num_gpus", "1", "--gpus_per_net", "1", "--cache", ""], FIT) == []
    assert capsys.readouterr().err == ""


def test_the_cache_is_put_where_musket_wants_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FIVEFOLD_CACHE", "off")
    assert translated(["--cache", str(tmp_path)], FIT) == []
    assert os.environ["FIVEFOLD_CACHE"] == str(tmp_path)


def test_what_stands_behind_two_dashes_is_left_alone():
    assert translated(["--", "--num_gpus", "2"], FIT) == ["--", "--num_gpus", "2"]


@given(st.lists(st.text("-abc =", max_size=6)))
def test_other_words_pass_unchanged(words):
    assert translated(words, FIT) == words or "-d" in words


def test_a_refused_flag_ends_the_command(capsys):
    assert app.run(["fit", "x", "--num_gpus", "4"]) == 2
    assert "--num_gpus" in capsys.readouterr().err


def test_the_flags_of_analyze_work(tmp_path, capsys):
    make_run(tmp_path / "runs" / "a")
    output = tmp_path / "report.csv"
    line = ["--inputFolder", str(tmp_path / "runs"), "--output", str(output)]
    assert app.run(["compare", *line, "--onlyMetric", "val_loss", "--sortBy", "val_loss"]) == 0
    assert "val_loss" in output.read_text().splitlines()[0]


def test_the_page_tells_every_flag():
    text = PAGE.read_text("utf-8")
    rows = dict(re.findall(r"^\| `(-[^`]*)` \| (.*) \|$", text, re.MULTILINE))
    for name, flag in {**FIT, **ANALYZE}.items():
        if name != "-d":
            fate = {"no-effect": "accepted", "refused": "refused"}.get(flag.fate, "translated")
            assert rows[name].startswith(fate), name
            assert flag.meaning in rows[name], name
