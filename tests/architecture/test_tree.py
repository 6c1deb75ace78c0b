"""The tree speaks of fivefold alone, and the pages agree with the settings."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOSTS = ("pypi" + ".org", "python" + "hosted.org", "pypi" + ".python", "ana" + "conda.org")
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/[a-z]")


def files():
    """List what git tracks or would track; in an unpacked archive, everything that is not made."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        paths = [ROOT / line for line in done.stdout.splitlines()]
        return [path for path in paths if path.is_file()]
    made = {".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not made & set(p.parts)]


def texts():
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path.relative_to(ROOT), data.decode("utf-8")


def test_no_file_names_a_package_registry():
    assert [str(p) for p, text in texts() if any(host in text for host in HOSTS)] == []


def test_no_file_names_a_path_of_one_machine():
    here = Path(__file__).relative_to(ROOT)
    assert [str(p) for p, text in texts() if p != here and MACHINE.search(text)] == []


def requirement_name(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement).group()


def settings():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pinned():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("name", [requirement_name(r) for r in settings()["dependencies"]])
def test_each_dependency_has_its_reason_on_the_architecture_page(name):
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page[page.index("## Dependencies") :]
    assert re.search(rf"`{re.escape(name)}`.*\|.*\w{{3}}", table)


def test_what_make_installs_is_pinned():
    extras = settings()["optional-dependencies"]
    wanted = [*settings()["dependencies"], *extras["dev"], *extras["offline"]]
    names = {requirement_name(r).replace(".", "-").replace("_", "-").lower() for r in wanted}
    assert names - pinned().keys() == set()


def test_pins_are_exact_versions_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [p for p in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+]*", p)] == []


@pytest.mark.slow
def test_torch_and_torchvision_are_a_pair():
    code = (
        "import torch, torchvision;"
        "print(torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.ones(1), 0.5).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[0]\n"


def test_change_notes_have_a_known_kind():
    names = [path.name for path in (ROOT / "changes").iterdir()]
    assert [
        n for n in names if not re.fullmatch(r"\d+\.(added|changed|fixed|removed)\.md", n)
    ] == []
