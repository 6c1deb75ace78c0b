from importlib import metadata

import pytest
import timm

from fivefold.models.timm_list import LIST_PATH, list_text, parse, timm_list


@pytest.mark.skipif(
    metadata.version("timm") != timm_list().version, reason="made from another version of timm"
)
def test_the_list_is_what_timm_says():
    assert LIST_PATH.read_text("utf-8") == list_text(), "`make docs` writes it again"


def test_the_list_is_made_from_the_pinned_version():
    pins = (LIST_PATH.parents[3] / "constraints.txt").read_text("utf-8").splitlines()
    assert f"timm=={timm_list().version}" in pins, "`make docs` writes the list again"


def test_it_names_what_timm_lists_and_knows_what_timm_takes():
    ours = {"nasnetmobile"}  # models/nasnet.py gives it to timm, if it is loaded
    assert timm_list().names == [name for name in timm.list_models() if name not in ours]
    assert all(timm.is_model(name) for name in timm_list().tags)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", True),
        ("a.x", True),
        ("a.z", False),
        ("a.", False),
        ("b", True),
        ("b.x", False),
        ("gone", True),
        ("other", False),
    ],
)
def test_a_list_knows_nets_with_and_without_their_tags(name, expected):
    listed = parse("timm 1.2.3\na x y\nb\nold\ngone\n")
    assert listed.has(name) is expected
    assert (listed.version, listed.names) == ("1.2.3", ["a", "b"])
    assert not listed.is_installed()
