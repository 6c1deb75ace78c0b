import numpy as np

from fivefold.core.seeding import generator_for, seed_for


def test_the_same_place_draws_the_same_numbers():
    a, b = (generator_for(0, "augment", 1, 0, 3, "cat/1.png").random(5) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_any_other_place_draws_others():
    places = [(0, "a", 1, 2), (1, "a", 1, 2), (0, "b", 1, 2), (0, "a", 12), (0, "a", "1", "2", "")]
    seeds = {seed_for(*place) for place in places}
    assert len(seeds) == len(places)


def test_the_seeds_are_part_of_the_file_format():
    # Another number here would change every experiment that is resumed with a newer version.
    assert seed_for(0, "order", 0, 0, 0) == 6538019858954948625
