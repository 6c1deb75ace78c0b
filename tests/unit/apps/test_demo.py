import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from fivefold.apps.demo import write_demo
from fivefold.config import load


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_scans_are_written_as_they_are_and_only_once(tmp_path):
    config_path = write_demo(tmp_path / "demo")
    folder = tmp_path / "demo"
    digits = load_digits()
    paths = sorted(folder.glob("digits/*/*.png"), key=lambda path: path.name)
    assert [int(path.parent.name) for path in paths] == digits.target.tolist()
    for path, image in zip(paths, digits.images, strict=True):
        with Image.open(path) as scan:
            assert scan.mode == "L"
            assert np.array_equal(np.round(np.asarray(scan) / 255 * 16), image)

    before = stamps(folder)
    assert write_demo(folder) == config_path
    assert stamps(folder) == before


def test_config_loads_and_can_be_honoured(tmp_path):
    config = load(write_demo(tmp_path))
    assert config.not_yet() == []
    assert config.dataset.folder == "digits"
    assert [(stage.frozen, stage.freeze_batchnorm) for stage in config.resolve()] == [
        (True, False),
        (False, True),
    ]


def test_what_somebody_changed_stays_changed(tmp_path):
    (tmp_path / "digits").mkdir()
    (tmp_path / "config.yaml").write_text("mine")
    (tmp_path / ".digits-unfinished").mkdir()
    write_demo(tmp_path)
    assert list((tmp_path / "digits").iterdir()) == []
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_part_that_a_stopped_run_left_is_replaced(tmp_path):
    (tmp_path / ".digits-unfinished" / "old").mkdir(parents=True)
    write_demo(tmp_path)
    assert not (tmp_path / ".digits-unfinished").exists()
    assert len(list((tmp_path / "digits").iterdir())) == 10
