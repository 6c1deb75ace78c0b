import time

import pytest

from fivefold.engine.pace import Pace, TimeOverError


def test_the_rest_is_told_from_each_stages_own_epochs():
    pace = Pace({0: 2, 1: 3}, frozen=[])
    assert pace.tick(0, 1.0) == "1 of 5 epochs, 4 s left"
    assert pace.tick(0, 3.0) == "2 of 5 epochs, 6 s left"
    assert pace.tick(1, 50.0) == "3 of 5 epochs, 2 min left"
    pace.skip(1, 1)
    assert pace.tick(1, 50.0) == "4 of 4 epochs"


def test_folds_that_run_beside_each_other_share_what_is_left():
    pace = Pace({0: 5})
    assert pace.tick(0, 10.0, at_once=2) == "1 of 5 epochs, 20 s left"
    assert pace.tick(0, 10.0, at_once=1) == "2 of 5 epochs, 30 s left"


def test_what_is_spent_is_known_by_fold_and_stage():
    pace = Pace({0: 3})
    for fold, seconds in ((0, 1.5), (1, 2.0), (0, 0.5)):
        pace.tick(0, seconds, fold=fold)
    assert pace.spent == {(0, 0): (2, 2.0), (1, 0): (1, 2.0)}


def test_heads_say_nothing_of_a_whole_network():
    pace = Pace({0: 2, 1: 2}, frozen=[0])
    assert pace.tick(0, 0.1) == "1 of 4 epochs, at least 1 s left"
    assert pace.tick(0, 0.1) == "2 of 4 epochs, at least 1 s left"
    assert pace.tick(1, 300.0) == "3 of 4 epochs, 5 min left"


def test_a_whole_network_that_has_not_begun_is_guessed_from_its_features():
    pace = Pace({0: 2, 1: 2}, frozen=[0])
    pace.expect({1: 3 * 80 + 20})
    assert pace.tick(0, 1.0) == "1 of 4 epochs, at least 1 s left"
    pace.saw(images=200, seconds=10.0)
    assert pace.tick(0, 1.0) == "2 of 4 epochs, 26 s left"
    assert pace.tick(1, 40.0) == "3 of 4 epochs, 40 s left"


def test_features_that_were_kept_tell_nothing_of_a_whole_network():
    pace = Pace({0: 2, 1: 2}, frozen=[0])
    pace.expect({1: 260})
    pace.saw(images=0, seconds=0.0)
    assert pace.tick(0, 1.0) == "1 of 4 epochs, at least 1 s left"


def test_a_stage_that_has_not_begun_is_as_fast_as_its_kind():
    pace = Pace({0: 1, 1: 1, 2: 2, 3: 1}, frozen=[0, 3])
    pace.tick(0, 2.0)
    assert pace.tick(1, 40.0) == "2 of 5 epochs, 82 s left"


def test_a_stage_that_was_skipped_leaves_nothing_unknown():
    pace = Pace({0: 2, 1: 2}, frozen=[0])
    pace.skip(1, 2)
    assert pace.tick(0, 7.0) == "1 of 2 epochs, 7 s left"


def test_time_is_over_only_after_an_epoch():
    pace = Pace({0: 5}, until=time.monotonic() - 1)
    pace.stop_if_over()
    pace.tick(0, 1.0)
    assert pace.over
    with pytest.raises(TimeOverError, match="the time of this run is over"):
        pace.stop_if_over()


def test_without_a_limit_time_is_never_over():
    pace = Pace({0: 5})
    pace.tick(0, 1.0)
    pace.stop_if_over()
    later = Pace({0: 5}, until=time.monotonic() + 3600)
    later.tick(0, 1.0)
    assert not later.over
