import pytest
from fake_mask_run import make_mask_run
from typer.testing import CliRunner

from fivefold import Experiment
from fivefold.cli.app import app
from fivefold.core.errors import DataError


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return make_mask_run(tmp_path_factory.mktemp("runs") / "cells").root


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda one: one.suspects(), "suspects"),
        (lambda one: one.explain("images"), "explain"),
        (lambda one: one.explain_samples(3), "explain"),
    ],
)
def test_what_is_of_classes_of_images_is_refused_for_masks(cells, ask, what):
    message = rf"{what}: expected classes of images, got 'Unet' with its masks"
    with pytest.raises(DataError, match=message) as error:
        ask(Experiment.load(cells))
    assert error.value.slug == "data/masks-predicted"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["suspects"], "the report shows the images whose masks are worst"),
        (["explain", "--mistakes", "3"], "`fivefold predict --overlays` draws it"),
    ],
)
def test_the_commands_say_what_there_is_instead(cells, tmp_path, arguments, hint):
    command, *rest = arguments
    out = ["-o", str(tmp_path / "out")] if command == "explain" else []
    result = CliRunner().invoke(app, [command, str(cells), *rest, *out])
    assert result.exit_code != 0
    assert hint in result.output
