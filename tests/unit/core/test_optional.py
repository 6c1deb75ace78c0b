import math
import subprocess
import sys

import pytest

from fivefold.core.errors import MissingExtraError
from fivefold.core.optional import late, require


def test_an_installed_module_is_imported():
    assert require("math", extra="x") is math


def test_a_missing_one_says_how_to_install_it():
    with pytest.raises(MissingExtraError, match=r'pip install "fivefold\[ray\]"') as error:
        require("no_such_module_here.sub", extra="ray")
    assert error.value.slug == "missing-extra"


def test_a_late_module_gives_what_the_module_has():
    assert late("math").pi is math.pi
    assert late("os.path").join("a", "b").endswith("b")


def test_a_late_module_lacks_what_the_module_lacks():
    with pytest.raises(AttributeError, match="module 'math' has no attribute 'tau_squared'"):
        late("math").tau_squared  # noqa: B018  the look-up is the test


def test_a_late_module_is_imported_when_it_is_used_and_not_before():
    code = (
        "import sys; from fivefold.core.optional import late\n"
        "wave = late('wave'); assert 'wave' not in sys.modules\n"
        "wave.open; assert 'wave' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
