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
