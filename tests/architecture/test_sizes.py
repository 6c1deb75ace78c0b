"""What `CONTRIBUTING.md` says about sizes and names, held against the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "fivefold"
MODULES = sorted(SOURCE.rglob("*.py"))
TABLES: frozenset[str] = frozenset({"config/musket.py", "config/schema.py"})
VAGUE = {"utils", "util", "helpers", "common", "misc", "base"}


def name_of(module):
    return module.relative_to(SOURCE).as_posix()


def functions_of(module):
    tree = ast.parse(module.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def lines_without_docstring(function):
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def parameters_of(function):
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_is_short(module):
    limit = 600 if name_of(module) in TABLES else 400
    lines = len(module.read_text("utf-8").splitlines())
    assert lines <= limit, f"{name_of(module)} has {lines} lines: make two modules of it"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_functions_are_short(module):
    long = {f.name: lines_without_docstring(f) for f in functions_of(module)}
    assert {name: lines for name, lines in long.items() if lines > 60} == {}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_name_says_what_is_inside(module):
    assert not VAGUE & {part.removesuffix(".py") for part in module.relative_to(SOURCE).parts}


def public_parts(module):
    """Yield public functions, classes and methods that a reader meets."""
    tree = ast.parse(module.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                inner = [n for n in node.body if isinstance(n, kinds)]
                yield from (n for n in inner if not n.name.startswith("_"))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_public_names_have_docstrings(module):
    assert ast.get_docstring(ast.parse(module.read_text("utf-8"))), "the module itself"
    assert [n.name for n in public_parts(module) if not ast.get_docstring(n)] == []


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_nothing_prints_below_the_command_line(module):
    if module.relative_to(SOURCE).parts[0] == "cli":
        return
    tree = ast.parse(module.read_text("utf-8"))
    calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    assert [f.id for f in calls if isinstance(f, ast.Name) and f.id in ("print", "input")] == []
    streams = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "stdout"]
    assert streams == []


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_nothing_can_run_code_from_a_file(module):
    forbidden = {"eval", "exec", "compile", "__import__"}
    tree = ast.parse(module.read_text("utf-8"))
    calls = [n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and hasattr(n.func, "id")]
    assert forbidden.isdisjoint(calls)
    imports = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert {"dill", "cloudpickle", "joblib", "marshal", "shelve"}.isdisjoint(imports)
    of_pickle = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and is_pickle(n)}
    assert of_pickle <= {"PickleError", "UnpicklingError"}, "only to catch torch's refusal"


def is_pickle(attribute):
    return isinstance(attribute.value, ast.Name) and attribute.value.id == "pickle"


def test_a_long_function_would_be_found(tmp_path):
    path = tmp_path / "long.py"
    path.write_text('def f():\n    """Say."""\n' + "    x = 1\n" * 60)
    assert lines_without_docstring(functions_of(path)[0]) == 61
