"""Where features of frozen backbones are kept for later runs."""

import pytest
import tiny  # noqa: F401  registers the net

from fivefold.config import parse
from fivefold.core.choices import EXACT
from fivefold.core.types import Head
from fivefold.experiment.frozen import feature_files
from fivefold.models import ModelSpec

SPEC = ModelSpec("tiny", (Head("", "softmax", ("cat", "dog")),))


@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize(
    ("text", "usable"), [("lr: 0.1", True), ("cache: false", False), ("imports: [own]", False)]
)
def test_own_code_and_a_cache_that_is_off_keep_no_features(text, usable):
    assert (feature_files(parse(text), SPEC, EXACT).home is not None) == usable
