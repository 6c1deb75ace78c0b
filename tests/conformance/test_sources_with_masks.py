"""Every source, and every view of one: masks go through, or are refused in clear words."""

import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest
from masked import Masked

import fivefold.data
from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind, counts_of
from fivefold.core.progress import Silent
from fivefold.data import Source
from fivefold.data.audit import audit
from fivefold.data.chosen import ChosenSource
from fivefold.data.corrections import corrected
from fivefold.data.extended import ExtendedSource
from fivefold.data.samples import table_of
from fivefold.data.views import (
    cache_in_memory,
    concatenate,
    enforce_one_vs_all,
    filter_samples,
    map_images,
    multihot,
    remap_classes,
    repeat,
    skip_background,
    take,
)


def inverted(image):
    return 255 - image


def some(source):
    return ChosenSource(source, [4, 1, 3])


def with_more(source):
    return ExtendedSource(source, Masked(3, exclusive=source.masks.exclusive), "more")


def mended(source, tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text("id,corrected,keep\nn002,,no\n")
    return corrected(source, path)


VIEWS = {
    "ChosenSource": (lambda source, _: some(source), [4, 1, 3]),
    "PartSource": (lambda source, _: take(source, 3), [0, 1, 2]),
    "filtered": (
        lambda source, _: filter_samples(source, lambda sample: bool(sample.mask.any())),
        [0, 1, 2, 3, 4],
    ),
    "without background": (
        lambda source, _: skip_background(source, "class 0"), [0, 1, 2, 3, 4]
    ),
    "_MappedSource": (lambda source, _: map_images(source, inverted), [0, 1, 2, 3, 4, 5]),
    "_RememberedSource": (lambda source, _: cache_in_memory(source), [0, 1, 2, 3, 4, 5]),
    "_Concatenated": (
        lambda source, _: concatenate([source, source], ["a", "b"]), [*range(6), *range(6)]
    ),
    "_Repeated": (lambda source, _: repeat(source, 2), [*range(6), *range(6)]),
    "JoinedSource": (lambda source, _: repeat(some(source), 2), [4, 1, 3, 4, 1, 3]),
    "ExtendedSource": (lambda source, _: with_more(source), [*range(6), 0, 1, 2]),
    "_CorrectedSource": (mended, [0, 1, 3, 4, 5]),
    "ChangedSource": (
        lambda source, _: cache_in_memory(map_images(source, inverted)), [0, 1, 2, 3, 4, 5]
    ),
}  # fmt: skip
"""Views, each with the samples that it shows of six, the last of which is empty."""
REFUSED = {
    "remap_classes": lambda source: remap_classes(source, {"class 0": "x"}),
    "multihot": multihot,
    "enforce_one_vs_all": lambda source: enforce_one_vs_all(source, "class 0"),
}
"""What makes a `_RelabelledSource`."""


def all_sources():
    for module in pkgutil.walk_packages(fivefold.data.__path__, "fivefold.data."):
        importlib.import_module(module.name)
    found, left = set(), [Source]
    while left:
        kind = left.pop()
        found.add(kind)
        left += kind.__subclasses__()
    return {kind for kind in found if kind.__module__.startswith("fivefold.")}


def views():
    """Find the sources that read other sources."""
    found = all_sources()
    first = {k for k in found if re.search(r"self\._(source|parts)\b", inspect.getsource(k))}
    return {kind for kind in found if any(issubclass(kind, view) for view in first)}


def test_every_view_is_tried_here():
    names = {kind.__name__ for kind in views()}
    assert {"ChosenSource", "ChangedSource", "JoinedSource"} < names
    assert names - set(VIEWS) == {"_RelabelledSource"}


def test_every_view_passes_on_all_that_is_asked_of_masks():
    for kind in views():
        own = {name for one in kind.__mro__ if one is not Source for name in vars(one)}
        assert {"mask", "counts", "tell_counts"} <= own, kind


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("name", VIEWS)
def test_masks_go_through_every_view(name, exclusive, tmp_path):
    source = Masked(6, exclusive=exclusive, empty=[5])
    make, numbers = VIEWS[name]
    view = make(source, tmp_path)
    if name == "without background" and exclusive:
        numbers = numbers[:5]
    assert view.masks == MaskKind(3, exclusive)
    assert len(view) == len(numbers)
    for i, number in enumerate(numbers):
        mask = source.drawn(number)
        assert np.array_equal(view.mask(i), mask)
        assert np.array_equal(view.sample(i).mask, mask)
        assert np.array_equal(view.fetch(i).decode(None).mask, mask)
        assert view.counts(i).tolist() == counts_of(mask, source.masks).tolist()
        assert view.target(i).tolist() == source.target(number).tolist()
        assert view.is_positive(i) == source.is_positive(number)
    found = audit(view, folds=0, progress=Silent())
    assert found.used == len(numbers)
    table = table_of(view, found)
    assert table.masks == source.masks
    if name != "ExtendedSource":
        expected = {n: tuple(counts_of(source.drawn(n), source.masks).tolist()) for n in numbers}
        assert source.told == expected


@pytest.mark.parametrize(
    "name", ["ChosenSource", "_MappedSource", "_RememberedSource", "_Repeated"]
)
def test_another_mask_is_another_content(name, tmp_path):
    make, _ = VIEWS[name]
    one, other = Masked(6), Masked(6)
    original = other.drawn
    other.drawn = lambda i: original(i)[::-1].copy()
    first = make(one, tmp_path).fetch(1).digest
    assert first == make(Masked(6), tmp_path).fetch(1).digest
    assert first != make(other, tmp_path).fetch(1).digest


@pytest.mark.parametrize("name", REFUSED)
def test_views_of_labels_refuse_masks(name):
    text = f"{name}: expected labels of whole images, got masks"
    with pytest.raises(DataError, match=text) as caught:
        REFUSED[name](Masked(3))
    assert caught.value.slug == "data/view-masks"


def test_only_masks_of_the_same_classes_are_joined():
    numbers, planes, more = Masked(3), Masked(3, exclusive=False), Masked(3, classes=4)
    text = (
        "b: expected masks with numbers of 'class 0', 'class 1', 'class 2' as the first has, got "
    )
    for other, got in (
        (planes, "masks with planes of 'class 0', "),
        (more, "masks with numbers of "),
    ):
        with pytest.raises(DataError, match=text + got):
            concatenate([numbers, other], ["a", "b"])
    other = Masked(3)
    other.masks = None
    with pytest.raises(DataError, match=r"sources to join: expected masks .*, got no masks"):
        concatenate([numbers, other])
    with pytest.raises(DataError, match=r"more: expected masks .*, got masks with planes"):
        ExtendedSource(numbers, planes, "more")


def test_corrections_leave_out_samples_and_change_no_mask(tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text("id,corrected,keep\nn001,class 1,\n")
    text = "corrected: expected nothing, since a mask has no label, got 'class 1'"
    with pytest.raises(DataError, match=text):
        corrected(Masked(3), path)
