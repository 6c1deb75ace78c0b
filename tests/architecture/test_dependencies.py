import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported():
    names = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"fivefold"}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {plain(re.match(r"[\w.-]+", line)[0]) for line in project["dependencies"]}


def test_every_package_that_is_imported_is_declared():
    homes = packages_distributions()
    # pydantic pins pydantic-core to the version that it was built with.
    found = {plain(home) for name in imported() for home in homes[name]} - {"pydantic-core"}
    assert found - declared() == set()


def test_every_declared_package_is_named_in_the_architecture_page():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert [
        name for name in sorted(declared()) if f"| `{name}` |" not in page.replace(".", "-")
    ] == []
