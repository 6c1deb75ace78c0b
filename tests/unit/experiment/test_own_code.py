"""Which of the user's code is in a key."""

import hashlib
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
import tiny

from fivefold.experiment import own_code as module
from fivefold.experiment.own_code import own_code, without_file
from fivefold.losses import losses
from fivefold.models.names import backbones

COMPONENT = """
import numpy as np
from own_helpers import tables

def loss(logits, targets):
    import safetensors
    return tables.scale(logits)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write a loss with a package of helpers, load it, and let it be in the catalog."""
    (tmp_path / "own_helpers").mkdir()
    (tmp_path / "own_helpers" / "__init__.py").write_text("")
    (tmp_path / "own_helpers" / "tables.py").write_text("def scale(x):\n    return x\n")
    (tmp_path / "own_loss.py").write_text(COMPONENT)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    make = __import__("own_loss").loss
    component = replace(losses.get("bce"), name="own", make=make)
    monkeypatch.setattr(losses, "components", lambda: [component])
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def digest(path):
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_a_component_counts_with_its_file_and_what_it_imports(project):
    code = own_code()
    assert digest(project / "own_loss.py") in code
    assert digest(project / "own_helpers" / "tables.py") in code
    assert digest(Path(tiny.__file__)) in code
    assert f"numpy {version('numpy')}" in code
    assert f"safetensors {version('safetensors')}" in code
    assert code == sorted(set(code))


def test_neither_python_nor_installed_packages_nor_fivefold_count_with_files(project):
    names = {line.split()[0] for line in own_code()}
    assert not names & {"own_code.py", "ast.py", "functional.py", "catalog.py"}
    assert not [name for name in names if name.startswith("fivefold")]


@pytest.mark.parametrize("name", ["own_loss.py", "own_helpers/tables.py"])
def test_an_edit_is_seen(project, name):
    before = own_code()
    (project / name).write_text((project / name).read_text() + "# edited\n")
    assert own_code() != before


def test_what_is_loaded_later_is_seen(project):
    before = own_code()
    (project / "own_later.py").write_text("")
    __import__("own_later")
    assert set(own_code()) - set(before) == {digest(project / "own_later.py")}


def test_a_helper_that_is_gone_is_code_that_nobody_knows(project):
    (project / "own_helpers" / "tables.py").unlink()
    assert own_code() is None


def test_without_own_components_nothing_counts(project, monkeypatch):
    monkeypatch.setattr(module, "_CATALOGS", ())
    assert own_code() == []


def test_a_component_from_a_notebook_is_code_that_nobody_knows(monkeypatch):
    assert without_file() == ""
    component = replace(backbones.get("tiny"), make=eval("lambda: None", {"__name__": "cell"}))
    monkeypatch.setattr(backbones, "components", lambda: [component])
    assert own_code() is None
    assert without_file() == "tiny"


def test_a_component_of_an_installed_package_counts_with_its_version(project, monkeypatch):
    component = replace(losses.get("bce"), make=psutil.Process)
    monkeypatch.setattr(losses, "components", lambda: [component])
    assert f"psutil {version('psutil')}" in own_code()


def test_a_file_that_no_parser_takes_counts_with_its_digest(project):
    (project / "own_loss.py").write_text("def (\n")
    assert digest(project / "own_loss.py") in own_code()
