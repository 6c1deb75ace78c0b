"""Categories become classes by themselves, by a map, or by what they belong to."""

import json
import time

import pytest

from fivefold.core.errors import DataError
from fivefold.data.coco.classes import classes_of, read_map
from fivefold.data.coco.document import Category

BREEDS = [
    Category(1, "lakeland", "dog"),
    Category(2, "shepherd", "dog"),
    Category(3, "labrador", "dog"),
    Category(4, "persian", "cat"),
    Category(5, "siamese", "cat"),
    Category(6, "sphynx", "cat"),
]


def test_each_category_is_a_class_in_the_order_of_names():
    found = classes_of(BREEDS, "x")
    assert found.names == ("labrador", "lakeland", "persian", "shepherd", "siamese", "sphynx")
    assert found.of_category == {1: 1, 2: 3, 3: 0, 4: 2, 5: 4, 6: 5}


@pytest.mark.parametrize(
    "given",
    [
        {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1, "6": 1},
        {1: 0, 2: 0, 3: 0, 4: 1, 5: 1, 6: 1},
        {"lakeland": 0, "shepherd": 0, "labrador": 0, "persian": 1, "siamese": 1, "sphynx": 1},
    ],
)
def test_numbers_of_a_map_are_named_after_what_their_categories_share(given):
    found = classes_of(BREEDS, "x", given=given)
    assert found.names == ("dog", "cat")
    assert found.of_category == {1: 0, 2: 0, 3: 0, 4: 1, 5: 1, 6: 1}


def test_numbers_that_share_nothing_are_their_own_names():
    assert classes_of(BREEDS, "x", given={1: 0, 4: 0, 2: 1, 5: 1}).names == ("0", "1")


def test_names_of_a_map_are_classes_in_the_order_of_names():
    found = classes_of(BREEDS, "x", given={"lakeland": "terrier", 4: "cat", 5: "cat"})
    assert found.names == ("cat", "terrier")
    assert found.of_category == {1: 1, 4: 0, 5: 0}


def test_one_level_up_lies_the_supercategory():
    found = classes_of(BREEDS, "x", level=1)
    assert found.names == ("cat", "dog")
    assert found.of_category == {1: 1, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0}


def test_chains_of_supercategories_end_where_they_end():
    chain = [*BREEDS, Category(7, "dog", "animal"), Category(8, "car"), Category(9, "x", "x")]
    found = classes_of(chain, "x", level=2)
    assert found.names == ("animal", "car", "cat", "x")
    assert classes_of(chain, "x", level=9).names == found.names


def test_a_chain_that_bites_its_tail_is_refused():
    loop = [Category(1, "a", "b"), Category(2, "b", "c"), Category(3, "c", "a")]
    with pytest.raises(DataError, match=r"x: supercategory: .* got a < b < c < a") as error:
        classes_of(loop, "x", level=3)
    assert error.value.slug == "data/category-loop"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({1: 0, 2: 2}, "classes counted from 0 without a gap, got no category for 1"),
        ({1: 1, 2: 2}, "classes counted from 0 without a gap, got no category for 0"),
        ({1: -1, 2: 0}, "classes counted from 0 without a gap, got -1"),
        ({1: 0, 2: "cat"}, "expected only names or only numbers of classes, got both"),
        ({99: 0}, "expected categories of the file, got 99\n.*it has 1 .lakeland., 2"),
        ({"siamees": 0}, "expected categories of the file, got 'siamees'\n.*did you mean 'siam"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(given, said):
    with pytest.raises(DataError, match=f"x: category_map: .*{said}") as error:
        classes_of(BREEDS, "x", given=given)
    assert error.value.slug == "data/category-map"


def test_two_categories_with_one_name_need_a_map():
    twice = [Category(1, "cat"), Category(5, "cat")]
    with pytest.raises(DataError, match="expected each name once, got 'cat' with the ids 1 and 5"):
        classes_of(twice, "x")
    assert classes_of(twice, "x", given={"cat": 0}).of_category == {1: 0, 5: 0}
    assert classes_of(twice, "x", given={1: "tame", 5: "wild"}).names == ("tame", "wild")


def test_categories_with_one_name_each_climb_to_their_own():
    others = [Category(1, "other", "animal"), Category(2, "other", "vehicle")]
    assert classes_of(others, "x", level=1).of_category == {1: 0, 2: 1}


def test_a_name_in_the_middle_that_lies_below_two_others_is_refused():
    middle = [Category(1, "cat", "other"), Category(2, "other", "a"), Category(3, "other", "b")]
    said = "supercategory: expected one above 'other', got 'a' and 'b'"
    with pytest.raises(DataError, match=said) as error:
        classes_of(middle, "x", level=2)
    assert error.value.slug == "data/category-map"


def test_a_map_that_names_a_category_twice_has_to_mean_the_same():
    said = r"one class for the category 1 \(lakeland\), got 0 by '1' and 1 by 'lakeland'"
    with pytest.raises(DataError, match=said) as error:
        classes_of(BREEDS, "x", given={"1": 0, "lakeland": 1})
    assert error.value.slug == "data/category-map"
    assert classes_of(BREEDS, "x", given={"1": 0, "lakeland": 0, 4: 1}).of_category == {1: 0, 4: 1}


def test_twenty_thousand_categories_take_no_time():
    many = [Category(k, f"c{k}", f"s{k // 2}") for k in range(20_000)]
    start = time.process_time()
    assert len(classes_of(many, "x", level=1).names) == 10_000
    assert len(classes_of(many, "x", given={str(k): k // 2 for k in range(20_000)}).names) == 10_000
    assert time.process_time() - start < 3  # seconds; comparing each with each took 100


def test_a_map_is_read_from_a_file(tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"1": 0, "siamese": 1}))
    assert read_map(path) == {"1": 0, "siamese": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected a category map in JSON, got a file that is not JSON"),
        ("[1]", r"expected a mapping from categories to classes, got \[1\]"),
        ('{"1": true}', "'1': expected a class by its name or number, got True"),
        ('{"1": ""}', "'1': expected a class by its name or number, got ''"),
    ],
)
def test_a_file_that_is_no_map_is_refused(tmp_path, text, said):
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(DataError, match=said) as error:
        read_map(path)
    assert error.value.slug == "data/category-map"


@pytest.mark.parametrize("number", [3, 10**15, 10**300])
def test_a_gap_is_told_at_once_however_far_it_goes(number):
    with pytest.raises(DataError, match="counted from 0 without a gap, got no category for 1"):
        classes_of(BREEDS, "x", given={1: 0, 2: number})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"1": 0, "2": 1, "1": 1}', "map.json: expected each category once, got '1' twice"),
        ('{"1": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON: maximum recursion depth"),
        ('{"1": " "}', "'1': expected a class by its name or number, got ' '"),
        ('{"1": "\\ud800"}', "'1': expected a class by its name or number"),
    ],
)
def test_a_map_that_says_too_much_or_nothing_is_refused(text, message, tmp_path):
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(DataError, match=message) as error:
        read_map(tmp_path / "map.json")
    assert error.value.slug == "data/category-map"
