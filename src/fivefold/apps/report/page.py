"""The page: one HTML file that needs nothing but itself."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fivefold.apps.report import assets, texts
from fivefold.apps.report.album import Album
from fivefold.apps.report.analysis import analyse
from fivefold.apps.report.cells import cells_of
from fivefold.apps.report.embedded import Thumbnails
from fivefold.apps.report.gather import gather
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.island import island
from fivefold.apps.report.kept_pixels import KeptPixels
from fivefold.apps.report.matrices import confusion
from fivefold.apps.report.section import Material, Section
from fivefold.apps.report.sections import ALL, headline
from fivefold.core.durable import write_text
from fivefold.core.layout import RunFolder
from fivefold.core.safe_html import escaped, json_island, policy


def write_report(folder: RunFolder) -> Path:
    """Write `report.html`: it opens from the disk, offline, and shows what there is so far.

    Args:
        folder: A run folder in any state.

    Returns:
        The page's path.

    Raises:
        ResourceError: If it cannot be written.
    """
    write_text(folder.report_path, render(gather(folder)))
    return folder.report_path


def render(found: Gathered) -> str:
    """Turn what was gathered into HTML; the same input gives the same text."""
    material = _material(found)
    templates = _templates()
    top = headline.values(material)
    sections = [section for make in ALL for section in make(material)]
    material.album.fill()
    bodies = [(section, _body(templates, section, material)) for section in sections]
    style, script = assets.styles(), assets.scripts()
    html = templates.get_template("page.html").render(
        found=found,
        sections=bodies,
        style=style,
        script=script,
        policy=policy(style, script),
        data=json_island(island(material)),
        **top,
    )
    # What the templates wrote is clean; a half of a character would stop the file from being text.
    return html.encode("utf-8", "backslashreplace").decode()


def _material(found: Gathered) -> Material:
    sample = found.predictions
    heads = () if sample is None or sample.targets is None else tuple(sample.by_head())
    config = found.manifest.get("config")
    kept = KeptPixels(config if isinstance(config, dict) else {})
    matrices = tuple(confusion(part) for part in heads)
    cells = tuple(
        cells_of(part, matrix.classes if matrix else None)
        for part, matrix in zip(heads, matrices, strict=True)
    )
    thumbnails = Thumbnails(found.root, found.audit, kept)
    return Material(found, heads, matrices, cells, analyse(found), Album(thumbnails), thumbnails)


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    templates.filters.update(
        name=texts.isolated,
        plain=texts.name,
        number=texts.number,
        end=texts.end,
        interval=texts.interval,
        score=texts.score,
        percent=texts.percent,
        count=texts.count,
        metric=texts.metric_name,
        capital=texts.capital,
        plural=texts.plural,
    )
    return templates


def _finalized(value: object) -> object:
    """Let no control character of a name, a config or a message through."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return escaped(str(value)) if is_text else value


def _body(templates: Environment, section: Section, material: Material) -> Markup:
    template = templates.get_template(section.template)
    # Safe: the template has escaped what is not ours.
    values = {"found": material.found, "url": material.album.url, **section.values}
    return Markup(template.render(num_pictures=len(material.album), **values))
