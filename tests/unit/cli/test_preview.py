import pytest
from PIL import Image
from runs import CONFIG, write_experiment

from fivefold.cli.app import run


@pytest.fixture
def experiment(tmp_path):
    config = CONFIG + "augmentation: {Fliplr: 0.5, OneOf: [Add: 30, Multiply: 0.5]}\n"
    return write_experiment(tmp_path, per_class=3, config=config)


def test_a_picture_is_written_and_named(experiment, tmp_path, capsys):
    assert run(["preview", str(experiment), "-o", str(tmp_path / "grid.png"), "--stage", "1"]) == 0
    told = capsys.readouterr().out
    assert "4, each in 2 augmented views" in told
    assert "of 4 that fold 0 is trained on" in told
    assert "5 that validate fold 0" in told
    assert str(tmp_path / "grid.png") in told
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.width > 450
    assert not (experiment / "data").exists()


def test_an_existing_picture_stays_unless_it_may_be_replaced(experiment, tmp_path, capsys):
    (tmp_path / "grid.png").write_text("mine")
    command = ["preview", str(experiment), "-o", str(tmp_path / "grid.png")]
    assert run(command) == 2
    assert "expected a name that is free" in capsys.readouterr().err
    assert (tmp_path / "grid.png").read_text() == "mine"
    assert run([*command, "--force"]) == 0


def test_a_wrong_augmenter_is_told_with_its_line(experiment, capsys):
    config = experiment / "config.yaml"
    config.write_text(config.read_text() + "transforms:\n  Greyscale: 1\n")
    assert run(["preview", str(experiment)]) == 2
    assert "config.yaml:15:14: transforms: expected the name of" in capsys.readouterr().err


def test_what_is_mixed_afterwards_is_said(experiment, tmp_path, capsys):
    extra = ["--set", "augmentation={Fliplr: 0.5, MixUp: {}}", "-o", str(tmp_path / "a.png")]
    assert run(["preview", str(experiment), *extra]) == 0
    assert "the mixing of whole batches" in capsys.readouterr().out


def test_images_that_are_cut_are_said_to_be(experiment, tmp_path, capsys):
    extra = ["--set", "crops=2", "-o", str(tmp_path / "a.png")]
    assert run(["preview", str(experiment), *extra]) == 0
    assert "2 x 2 of each, augmented one by one" in capsys.readouterr().out
