import pytest

from fivefold.core.errors import DataError
from fivefold.data.python_file import open_python

CODE = """
import neighbour
class Data:
    def __init__(self, count=2): self.count = count
    def __len__(self): return self.count
    def __getitem__(self, i):
        if i >= self.count: raise IndexError(i)
        return neighbour.pixels(), "ab"[i % 2]
ready = [(neighbour.pixels(), "a")]
def broken(): raise ValueError("no disk")
"""


@pytest.fixture
def code(tmp_path):
    (tmp_path / "neighbour.py").write_text("import numpy\npixels = lambda: numpy.zeros((2, 2))\n")
    (tmp_path / "data.py").write_text(CODE)
    return tmp_path


def test_a_class_of_a_file_is_called_with_its_arguments(code):
    assert len(open_python("data.py:Data", code, {"count": 5})) == 5
    assert len(open_python("data.py:Data", code)) == 2
    assert len(open_python("data.py:ready", code)) == 1


def test_a_mistyped_name_gets_the_closest(code):
    with pytest.raises(DataError, match=r"'Dat' to make a data set.*\n.*'Data'") as error:
        open_python("data.py:Dat", code)
    assert error.value.slug == "data/python-file"


def test_a_missing_file_is_named(code):
    with pytest.raises(DataError, match=r"existing file, got 'none\.py:Data'"):
        open_python("none.py:Data", code)


@pytest.mark.parametrize("spec", ["data.py:broken", "data.py:Data"])
def test_code_that_raises_is_named_with_its_error(code, spec):
    args = {} if "broken" in spec else {"wrong": 1}
    with pytest.raises(
        DataError, match=r"expected a data set, got (ValueError: no|TypeE)"
    ) as error:
        open_python(spec, code, args)
    assert error.value.slug == "data/python-code"


@pytest.mark.parametrize("body", ["sys.exit(0)", "def Data(): sys.exit(0)"])
def test_code_that_ends_the_process_is_named(tmp_path, body):
    (tmp_path / "data.py").write_text(f"import sys\n{body}\n")
    with pytest.raises(DataError, match=r"data\.py: Data: expected .*, got SystemExit: 0") as error:
        open_python("data.py:Data", tmp_path)
    assert error.value.slug == "data/python-code"


def test_an_attribute_that_raises_is_named_with_the_file(tmp_path):
    (tmp_path / "data.py").write_text(
        "class Data(list):\n    @property\n    def classes(self): raise RuntimeError('no server')\n"
        "def make(): return Data([(None, None)])\n"
    )
    with pytest.raises(DataError, match=r"data\.py: make: .*RuntimeError: no server"):
        open_python("data.py:make", tmp_path)
