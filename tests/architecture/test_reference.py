from pathlib import Path

import pytest

from fivefold.config import musket_markdown, reference_markdown

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "make"), [("config.md", reference_markdown), ("musket.md", musket_markdown)]
)
def test_pages_made_from_the_code_are_not_stale(name, make):
    assert (DOCS / name).read_text("utf-8") == make(), "`make docs` writes them again"
