"""The pictures that training has drawn."""

from collections.abc import Iterator
from functools import partial

from fivefold.apps.report.embedded import sheet_url
from fivefold.apps.report.gather import Gathered
from fivefold.apps.report.section import Material, Section


def sections(material: Material) -> Iterator[Section]:
    """Show each fold's sheet of validation samples."""
    found = material.found
    pictures = {fold: _urls(found, fold) for fold in found.examples}
    pictures = {fold: urls for fold, urls in pictures.items() if urls}
    several = any(part.heads[0].activation == "sigmoid" for part in material.heads)
    values = {"pictures": pictures, "several": several}
    if pictures:
        yield Section("examples", "Examples", "examples.html", values)


def _urls(found: Gathered, fold: int) -> list[str]:
    """Encode a fold's pictures anew, so that only pixels enter the page."""
    what = "picture {} of fold {}"
    urls = [
        found.attempt(what.format(path.name, fold), partial(sheet_url, path), "")
        for path in found.examples[fold]
    ]
    return [url for url in urls if url]
