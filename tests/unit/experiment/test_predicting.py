"""What is given to be predicted."""

import numpy as np
import pytest

from fivefold.core.errors import ConfigError
from fivefold.experiment.predicting import _opened


@pytest.mark.parametrize("inputs", [None, 3, [], [None], np.zeros((4, 4, 3)), ""])
def test_what_is_no_path_is_refused(inputs):
    with pytest.raises(ConfigError, match="inputs: expected a path"):
        _opened(inputs)


@pytest.mark.parametrize("text", [True, False])
def test_paths_may_be_text(tmp_path, text):
    (tmp_path / "a.png").touch()
    path = tmp_path / "a.png"
    assert len(_opened(str(path) if text else path)) == 1
    assert len(_opened([str(path) if text else path])) == 1
