"""The pictures that training has drawn."""

from collections.abc import Iterator, Mapping
from functools import partial

from fivefold.apps.report.embedded import sheet_url
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.section import Material, Section

_MOST_BYTES = 3_000_000  # of a page's 15 MB


def sections(material: Material) -> Iterator[Section]:
    """Show each fold's sheet of validation samples."""
    found = material.found
    pictures = {fold: _urls(found, fold) for fold in found.examples}
    pictures = {fold: urls for fold, urls in pictures.items() if urls}
    left = _fitting(pictures)
    several = any(part.heads[0].activation == "sigmoid" for part in material.heads)
    values = {
        "pictures": {fold: urls for fold, urls in pictures.items() if fold not in left},
        "several": several,
        "left": left,
        "masks": found.masks is not None,
    }
    if pictures:
        yield Section("examples", "Examples", "examples.html", values)


def _fitting(pictures: Mapping[int, list[str]]) -> list[int]:
    """Say which folds' pictures have no room in the page."""
    taken, left = 0, []
    for fold, urls in pictures.items():
        taken += sum(map(len, urls))
        left += [fold] if taken > _MOST_BYTES else []
    return left


def _urls(found: Gathered, fold: int) -> list[str]:
    """Encode a fold's pictures anew, so that only pixels enter the page."""
    what = "picture {} of fold {}"
    urls = [
        found.attempt(what.format(path.name, fold), partial(sheet_url, path), "")
        for path in found.examples[fold]
    ]
    return [url for url in urls if url]
