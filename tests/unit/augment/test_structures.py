from functools import partial

import numpy as np
import pytest

from fivefold.augment import augmenters, build_augmentation, check_augmentation
from fivefold.augment.changes import fuse
from fivefold.config import parse

HEIGHT, WIDTH = 12, 20
SHIFTS = {"a": 1, "b": 2, "c": 4, "d": 8}


def moving(pixels):
    return {"Affine": {"translate_px": {"x": pixels}, "mode": "wrap"}}


MOVES = [moving(pixels) for pixels in SHIFTS.values()]


def image():
    columns = np.arange(WIDTH, dtype=np.uint8)
    return np.broadcast_to(columns[None, :, None], (HEIGHT, WIDTH, 1)).copy()


def shifts(name, value, seeds=400):
    """By how many pixels each of many images is moved."""
    change = build_augmentation([(name, value)], lambda *path: "")
    moved = [change(image(), np.random.default_rng(seed)) for seed in range(seeds)]
    return [int(-picture[0, 0, 0].astype(int)) % WIDTH for picture in moved]


def test_sequential_applies_all():
    assert set(shifts("Sequential", MOVES, 5)) == {15}


def test_children_may_be_a_mapping_a_list_an_option_or_one_name():
    flips = {"Fliplr": 1, "Flipud": 1}
    as_list = [{"Fliplr": 1}, {"Flipud": 1}]
    for value in (flips, as_list, {"children": flips}, {"children": as_list}):
        change = build_augmentation([("Sequential", value)], lambda *path: "")
        np.testing.assert_array_equal(
            change(image(), np.random.default_rng(0)), image()[::-1, ::-1]
        )
    assert build_augmentation([("Sequential", "Noop")], lambda *path: "") is not None


def test_random_order_has_every_order_as_often():
    pair = [{"Affine": {"translate_px": {"x": 3}}}, {"Affine": {"scale": {"x": 2}}}]
    component = augmenters.get("Sequential")
    options, _ = component.check({"children": pair, "random_order": True})
    drawn = [component.make(np.random.default_rng(i), 11, 11, **options) for i in range(400)]
    first = [fuse(change)[0].matrix[0, 2] for change in drawn]
    assert set(first) == {-5 + 3, -5 + 6}
    assert 0.42 < np.mean(np.array(first) == -2) < 0.58


def test_one_of_takes_each_as_often():
    counts = np.bincount(shifts("OneOf", MOVES), minlength=9)[[1, 2, 4, 8]]
    assert counts.sum() == 400
    assert counts.min() > 70


@pytest.mark.parametrize(
    ("n", "sizes"),
    [(2, {2}), ([1, 3], {1, 2, 3}), ([3, None], {3, 4}), ([0, 1, 4], {0, 1, 4}), (None, {4})],
)
def test_some_of_takes_so_many_each_once(n, sizes):
    found = shifts("SomeOf", {"n": n, "children": MOVES})
    assert {bin(shift).count("1") for shift in found} == sizes


def test_some_of_takes_no_more_than_there_are():
    assert set(shifts("SomeOf", {"n": [7, None], "children": MOVES}, 20)) == {15}
    assert set(shifts("SomeOf", {"n": 9, "children": MOVES}, 20)) == {15}


def test_some_of_keeps_the_written_order_unless_asked():
    pair = [{"Affine": {"translate_px": {"x": 3}}}, {"Affine": {"scale": {"x": 2}}}]
    component = augmenters.get("SomeOf")
    for random_order, expected in ((False, {1}), (True, {-2, 1})):
        options, _ = component.check({"n": 2, "children": pair, "random_order": random_order})
        drawn = [component.make(np.random.default_rng(i), 11, 11, **options) for i in range(30)]
        assert {fuse(change)[0].matrix[0, 2] for change in drawn} == expected


@pytest.mark.parametrize(("then", "otherwise"), [("then", "else"), ("then_list", "else_list")])
def test_sometimes_takes_one_list_or_the_other(then, otherwise):
    value = {"p": 0.3, then: moving(1), otherwise: [moving(2), moving(4)]}
    found = shifts("Sometimes", value)
    assert set(found) == {1, 6}
    assert 0.23 < np.mean(np.array(found) == 1) < 0.37


def test_sometimes_may_do_nothing_else():
    found = shifts("Sometimes", [moving(1)])
    assert set(found) == {0, 1}
    assert 0.42 < np.mean(found) < 0.58


def test_structures_stand_in_structures():
    inner = {
        "OneOf": [
            moving(1),
            {"Sequential": [moving(2), {"Sometimes": {"p": 1, "then": moving(4)}}]},
        ]
    }
    assert set(shifts("Sequential", [inner, moving(8)])) == {9, 14}


@pytest.mark.parametrize("name", ["Sequential", "Sometimes"])
def test_empty_structures_change_nothing(name):
    change = build_augmentation([(name, [])], lambda *path: "")
    picture = image()
    assert change(picture, np.random.default_rng(0)) is picture


def test_a_mask_goes_through_structures_with_its_image():
    change = build_augmentation(
        [("SomeOf", {"n": [1, 3], "children": MOVES, "random_order": True})], lambda *path: ""
    )
    for seed in range(20):
        picture, mask = change(image() + 1, np.random.default_rng(seed), image()[..., 0] + 1)
        np.testing.assert_array_equal(picture[..., 0][mask > 0], mask[mask > 0])


NESTED = """\
augmentation:
  OneOf:
    - Fliplr: 1.5
    - SomeOf:
        n: -1
        children: Noop
    - Sequential:
        Affin:
          rotate: 3
    - Sometimes:
        then:
          - Fliplr: 0.5
          - Affine: {rotat: 3}
        else: 4
    - Sometimes:
        then:
          - Fliplr: 0.5
          - Fliplr: half
  Lambda: {}
"""


def test_problems_at_any_depth_say_their_line():
    config = parse(NESTED)
    told = [
        str(p)
        for p in check_augmentation(config.augmentation, partial(config.where, "augmentation"))
    ]
    assert told == [
        "config.yaml:3:15: augmentation.OneOf.Fliplr.p: expected less than or equal to 1, got 1.5",
        "config.yaml:5:12: augmentation.OneOf.SomeOf.n: expected a whole number of at least 0, a "
        "range [a, b] or [a, null], or a list to choose from, got -1",
        "config.yaml:8:9: augmentation.OneOf.Sequential: expected the name of a known augmenter, "
        "got 'Affin'\n    did you mean 'Affine'?",
        "config.yaml:14:15: augmentation.OneOf.Sometimes.else: expected augmenters: a mapping of "
        "names, or a list of names and single mappings, got 4",
        "config.yaml:18:21: augmentation.OneOf.Sometimes.then.Fliplr.p: expected a number, "
        "got 'half'",
        "config.yaml:19:11: augmentation: augmenter 'Lambda' cannot be used\n    it is made of "
        "Python functions: write an augmenter of your own and name it in `imports`",
    ]


def test_the_second_of_two_equal_names_is_found_at_its_own_line():
    config = parse("augmentation:\n- Fliplr: 0.5\n- Fliplr: 2\n- Flipud: 1\n")
    (problem,) = check_augmentation(config.augmentation, partial(config.where, "augmentation"))
    assert problem.where == "config.yaml:3:11"


@pytest.mark.parametrize("name", ["OneOf", "SomeOf"])
@pytest.mark.parametrize("value", [[], {"children": []}, {"children": {}}])
def test_a_choice_of_nothing_is_refused(name, value):
    (problem,) = check_augmentation([(name, value)], lambda *path: "")
    wanted = f"augmentation.{name}.children: expected at least one augmenter, got "
    assert problem.message.startswith(wanted)
