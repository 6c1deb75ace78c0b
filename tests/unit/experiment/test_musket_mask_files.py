"""Maps in folders: what is theirs is replaced, and nothing else."""

import pytest

from fivefold.core.errors import DataError
from fivefold.core.types import Head
from fivefold.experiment.musket.mask_files import MapFiles

HEAD = Head("", "sigmoid", ("ship",))


def test_files_that_are_no_maps_are_never_replaced(tmp_path):
    (tmp_path / "b.png").write_bytes(b"drawn by hand")
    files = MapFiles(["a.jpg", "b.jpg"], HEAD, binary=False)
    text = r"tpath: expected a folder for maps, got \S+ with a file 'b.png' in it"
    with pytest.raises(DataError, match=text):
        files.claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]
    MapFiles(["a.jpg", "b.jpg"], HEAD, binary=True).claim(tmp_path)


def test_maps_are_replaced_by_those_predicted_anew(tmp_path):
    files = MapFiles(["a.jpg"], HEAD, binary=False)
    files.claim(tmp_path / "maps")
    (tmp_path / "maps" / "a.png").touch()
    files.claim(tmp_path / "maps")
