"""Three lists of error slugs that must be one: in the source, in `docs/errors.md`, in the tests."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGE = ROOT / "docs" / "errors.md"
SLUG = re.compile(
    r"(?:cli|config|data|locked|numeric|resource|state|unsafe|weights|worker)/[a-z0-9]+(?:-[a-z0-9]+)*"
)


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def complaint_kinds():
    """Collect what `Complaint.kind` may be: `f"config/{kind}"` is the slug of each."""
    tree = ast.parse((ROOT / "src/fivefold/core/validation.py").read_text("utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    made = [c.args for c in calls if getattr(c.func, "id", "") == "Complaint"]
    return {args[1].value for args in made}


def slugs_in(text):
    found = set()
    for node in ast.walk(ast.parse(text)):
        if is_text(node) and SLUG.fullmatch(node.value):
            found.add(node.value)
        if isinstance(node, ast.JoinedStr) and is_text(node.values[0]):
            area = node.values[0].value
            if area == "config/" and len(node.values) == 2:
                found |= {f"{area}{kind}" for kind in complaint_kinds()}
    return found


def slugs_of_source():
    return set().union(*(slugs_in(path.read_text("utf-8")) for path in SOURCES))


def slugs_of_page():
    return set(re.findall(r"^## `?([a-z]+/[a-z0-9-]+)`?$", PAGE.read_text("utf-8"), re.MULTILINE))


def slugs_of_tests():
    here = Path(__file__)
    return set().union(*(SLUG.findall(p.read_text("utf-8")) for p in TESTS if p != here))


def test_every_slug_has_a_heading_and_no_heading_is_left_over():
    assert slugs_of_page() == slugs_of_source()


def test_every_slug_is_named_by_a_test():
    assert slugs_of_source() - slugs_of_tests() == set()


def test_headings_are_sorted_and_have_text():
    parts = re.split(r"^## .*$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    headings = re.findall(r"^## `?([^`\n]+)`?$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert headings == sorted(headings)
    assert [h for h, text in zip(headings, parts[1:], strict=True) if len(text.split()) < 8] == []


def test_slugs_are_found_in_all_the_ways_they_are_written():
    code = 'raise E(m, slug="data/x-y")\nProblem("config/a", "", "")\nPath("data/audit.json")'
    assert slugs_in(code) == {"data/x-y", "config/a"}
    assert slugs_in('Problem(f"config/{c.kind}", "")') == {
        "config/bad-value",
        "config/missing-key",
        "config/unknown-key",
    }
