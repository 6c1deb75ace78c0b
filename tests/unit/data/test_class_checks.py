import numpy as np
import pytest

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import CsvSource
from fivefold.data.audit import audit


def test_cells_of_separators_only_are_no_labels(tmp_path):
    from PIL import Image

    rows = ["image,label"]
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name)
        rows.append(f'{name},";"')
    (tmp_path / "t.csv").write_text("\n".join(rows))
    source = CsvSource(tmp_path / "t.csv", tmp_path, separator=";")
    with pytest.raises(DataError, match="expected at least 1 class, got none: no sample") as error:
        audit(source, folds=2, progress=Silent())
    assert error.value.slug == "data/no-labels"
