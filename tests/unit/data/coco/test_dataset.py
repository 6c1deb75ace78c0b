"""A COCO file is a Python data set with Abyss's methods."""

from itertools import islice

import numpy as np
import pytest

from fivefold.core.errors import DataError
from fivefold.data.coco import (
    AnnotationTranslator,
    CategoryTranslator,
    ImageClassificationDataset,
)
from fivefold.data.datasets import source_of

CATS_AND_DOGS = {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1, "6": 1}


@pytest.fixture
def dataset(write):
    path = write([(0, 1), (0, 5), (1, 4), (2, 2)])
    translator = CategoryTranslator(mapping=CATS_AND_DOGS)
    return ImageClassificationDataset(path, translator=translator)


def test_a_sample_is_an_image_and_its_target(dataset):
    image, target = dataset.sample()
    assert image.shape == (20, 30, 3)
    assert target <= {0, 1}
    assert dataset.sample(image_id=0)[1] == {0, 1}
    assert dataset.sample(image_id=3)[1] == set()


def test_classes_are_the_distinct_values_of_the_map(dataset):
    assert dataset.num_classes == 2
    assert [source_of(dataset).target(i).tolist() for i in range(4)] == [
        [1, 1],
        [0, 1],
        [1, 0],
        [0, 0],
    ]


def test_a_generator_passes_once_or_for_ever(dataset):
    assert [target for _, target in dataset.generator()] == [{0, 1}, {1}, {0}, set()]
    drawn = [
        image.tobytes()
        for image, _ in islice(dataset.generator(shuffle_ids=True, endless=True), 400)
    ]
    passes = [tuple(drawn[k : k + 4]) for k in range(0, 400, 4)]
    assert all(len(set(one)) == 4 for one in passes)
    assert len(set(passes)) > 10


def test_the_same_seed_draws_the_same_samples(write):
    path = write([(0, 1), (1, 4)])
    one, two = (ImageClassificationDataset(path) for _ in range(2))
    assert all(np.array_equal(one.sample()[0], two.sample()[0]) for _ in range(10))


def test_without_a_translator_labels_are_names_of_categories(write):
    dataset = ImageClassificationDataset(write([(0, 1), (1, 4)]))
    assert dataset.class_names == ("lakeland_terrier", "persian")
    assert dataset.load_targets(1) == {"persian"}


def test_some_images_can_be_chosen(write):
    dataset = ImageClassificationDataset(write([(0, 1), (1, 4)]), data_ids=[1, 0])
    assert len(dataset) == 2
    with pytest.raises(DataError, match="expected the id of one of 2 images, got 3") as error:
        dataset.sample(3)
    assert error.value.slug == "data/unknown-id"
    with pytest.raises(DataError, match="data_ids: expected ids of its images, got 77"):
        ImageClassificationDataset(write([(0, 1)]), data_ids=[77])


def test_own_translators_see_everything_that_the_file_says(write):
    class ByWeather(AnnotationTranslator):
        def filter(self, annotation):
            return "weather" in annotation

        def translate(self, annotation):
            return [annotation["weather"]]

    entries = [{"image_id": k, "category_id": 1, "weather": w} for k, w in enumerate("abab")]
    dataset = ImageClassificationDataset(write(entries), ByWeather())
    assert dataset.class_names == ("a", "b")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({1: 0, 4: "cat"}, "expected the translator to give names, or numbers .* got 'cat' and 0"),
        ({1: -1, 4: 1}, "got -1 to 1"),
        ({}, "got none at all"),
    ],
)
def test_a_translator_that_gives_no_classes_is_told(write, mapping, said):
    with pytest.raises(DataError, match=said):
        ImageClassificationDataset(write([(0, 1), (1, 4)]), CategoryTranslator(mapping))
