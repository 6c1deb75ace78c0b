"""What every entry of every catalog promises, and that each catalog has a suite of its own."""

import importlib
import re
from pathlib import Path

import pytest

from fivefold.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
WHERE = {
    "architectures": "fivefold.models.architectures",
    "augmenters": "fivefold.augment",
    "backbones": "fivefold.models.names",
    "callbacks": "fivefold.engine.callbacks",
    "losses": "fivefold.losses",
    "mask_losses": "fivefold.losses",
    "mask_metrics": "fivefold.evaluation",
    "metrics": "fivefold.evaluation",
    "mixers": "fivefold.augment",
    "optimizers": "fivefold.optim",
    "schedules": "fivefold.optim",
    "sources": "fivefold.data",
}
OF_USERS = {"own_segmenters"}
"""Those that have no entries of fivefold's."""
CATALOGS = {name: getattr(importlib.import_module(place), name) for name, place in WHERE.items()}
ENTRIES = [
    pytest.param(catalog, component, id=f"{catalog.kind}-{component.name}")
    for catalog in CATALOGS.values()
    for component in catalog.components()
    if component.make.__module__.startswith("fivefold.")
]


def test_every_catalog_is_known_here():
    text = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    assert set(re.findall(r'^(\w+):? .*= Catalog\("', text, re.MULTILINE)) == {*WHERE, *OF_USERS}


@pytest.mark.parametrize("name", WHERE)
def test_every_catalog_has_a_suite_over_all_of_its_entries(name):
    suite = (Path(__file__).parent / f"test_{name}.py").read_text()
    over_all = r"\.(names|components)\(\)|\(KERAS_NAMES|\bKERAS_NAMES\)"
    assert re.search(over_all, suite)


@pytest.mark.parametrize(("catalog", "component"), ENTRIES)
def test_an_entry_is_found_by_every_spelling(catalog, component):
    for spelling in (component.name, *component.aliases):
        assert catalog.find(spelling) is component
        assert catalog.find(f" {spelling.upper()} ") is catalog.find(spelling.lower())


@pytest.mark.parametrize(("catalog", "component"), ENTRIES)
def test_a_misspelt_entry_is_answered_with_the_closest(catalog, component):
    wrong = component.name[:-1] + "qq" if len(component.name) > 4 else component.name + "q"
    with pytest.raises(ConfigError, match=f"expected the name of a known {catalog.kind}") as error:
        catalog.get(wrong, "config.yaml:3:7")
    assert str(error.value).startswith("config.yaml:3:7: ")
    assert "did you mean" in str(error.value) or "fivefold list" in str(error.value)


@pytest.mark.parametrize(("catalog", "component"), ENTRIES)
def test_an_entry_says_in_one_line_what_it_is(catalog, component):
    assert component.summary.endswith((".", "?"))


@pytest.mark.parametrize(("catalog", "component"), ENTRIES)
def test_an_unknown_option_is_told_and_none_is_ignored(catalog, component):
    accepted, complaints = component.check({"no_such_option": 1})
    assert accepted == {}
    assert [c.kind for c in complaints if c.path == ("no_such_option",)] == ["unknown-key"]


@pytest.mark.parametrize("component", CATALOGS["augmenters"].components(), ids=lambda c: c.name)
def test_an_augmenter_is_compared_with_what_it_says(component):
    """Its name stands in a test of its family."""
    folder, left_out = ROOT / "tests/unit/augment", ("test_musket_names", "test_laws")
    text = "".join(p.read_text() for p in folder.glob("test_*.py") if p.stem not in left_out)
    assert re.search(rf"\b{component.name}\b", text)
