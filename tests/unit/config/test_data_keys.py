import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError


def test_a_chain_is_a_name_a_list_or_a_mapping():
    assert parse("preprocessing: rescale").preprocessing == (("rescale", None),)
    assert parse("preprocessing: {crop: {size: 3}}").preprocessing == (("crop", {"size": 3}),)
    assert parse("preprocessing: [a, b: 2]").preprocessing == (("a", None), ("b", 2))
    assert parse("preprocessing:").preprocessing == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("preprocessing: [1]", "preprocessing: expected a mapping of names, or a list of names"),
        ("dataset_augmenter: {k: 1}", "dataset_augmenter: expected a mapping with a `name`"),
        ("extra_train_data: {foldr: a}", "extra_train_data.foldr: unknown key"),
        ("extra_train_data: {}", "extra_train_data: expected exactly one of the keys"),
        ("extra_train_data: 3", "extra_train_data: expected"),
    ],
)
def test_what_is_none_of_them_is_refused_with_its_place(text, message):
    with pytest.raises(ConfigError, match=r"config\.yaml:1:") as error:
        parse(text)
    assert message in str(error.value)


def test_declarations_that_nothing_names_are_told(caplog):
    parse("preprocessing: a\ndeclarations: {a: [b: 2], b: [{f: 1}], net: [dense: 3], c: []}")
    (told,) = [record.getMessage() for record in caplog.records]
    assert "declarations: has no effect: `preprocessing` names no c, net;" in told


def test_shards_have_keys_of_their_own_and_one_output():
    config = parse("dataset: {shards: 'a-{0..9}.tar', label_column: species, separator: ;}")
    assert (config.dataset.kind, config.dataset.label_column) == ("shards", "species")
    with pytest.raises(ConfigError, match="expected one name in label_column with 'shards'"):
        parse("dataset: {shards: a.tar, label_column: [a, b]}")
    with pytest.raises(ConfigError, match="only keys that go with 'shards', not images"):
        parse("dataset: {shards: a.tar, images: photos}")


def test_data_sets_of_the_hub_have_keys_of_their_own():
    section = parse("dataset: {hub: user/flowers, split: test, streamed: true}").dataset
    assert (section.kind, section.split, section.streamed) == ("hub", "test", True)
    with pytest.raises(ConfigError, match="only keys that go with 'folder', not split"):
        parse("dataset: {folder: photos, split: test}")


@pytest.mark.parametrize("kind", ["folder: a", "csv: a.csv", "coco: a.json", "python: 'a.py:A'"])
def test_corrections_go_with_every_kind_of_data(kind):
    assert parse(f"dataset: {{{kind}, corrections: fixes.csv}}").dataset.corrections == "fixes.csv"
