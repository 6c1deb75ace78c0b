import json
from typing import Annotated

import pytest
from pydantic import Field

from fivefold.cli import app, listing
from fivefold.core.catalog import Catalog
from fivefold.core.errors import ConfigError


@pytest.fixture
def run(capsys, monkeypatch):
    catalog = Catalog("loss")

    @catalog.add("fl")
    def focal(logits, targets, *, gamma: Annotated[float, Field(ge=0)] = 2.0, size: int):
        """Count easy samples less."""

    @catalog.add()
    def plain(logits, targets):
        """Count all alike."""

    monkeypatch.setattr(listing, "_catalog", lambda plural: catalog)
    monkeypatch.setattr(listing, "_mask_catalog", lambda plural: None)

    def call(*arguments):
        code = app.run(list(arguments))
        return code, *capsys.readouterr()

    return call


def test_names_aliases_options_and_purpose_are_shown(run):
    code, out, _ = run("list", "losses")
    assert code == 0
    assert out == (
        "focal (fl)\n    Count easy samples less.\n    gamma = 2.0, size (required)\n"
        "plain\n    Count all alike.\n"
    )


def test_what_masks_have_of_their_own_stands_behind_its_namesake(run, monkeypatch):
    masks = Catalog("loss")

    @masks.add("f", gives="image")
    def focal(pixels, *, smooth: float = 1.0):
        """Count easy pixels less."""

    @masks.add()
    def overlap(pixels):
        """Count what is covered."""

    monkeypatch.setattr(listing, "_mask_catalog", lambda plural: masks)
    assert run("list", "losses")[1] == (
        "focal (fl)\n    Count easy samples less.\n    gamma = 2.0, size (required)\n"
        "focal (f), of masks\n    Count easy pixels less.\n    smooth = 1.0\n"
        "overlap, of masks\n    Count what is covered.\n"
        "plain\n    Count all alike.\n"
    )
    _, out, _ = run("list", "losses", "foc", "--json")
    assert [record["facts"] for record in json.loads(out)] == [
        {},
        {"gives": "image", "masks": True},
    ]
    assert "did you mean 'overlap'" in run("list", "losses", "overlapp")[2]


@pytest.mark.parametrize("arguments", [("loss",), ("LOSSES",), ("losses", "FL")])
def test_singular_case_and_filter_are_accepted(run, arguments):
    code, out, _ = run("list", *arguments)
    assert code == 0
    assert out.startswith("focal (fl)")


def test_json_is_for_scripts(run):
    _, out, _ = run("list", "losses", "focal", "--json")
    assert json.loads(out) == [
        {
            "name": "focal",
            "aliases": ["fl"],
            "summary": "Count easy samples less.",
            "options": {"gamma": 2.0},
            "required": ["size"],
            "facts": {},
        }
    ]


def test_wrong_kind_names_the_closest(run):
    code, out, err = run("list", "loses")
    assert (code, out) == (2, "")
    assert err == ("expected a kind of component, got 'loses'\n    did you mean 'losses'?\n")
    with pytest.raises(ConfigError, match="expected a kind of component, got 'x'") as error:
        listing.show_kind("x", "", as_json=False)
    assert error.value.slug == "cli/unknown-kind"


def test_filter_without_a_match_names_the_closest(run):
    code, _, err = run("list", "losses", "focall")
    assert code == 2
    assert "expected a part of the name of a loss, got 'focall'\n    did you mean 'focal'?" in err
    with pytest.raises(ConfigError, match="part of the name of a loss") as error:
        listing.show_kind("loss", "zzz", as_json=False)
    assert error.value.slug == "cli/no-match"


def test_without_a_kind_the_kinds_are_shown(run):
    code, out, _ = run("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(listing._KINDS)
    assert json.loads(run("list", "--json")[1]).keys() == listing._KINDS.keys()


def test_backbones_are_a_table_and_a_count(capsys, monkeypatch):
    from fivefold.models import names

    monkeypatch.setattr(names, "backbone_names", lambda: ["ResNet18", "resnet18d", "vit_tiny"])
    assert app.run(["list", "backbones"]) == 0
    out, err = capsys.readouterr()
    assert "ResNet18  (timm: resnet18)\n" in out
    assert "of 3 names; `fivefold list backbones convnext`" in err
    assert app.run(["list", "backbones", "RESNET"]) == 0
    assert capsys.readouterr().out == "ResNet18  (timm: resnet18)\nresnet18d\n"
    assert app.run(["list", "backbones", "--all"]) == 0
    assert capsys.readouterr() == (
        "ResNet18  (timm: resnet18)\nresnet18d\nvit_tiny\n",
        "3 of 3 names\n",
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(listing._KINDS))
def test_every_kind_of_the_real_catalogs_is_listed(capsys, kind):
    assert app.run(["list", kind]) == 0
    assert capsys.readouterr().out
    assert app.run(["list", kind, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_schedules_that_are_written_among_callbacks_are_found_there_too(capsys):
    assert app.run(["list", "callbacks", "cyclic"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "schedules, which `callbacks:` takes too: CyclicLR\n")
    assert app.run(["list", "callbacks"]) == 0
    assert "LRVariator" in capsys.readouterr().err
