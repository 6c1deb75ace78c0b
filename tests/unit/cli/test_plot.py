import pytest
from many_runs import make_run

from fivefold.cli.app import run


@pytest.fixture
def birds(tmp_path, monkeypatch):
    make_run(tmp_path / "birds")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_ending_says_the_kind_of_picture(birds, capsys):
    assert run(["plot", "birds"]) == 0
    assert (birds / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert run(["plot", "birds", "-o", "x.svg", "--show-stages", "--metric", "lr"]) == 0
    assert b"<svg" in (birds / "x.svg").read_bytes()
    assert "stage 0: 3, stage 1: 3" in capsys.readouterr().out


def test_a_folder_gets_a_picture_of_each_metric(birds):
    assert run(["plot", "birds", "-o", "pictures"]) == 0
    names = {path.name for path in (birds / "pictures").iterdir()}
    assert names == {"loss.png", "accuracy.png", "val_macro_f1.png"}
    assert run(["plot", "birds", "-o", "pictures"]) == 2
    assert run(["plot", "birds", "-o", "pictures", "--force"]) == 0


def test_what_is_there_is_only_replaced_if_that_is_asked_for(birds, capsys):
    (birds / "curves.png").write_text("mine")
    assert run(["plot", "birds"]) == 2
    assert (birds / "curves.png").read_text() == "mine"
    assert "--force replaces it" in capsys.readouterr().err
    assert run(["plot", "birds", "-f"]) == 0


@pytest.mark.parametrize("name", ["x.jpg", "config.yaml"])
def test_other_endings_are_refused(birds, capsys, name):
    assert run(["plot", "birds", "-o", name, "--force"]) == 2
    assert "expected a name that ends with .png or .svg" in capsys.readouterr().err


def test_a_name_that_there_is_not_is_no_other_experiment(birds, monkeypatch, capsys):
    monkeypatch.chdir(birds / "birds")
    assert run(["plot", "brids"]) == 4
    assert "brids: expected an experiment, or a table of epochs" in capsys.readouterr().err
