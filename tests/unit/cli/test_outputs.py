from pathlib import Path

import pytest

from fivefold.cli import app
from fivefold.cli.outputs import check_free
from fivefold.core.errors import ConfigError


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "x", "x.png"],
        ["preview", "x"],
        ["lr-find", "x"],
        ["compare", "."],
        ["schema"],
    ],
)
def test_existing_output_needs_force(capsys, tmp_path, command):
    ending = {"schema": "json", "preview": "png", "lr-find": "png"}.get(command[0], "csv")
    output = tmp_path / f"mine.{ending}"
    output.write_text("mine")
    assert app.run([*command, "-o", str(output)]) == 2
    assert capsys.readouterr().err == (
        f"{output}: expected a name that is free, got an existing file\n    --force replaces it\n"
    )
    assert output.read_text() == "mine"


@pytest.mark.parametrize("example", ["labels.csv", "lr.png", "x.json"])
def test_force_replaces_a_file_of_the_kind_and_a_new_one_needs_none(tmp_path, example):
    output = tmp_path / example
    check_free(output, force=False, example=example)
    output.write_text("mine")
    check_free(output, force=True, example=example)
    with pytest.raises(ConfigError, match="got an existing file") as error:
        check_free(output, force=False, example=example)
    assert error.value.slug == "cli/output-exists"


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_is_no_output_even_by_force(tmp_path, force):
    with pytest.raises(ConfigError, match="expected a file to write, got a folder") as error:
        check_free(tmp_path, force=force, example="lr.png")
    assert error.value.problems[0].hint == f"a file in it, such as -o {tmp_path / 'lr.png'}"


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize(
    ("name", "example", "message"),
    [
        ("config.yaml", "labels.csv", "ends with .csv or .tsv or .txt, got 'config.yaml'"),
        ("config.yaml", "lr.png", "ends with .png, got 'config.yaml'"),
        ("photo.jpg", "lr.png", "ends with .png, got 'photo.jpg'"),
        ("-", "lr.png", "ends with .png, got '-'"),
        ("lr", "lr.png", "ends with .png, got 'lr'"),
        ("config.yaml", "x.json", "ends with .json, got 'config.yaml'"),
    ],
)
def test_force_replaces_no_file_of_another_kind(tmp_path, force, name, example, message):
    with pytest.raises(ConfigError, match=f"expected a name that {message}") as error:
        check_free(tmp_path / name, force=force, example=example)
    assert error.value.slug == "cli/output-name"


@pytest.mark.parametrize("name", ["-", "/dev/null"])
def test_a_table_may_go_to_the_terminal_or_a_device(name):
    check_free(Path(name), force=False)


def test_a_config_survives_what_would_be_drawn_over_it(capsys, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("batch: 4\n")
    assert app.run(["preview", str(tmp_path), "-f", "-o", str(config)]) == 2
    assert config.read_text() == "batch: 4\n"
    assert "such as -o" in capsys.readouterr().err


def test_the_terminal_takes_no_pictures():
    with pytest.raises(ConfigError, match="such as -o lr") as error:
        check_free(Path("-"), force=False, example="lr.png")
    assert error.value.problems[0].hint == "such as -o lr.png"
