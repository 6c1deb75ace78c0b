"""The config as its writer has written it."""

from collections.abc import Iterator

from fivefold.apps.report.section import Material, Section


def sections(material: Material) -> Iterator[Section]:
    """Show the config, and the file of its project that it takes further keys from."""
    if material.found.config_text:
        yield Section("config", "Config", "config.html")
