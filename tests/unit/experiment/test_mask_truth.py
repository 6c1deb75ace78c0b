import numpy as np
import pytest
from masked import Masked
from shapes import draw_folders, draw_masks

from fivefold.config import parse
from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind
from fivefold.core.types import Head
from fivefold.data import FolderSource, Labels
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.engine import whole_maps
from fivefold.engine.whole_maps import whole_map
from fivefold.experiment.mask_rules import USUAL_RULE
from fivefold.experiment.mask_truth import assess_new_masks, check_known_masks
from fivefold.experiment.new_truth import open_labelled
from fivefold.experiment.predicted_masks import PredictedMask

GROUNDS = Head("", "softmax", ("class 0", "class 1", "class 2"))
PLANES = Head("", "sigmoid", ("class 0", "class 1"))
PIXEL = np.zeros((1, 1, 3), np.uint8)


class Predicted:
    """What models say of a source, at twice the size of their network."""

    def __init__(self, source, head, *, size=None):
        self.source, self.head = source, head
        self.size = size or source.size

    def __iter__(self):
        rng = np.random.default_rng(0)
        for sample_id in self.source.sample_ids:
            small = (self.head.num_classes, self.size[0] // 2, self.size[1] // 2)
            maps = rng.random(small, dtype=np.float32)
            if self.head.activation == "softmax":
                maps /= maps.sum(axis=0)
            yield PredictedMask(sample_id, PIXEL, whole_map(maps, self.size), self.head, USUAL_RULE)


@pytest.mark.parametrize("head", [GROUNDS, PLANES], ids=["exclusive", "planes"])
@pytest.mark.parametrize("strip", [48, 1 << 20], ids=["rows", "whole"])
def test_masks_are_measured_at_the_size_of_their_images(head, strip, monkeypatch):
    monkeypatch.setattr(whole_maps, "_STRIP", strip)
    exclusive = head.activation == "softmax"
    source = Masked(4, exclusive=exclusive, classes=head.num_classes)
    predicted = Predicted(source, head)
    assessed = assess_new_masks(predicted, source, 0)
    hits = said = true = 0
    for i, one in enumerate(predicted):
        mask = one.mask == 1 if not exclusive else one.mask == np.arange(3)
        truth = source.drawn(i) == (np.arange(3) if exclusive else 1)
        hits, said = hits + (mask & truth).sum(axis=(0, 1)), said + mask.sum(axis=(0, 1))
        true += truth.sum(axis=(0, 1))
    found = [own.numbers["iou"].value for own in assessed.classes]
    np.testing.assert_allclose(found, hits / (said + true - hits))
    assert assessed.pixels == 4 * 12 * 16


def test_classes_in_another_order_come_into_the_columns_of_the_model():
    class Turned(Masked):
        def __init__(self):
            super().__init__(3)
            self.labels = (Labels("", ("class 2", "class 0"), exclusive=False),)

        def drawn(self, i):
            return (super().drawn(i) == 1).astype(np.uint8)

    numbers = check_known_masks(GROUNDS, Turned())
    assert numbers.tolist() == [2, 0]
    source = Turned()
    assessed = assess_new_masks(Predicted(source, GROUNDS), source, 0)
    ones = sum(int((source.drawn(i) == 1).sum()) for i in range(3))
    assert [own.pixels for own in assessed.classes] == [ones, 0, 3 * 12 * 16 - ones]


def test_the_only_class_may_have_another_name():
    source = Masked(1, exclusive=False, classes=1)
    assert check_known_masks(Head("", "sigmoid", ("ship",)), source).tolist() == [0]


def test_classes_that_no_model_knows_are_an_error():
    with pytest.raises(DataError, match=r"only classes that the model knows, 'class 0', 'class 1'"):
        check_known_masks(PLANES, Masked(1, exclusive=False, classes=3))


def test_masks_of_another_kind_are_an_error():
    with pytest.raises(DataError, match=r"masks of a plane for each class, as trained on, got one"):
        check_known_masks(PLANES, Masked(1, classes=2))


def test_images_without_masks_are_an_error(tmp_path):
    source = FolderSource(draw_folders(tmp_path / "photos", 1))
    with pytest.raises(DataError, match=r"expected images with masks, got none with a mask"):
        check_known_masks(PLANES, source)


def test_masks_of_another_size_than_their_images_are_named():
    source = Masked(1)
    with pytest.raises(DataError, match=r"n000: expected a mask of 24 x 32 pixels, as its image"):
        assess_new_masks(Predicted(source, GROUNDS, size=(24, 32)), source, 0)


def test_masks_that_cannot_be_read_are_named():
    class Broken(Masked):
        def mask(self, i):
            raise ImageProblem(Reason.MASK_VALUES, "value 9 is no class")

    source = Broken(1)
    with pytest.raises(DataError, match=r"n000: expected a mask, got mask_values: value 9 is no"):
        assess_new_masks(Predicted(source, GROUNDS), source, 0)


CONFIG = "architecture: Unet\nbackbone: resnet18\ndataset: {images: old/train, masks: old/masks}\n"


def test_new_images_lie_in_folders_named_as_those_of_training(tmp_path):
    draw_masks(tmp_path / "new", 3, names=("train", "masks"))
    source = open_labelled(parse(CONFIG), tmp_path / "new")
    assert source.masks == MaskKind(1, exclusive=False)
    assert len(source) == 3


def test_a_folder_that_is_missing_is_named(tmp_path):
    draw_masks(tmp_path / "new", 3, names=("train", "truth"))
    with pytest.raises(DataError, match=r"new: expected a folder 'masks' of masks in it, as tr"):
        open_labelled(parse(CONFIG), tmp_path / "new")
