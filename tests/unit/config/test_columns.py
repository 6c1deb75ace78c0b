from hypothesis import given
from hypothesis import strategies as st

from fivefold.config import ABSENT, canonical_keys, diff, differing, parse


def test_only_keys_that_differ_have_a_column():
    assert differing([{"lr": 0.1, "batch": 4}, {"lr": 0.2, "batch": 4}]) == {"lr": [0.1, 0.2]}


def test_nested_keys_are_dotted_and_stages_counted():
    first = {"stages": [{"epochs": 1}, {"epochs": 2, "lr": 0.1}]}
    second = {"stages": [{"epochs": 1}, {"epochs": 3, "lr": 0.1}]}
    assert differing([first, second]) == {"stages.1.epochs": [2, 3]}


def test_a_default_that_is_written_out_is_no_difference():
    assert differing([{"batch": 16, "shape": [224, 224, 3]}, {}]) == {}
    assert differing([{"batch": 32}, {}]) == {"batch": [32, 16]}


def test_what_has_no_default_is_absent():
    assert differing([{"architecture": "ResNet18"}, {}]) == {"architecture": ["ResNet18", ABSENT]}


def test_augmenters_go_by_name_in_a_mapping_and_in_a_list():
    mapping = {"augmentation": {"Fliplr": 0.5, "Affine": {"rotate": [-10, 10]}}}
    as_list = {"augmentation": [{"Fliplr": 0.5}, {"Affine": {"rotate": [-20, 20]}}]}
    assert differing([mapping, as_list]) == {"augmentation.Affine.rotate": [[-10, 10], [-20, 20]]}


def test_another_order_of_augmenters_is_a_difference():
    first = {"augmentation": [{"Fliplr": 0.5}, {"Crop": 3}]}
    second = {"augmentation": [{"Crop": 3}, {"Fliplr": 0.5}]}
    assert differing([first, second]) == {
        "augmentation (order)": [["Fliplr", "Crop"], ["Crop", "Fliplr"]]
    }


def test_an_augmenter_that_appears_twice_is_told_apart():
    first = {"augmentation": [{"Fliplr": 0.5}, {"Fliplr": 0.1}]}
    second = {"augmentation": [{"Fliplr": 0.5}, {"Fliplr": 0.2}]}
    assert differing([first, second]) == {"augmentation.Fliplr#2": [0.1, 0.2]}


def test_one_and_true_are_two_values_and_one_and_one_point_zero_are_one():
    assert differing([{"x": 1}, {"x": True}]) == {"x": [1, True]}
    assert differing([{"x": 1}, {"x": 1.0}]) == {}
    assert differing([{"x": None}, {"x": False}]) == {"x": [None, False]}


def test_synonyms_are_renamed_also_in_stages():
    found = canonical_keys({"folds": 3, "stages": [{"batch_size": 4, "epochs": 1}]})
    assert found == {"folds_count": 3, "stages": [{"batch": 4, "epochs": 1}]}


VALUES = st.sampled_from(["1", "2", "true", "adam", "[1, 2]", "{a: 1}", "{a: 2, b: 3}"])
CONFIGS = st.dictionaries(st.sampled_from(["x", "y", "z"]), VALUES)


@given(CONFIGS, CONFIGS)
def test_two_configs_have_a_column_exactly_where_they_differ(first, second):
    """Agrees with `diff`, which compares two, on keys that have no default."""
    texts = ["".join(f"{k}: {v}\n" for k, v in c.items()) or "{}" for c in (first, second)]
    from fivefold.config.document import read
    from fivefold.config.nodes import plain

    one, two = (plain(read(text, "x")[0]) for text in texts)
    changed = {change.key.partition(".")[0] for change in diff(one, two)}
    assert {key.partition(".")[0] for key in differing([one, two])} == changed


def test_a_real_config_compared_with_itself_has_no_column():
    config = parse("architecture: ResNet18\nstages: [{epochs: 1}]\naugmentation: {Fliplr: 0.5}\n")
    assert differing([config.as_mapping()] * 3) == {}
