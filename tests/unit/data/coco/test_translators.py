"""Each translator keeps and gives what Abyss's one of the same name did."""

import pytest

from fivefold.core.errors import DataError
from fivefold.data.coco import (
    AbyssCaptionTranslator,
    AnnotationTranslator,
    CaptionMapTranslator,
    CategoryTranslator,
    CocoCaptionTranslator,
    HotTranslator,
    MultipleTranslators,
)

CAPTION = {"image_id": 1, "caption": "crack, root , ", "type": "class_labels"}
CATEGORY = {"image_id": 1, "category_id": 4}


def test_the_plain_one_keeps_and_gives_everything():
    assert AnnotationTranslator().filter(CATEGORY)
    assert AnnotationTranslator().translate(CATEGORY) is CATEGORY


def test_a_caption_is_one_label_or_several():
    assert CocoCaptionTranslator().translate({"caption": "a cat, here"}) == ["a cat, here"]
    assert CocoCaptionTranslator(",").translate(CAPTION) == ["crack", "root"]
    assert not CocoCaptionTranslator().filter(CATEGORY)


def test_only_captions_that_say_so_are_labels_for_abyss():
    assert AbyssCaptionTranslator().filter(CAPTION)
    assert not AbyssCaptionTranslator().filter({"caption": "crack"})
    assert not AbyssCaptionTranslator().filter(CAPTION | {"type": "remark"})
    assert AbyssCaptionTranslator().translate(CAPTION) == ["crack", "root"]


def test_captions_are_mapped_from_any_field():
    translator = CaptionMapTranslator({"crack": 1, "root": 1}, filter_by="fault")
    assert not translator.filter(CAPTION)
    assert translator.filter({"fault": "crack"})
    assert translator.translate({"fault": "crack,root"}) == [1, 1]


def test_a_caption_that_is_not_in_the_map_is_named():
    translator = CaptionMapTranslator({"crack": 1})
    with pytest.raises(DataError, match=r"expected captions of the map, got 'crak'\n.*'crack'\?"):
        translator.translate({"caption": "crak"})


def test_categories_are_mapped_by_ids_as_texts_or_numbers():
    for key in ("4", 4):
        translator = CategoryTranslator(mapping={key: 1})
        assert translator.filter(CATEGORY)
        assert translator.translate(CATEGORY) == [1]
        assert not translator.filter({"category_id": 5})
        assert not translator.filter({"caption": "x"})


def test_numbers_become_a_vector():
    assert HotTranslator(4).translate([0, 2]).tolist() == [1, 0, 1, 0]
    with pytest.raises(DataError, match="expected classes from 0 to 3, got 4") as error:
        HotTranslator(4).translate([4])
    assert error.value.slug == "data/unmapped-caption"


def test_translators_are_chained():
    chain = MultipleTranslators([CategoryTranslator({4: 1}), HotTranslator(3)])
    assert chain.filter(CATEGORY)
    assert not chain.filter({"category_id": 9})
    assert chain.translate(CATEGORY).tolist() == [0, 1, 0]
