import numpy as np
import pytest
from shapes import draw_folders

from fivefold.data import FolderSource, PythonSource
from fivefold.data.chosen import ChosenSource


def folder(tmp_path):
    return FolderSource(draw_folders(tmp_path / "shapes", 3))


def python(tmp_path):
    whole = folder(tmp_path)
    return PythonSource([(whole.image(i), whole.target(i)) for i in range(len(whole))])


@pytest.mark.parametrize("make", [folder, python])
def test_some_samples_are_those_of_the_source_in_the_order_given(make, tmp_path):
    source, positions = make(tmp_path), [7, 0, 4]
    some = ChosenSource(source, positions)
    assert len(some) == 3
    assert (some.labels, some.one_at_a_time) == (source.labels, source.one_at_a_time)
    assert some.trust is source.trust
    for i, position in enumerate(positions):
        assert some.sample_ids[i] == source.sample_ids[position]
        for method in ("stamp", "path", "name_of"):
            assert getattr(some, method)(i) == getattr(source, method)(position)
        assert some.fetch(i).digest == source.fetch(position).digest
        np.testing.assert_array_equal(some.image(i, (32, 32)), source.image(position))
        np.testing.assert_array_equal(some.target(i), source.target(position))
        sample = some.sample(i)
        assert sample.sample_id == some.sample_ids[i]
        np.testing.assert_array_equal(sample.image, source.image(position))


def test_groups_stay_beside_their_samples(tmp_path):
    source = folder(tmp_path)
    source.groups = [f"g{i}" for i in range(len(source))]
    assert list(ChosenSource(source, range(3, 5)).groups) == ["g3", "g4"]
