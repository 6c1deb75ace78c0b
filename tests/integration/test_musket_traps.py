"""What Musket took in silence: told by the command line, with the line and what to do.

Beside each config in `fixtures/musket/traps` lies what its user reads.
"""

from pathlib import Path

import pytest
import tiny  # noqa: F401  registers the net
from shapes import draw_folders

from fivefold.cli.app import run

TRAPS = Path(__file__).parents[1] / "fixtures" / "musket" / "traps"


@pytest.mark.parametrize("path", sorted(TRAPS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_trap_is_told_with_its_line(path, tmp_path, capsys, monkeypatch):
    (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "shapes", 6)
    needs_data = path.stem == "lovasz_of_three_classes"
    options = ["--set", "dataset={folder: shapes}", "--set", "weights=none"] if needs_data else []
    options += ["--set", "architecture=tiny"] if needs_data else []
    code = run(["check", path.name, *options])
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", path.with_suffix(".txt").read_text())
    assert code == (8 if path.stem == "python_tag" else 2)


def test_every_word_of_a_user_belongs_to_a_trap():
    assert {p.stem for p in TRAPS.glob("*.txt")} == {p.stem for p in TRAPS.glob("*.yaml")}
