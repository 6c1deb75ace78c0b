import numpy as np
import pytest
from tables_to_split import table

from fivefold.apps.data_files.sampling import draw_sample
from fivefold.core.errors import ConfigError, DataError
from fivefold.data.source import Labels

DATA = table([0] * 30 + [1] * 10 + [2] * 5)


def counts(drawn):
    return list(drawn.counts.values())


def test_as_many_of_each_class_as_the_smallest_has():
    assert counts(draw_sample(DATA)) == [5, 5, 5]


def test_so_many_of_each_class_and_all_of_a_smaller_one():
    drawn = draw_sample(DATA, per_class=8)
    assert counts(drawn) == [8, 8, 5]
    assert drawn.short == ("class 2",)
    assert list(drawn.of.values()) == [30, 10, 5]


def test_a_fraction_of_each_class_is_rounded_up():
    assert counts(draw_sample(DATA, fraction=0.25)) == [8, 3, 2]


def test_the_seed_decides_and_the_order_of_rows_does_not():
    first = draw_sample(DATA, per_class=3, seed=1)
    order = np.random.default_rng(0).permutation(len(DATA))
    again = draw_sample(DATA.take(order), per_class=3, seed=1)
    assert again.keep.tolist() == first.keep[order].tolist()
    assert draw_sample(DATA, per_class=3, seed=2).keep.tolist() != first.keep.tolist()


def test_every_class_reaches_what_is_wanted_where_images_have_several():
    rng = np.random.default_rng(0)
    targets = (rng.random((200, 4)) < [0.6, 0.3, 0.1, 0.05]).astype(np.float32)
    names = tuple("abcd")
    data = table([0] * 200, labels=(Labels("", names, exclusive=False),), targets=targets)
    least = int(targets.sum(axis=0).min())
    drawn = draw_sample(data)
    assert min(counts(drawn)) == least
    assert targets[drawn.keep].any(axis=1).all()
    assert max(counts(drawn)) < 0.5 * targets.sum(axis=0).max()


@pytest.mark.parametrize(
    "options",
    [{"per_class": -1}, {"fraction": 1.5}, {"fraction": -0.1}, {"per_class": 1, "fraction": 0.5}],
)
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match="expected a number of at least 1 or a") as caught:
        draw_sample(DATA, **options)
    assert caught.value.problems[0].slug == "cli/sample-option"


def test_images_without_a_class_alone_are_refused():
    targets = np.zeros((3, 1), dtype=np.float32)
    data = table([0] * 3, labels=(Labels("", ("a",), exclusive=False),), targets=targets)
    with pytest.raises(DataError, match="expected images with a class to draw from, got none"):
        draw_sample(data)
