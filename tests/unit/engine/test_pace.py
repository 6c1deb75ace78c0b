from fivefold.engine.pace import Pace


def test_the_rest_is_told_from_each_stages_own_epochs():
    pace = Pace({0: 2, 1: 3})
    assert pace.tick(0, 1.0) == "1 of 5 epochs, 4 s left"
    assert pace.tick(0, 3.0) == "2 of 5 epochs, 6 s left"
    assert pace.tick(1, 50.0) == "3 of 5 epochs, 2 min left"
    pace.skip(1, 1)
    assert pace.tick(1, 50.0) == "4 of 4 epochs"


def test_folds_that_run_beside_each_other_share_what_is_left():
    pace = Pace({0: 5})
    assert pace.tick(0, 10.0, at_once=2) == "1 of 5 epochs, 20 s left"
    assert pace.tick(0, 10.0, at_once=1) == "2 of 5 epochs, 30 s left"
