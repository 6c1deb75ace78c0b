from fivefold.engine.pace import Pace


def test_the_rest_is_told_from_each_stages_own_epochs():
    pace = Pace({0: 2, 1: 3})
    assert pace.tick(0, 1.0) == "1 of 5 epochs, 4 s left"
    assert pace.tick(0, 3.0) == "2 of 5 epochs, 6 s left"
    assert pace.tick(1, 50.0) == "3 of 5 epochs, 2 min left"
    pace.skip(1, 1)
    assert pace.tick(1, 50.0) == "4 of 4 epochs"
