import numpy as np
from scipy import stats

from fivefold.core.seeding import SampleGenerators, generator_for, seed_for


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


def drawn(sample_id, *place, count=5):
    generator = SampleGenerators(0, "augment", *place).of(sample_id)
    return (*generator.random(count), generator.integers(1 << 30), generator.normal())


def test_a_samples_numbers_do_not_depend_on_those_before():
    generators = SampleGenerators(0, "augment", 1, 0, 3)
    for before in ("cat/2.png", "dog/1.png"):
        generators.of(before).integers(10, size=3, dtype=np.uint32)  # leaves half a word behind
        generator = generators.of("cat/1.png")
        found = (*generator.random(5), generator.integers(1 << 30), generator.normal())
        assert found == drawn("cat/1.png", 1, 0, 3)


def test_samples_and_places_draw_different_numbers():
    ids, places = (
        [f"cat/{k}.png" for k in range(50)],
        [(f, s, e) for f in (0, 1) for s in (0, 1) for e in (0, 1)],
    )
    firsts = {drawn(sample_id, *place)[0] for sample_id in ids for place in places}
    assert len(firsts) == len(ids) * len(places)


def test_the_numbers_of_all_samples_together_are_even():
    generators = SampleGenerators(3, "augment", 0, 0, 0)
    first = np.array([generators.of(str(k)).random(2) for k in range(4000)])
    assert stats.kstest(first[:, 0], "uniform").pvalue > 0.001
    assert abs(np.corrcoef(first.T)[0, 1]) < 0.05
    assert abs(np.corrcoef(first[:-1, 0], first[1:, 0])[0, 1]) < 0.05


def test_numbers_are_those_that_they_always_were():
    # Others here would change every experiment that is resumed with a newer version.
    generator = SampleGenerators(0, "augment", 0, 0, 0).of("cat/1.png")
    assert generator.random(2).tolist() == [0.7530049303328279, 0.7404051415793308]
