import numpy as np
import pytest
from drawn_source import Drawn

from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent
from fivefold.data import audit, table_of
from fivefold.data.views import filter_samples, take


def test_a_filter_sees_ids_classes_and_pixels():
    source = Drawn(6)
    assert filter_samples(source, lambda s: s.sample_id > "n3").sample_ids == ("n4", "n5")
    assert filter_samples(source, lambda s: "dog" in s.class_names).sample_ids == ("n1", "n3", "n5")
    dark = filter_samples(source, lambda s: s.image[0, 0, 0] < 2)
    assert dark.sample_ids == ("n0", "n1")


def test_what_a_filter_leaves_out_is_counted_and_not_warned_of():
    source = Drawn(8)
    source.excluded = [("x", "hidden")]
    some = filter_samples(source, lambda s: s.sample_id not in ("n6", "n7"))
    assert list(some.excluded) == [("x", "hidden"), ("n6", "filtered"), ("n7", "filtered")]
    assert some.excluded[1:] == (("n6", "filtered"), ("n7", "filtered"))
    found = audit(some, folds=2, progress=Silent())
    assert (found.listed, found.used, found.excluded) == (9, 6, 3)
    assert found.warnings == ()


def test_a_filter_of_images_keeps_what_cannot_be_read_for_the_audit():
    source = Drawn(4, broken=[2])
    some = filter_samples(source, lambda s: s.image[0, 0, 0] == 0)
    assert some.sample_ids == ("n0", "n2")


def test_folds_and_holdout_are_those_of_the_rest():
    source = Drawn(6)
    source.fold_lists = [([0, 1, 2], [3, 4]), ([3, 4], [0, 1, 2])]
    source.held_out, source.train_only = [5], [2]
    some = filter_samples(source, lambda s: s.sample_id not in ("n1", "n3"))
    assert some.sample_ids == ("n0", "n2", "n4", "n5")
    assert some.fold_lists == [([0, 1], [2]), ([2], [0, 1])]
    assert (some.held_out, some.train_only) == ([3], [1])


def test_a_filter_that_fails_is_told_by_its_line():
    def keep(sample):
        return sample.colour == "red"

    with pytest.raises(ConfigError, match=r"test_parts\.py:\d+: filter 'keep': .* AttributeError"):
        filter_samples(Drawn(2), keep)


def test_a_filter_answers_true_or_false():
    with pytest.raises(ConfigError, match=r"expected true or false, got ndarray of shape \(2,\)"):
        filter_samples(Drawn(2), lambda s: s.target)


def test_the_first_samples_are_taken_or_drawn_ones_in_order():
    assert take(Drawn(5), 2).sample_ids == ("n0", "n1")
    assert take(Drawn(3), 9).sample_ids == ("n0", "n1", "n2")
    drawn = take(Drawn(50), 20, rng=np.random.default_rng(1))
    numbers = [int(name[1:]) for name in drawn.sample_ids]
    assert (len(set(numbers)), sorted(numbers)) == (20, numbers)
    again = take(Drawn(50), 20, rng=np.random.default_rng(1))
    assert drawn.sample_ids == again.sample_ids
    assert {rule for _, rule in drawn.excluded} == {"not-taken"}


def test_nothing_cannot_be_taken():
    with pytest.raises(DataError, match=r"take: expected .* at least 1, got 0") as error:
        take(Drawn(3), 0)
    assert error.value.slug == "data/view-option"


def test_the_rest_is_a_table_like_any_other():
    some = take(Drawn(6), 4)
    table = table_of(some, audit(some, folds=2, progress=Silent()))
    assert list(table.ids) == ["n0", "n1", "n2", "n3"]
