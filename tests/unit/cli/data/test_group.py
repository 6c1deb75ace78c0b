import pytest

from fivefold.cli.app import run
from fivefold.cli.data import group

COMMANDS = sorted(name for name, _, _ in group._COMMANDS)


def test_the_group_names_its_commands_whole(capsys):
    assert run(["data", "--help"]) == 0
    out = capsys.readouterr().out
    assert "...\n" not in out.partition("Commands:")[2]
    assert all(f"\n  {command} " in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_the_purpose_in_one_line_and_gives_examples(command, capsys):
    assert run(["data", command, "--help"]) == 0
    out = capsys.readouterr().out
    purpose = out.split("\n\n")[1].strip()
    assert purpose.endswith(".")
    assert "\n" not in purpose
    assert f"Examples:\n    fivefold data {command}" in out
    assert "--json" in out
