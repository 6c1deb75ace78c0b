import math

import pytest

from fivefold.core.errors import MissingExtraError
from fivefold.core.optional import require


def test_an_installed_module_is_imported():
    assert require("math", extra="x") is math


def test_a_missing_one_says_how_to_install_it():
    with pytest.raises(MissingExtraError, match=r'pip install "fivefold\[ray\]"') as error:
        require("no_such_module_here.sub", extra="ray")
    assert error.value.slug == "missing-extra"
