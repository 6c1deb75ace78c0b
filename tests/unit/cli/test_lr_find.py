import pytest
from runs import CONFIG, write_experiment

from fivefold.cli.app import run


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    config = CONFIG.replace("batch: 16", "batch: 4")
    return write_experiment(tmp_path_factory.mktemp("run"), per_class=6, config=config)


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_it_writes_a_picture_and_tells_what_it_tried(experiment, tmp_path, capsys):
    before = files(experiment)
    picture = tmp_path / "lr.png"
    assert run(["lr-find", str(experiment), "-o", str(picture), "--steps", "60"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    told = capsys.readouterr()
    assert "rates from 1e-06 to" in told.out + told.err
    assert "lr: " in told.out + told.err
    assert files(experiment) == before


def test_it_is_the_same_each_time(experiment, tmp_path):
    pictures = [tmp_path / f"{number}.png" for number in range(2)]
    for picture in pictures:
        run(["lr-find", str(experiment), "-o", str(picture), "--steps", "12", "--linear"])
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_an_existing_picture_is_kept_unless_forced(experiment, tmp_path, capsys):
    picture = tmp_path / "lr.png"
    picture.write_text("mine")
    command = ["lr-find", str(experiment), "-o", str(picture), "--steps", "4"]
    assert run(command) == 2
    assert "expected a name that is free, got an existing file" in capsys.readouterr().err
    assert picture.read_text() == "mine"
    assert run([*command, "--force"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--start", "0"], "expected a learning rate from 1e-30 to 1000, got 0"),
        (["--end", "2000"], "expected a learning rate from 1e-30 to 1000, got 2000"),
        (["--steps", "1"], "--steps"),
        (["--start", "1", "--end", "0.1"], "start_lr: expected at least 1e-30 and below"),
        (["--fold", "7"], "fold"),
        (["--stage", "1"], "expected weights of fold 0, stage 0, got none"),
        (["--stage", "5"], "stage: expected a number from 0 to 1, got 5"),
    ],
)
def test_what_cannot_be_is_refused(experiment, tmp_path, options, message, capsys):
    code = run(["lr-find", str(experiment), "-o", str(tmp_path / "lr.png"), *options])
    assert code in (2, 4)
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "lr.png").exists()


def test_a_loss_that_is_no_number_from_the_first_is_an_error(experiment, tmp_path, capsys):
    command = ["lr-find", str(experiment), "-o", str(tmp_path / "lr.png"), "--steps", "4"]
    assert run([*command, "--set", "loss=1e300*dice_loss"]) == 7
    told = capsys.readouterr().err
    assert "learning rate 1e-06: expected a finite loss, got inf\n" in told
    assert "no rate was tried yet: look at the initial weights, the images and the loss" in told
    assert not (tmp_path / "lr.png").exists()
