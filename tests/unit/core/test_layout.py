from pathlib import Path

from fivefold.core.layout import RunFolder


def test_an_experiment_is_a_folder_or_a_yaml_file(tmp_path):
    assert RunFolder.of(tmp_path).config_path == tmp_path / "config.yaml"
    assert RunFolder.of(tmp_path / "my.yaml").root == tmp_path


def test_the_names_are_muskets():
    folder = RunFolder.of(Path("x/config.yaml"))
    assert folder.weights(0, 1) == Path("x/weights/best-0.1.safetensors")
    assert folder.metrics(3, 0) == Path("x/metrics/metrics-3.0.csv")
    assert folder.examples(4, 1) == Path("x/examples/1/4")
    assert folder.predictions("validation", 2, 1) == Path("x/predictions/validation-2.1.npz")


def test_images_mix_with_a_run_that_holds_them_or_lies_among_them(tmp_path):
    folder = RunFolder.of(tmp_path / "images" / "run" / "config.yaml")
    mixed = {
        name: folder.mixes_with(tmp_path / name, listed=True)
        for name in ("images", "images/run", "images/run/data/mine", "images/run/cats", "others")
    }
    assert list(mixed.values()) == [True, True, True, False, False]
    assert not folder.mixes_with(tmp_path / "images", listed=False)
    assert folder.mixes_with(tmp_path / "images" / "run" / "weights", listed=False)


def test_only_a_killed_runs_own_files_are_leftovers(tmp_path):
    users = [".tmp-thesis.txt", "notes/.tmp-1-x.txt", "images/.tmp-12-a.png", ".tmp-7-photo.png"]
    users.append(".tmp-7-0123456789abcdef-photo.png")
    own = [
        "weights/.tmp-1-best.safetensors",
        ".tmp-12-summary.yaml",
        ".tmp-12-0123456789abcdef-manifest.json",
        "metrics/.tmp-12-0123456789abcdef-metrics-0.0.csv",
        "state/0/.tmp-3-0-000001.json",
    ]
    for name in (*users, *own):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "weights" / ".tmp-9-folder").mkdir()
    found = {p.relative_to(tmp_path).as_posix() for p in RunFolder.of(tmp_path).leftovers()}
    assert found == set(own)


def test_an_experiment_is_named_as_its_user_named_it(tmp_path):
    assert RunFolder.of(tmp_path).argument == tmp_path
    assert RunFolder.of(tmp_path / "my.yaml").argument == tmp_path / "my.yaml"
