import numpy as np
import pytest
from scipy import ndimage

from fivefold.core.errors import DataError
from fivefold.core.maps import Maps, MapWriter, Packed
from fivefold.core.progress import Silent
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Head
from fivefold.evaluation.mask_answers import mask_of
from fivefold.evaluation.mask_search import MaskCut, each_map, search

ONE = Head("", "sigmoid", ("cell",))
TWO = Head("", "sigmoid", ("vessel", "lesion"))
THREE = Head("", "softmax", ("ground", "cell", "nucleus"))


def drawn(seed, head, shift=0.0, size=(24, 30)):
    """Draw a map and the truth that belongs to it; the map says `shift` too little."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.random((*size, head.num_classes)), (2, 2, 0))
    noise = (noise - noise.min()) / (noise.max() - noise.min())
    blurred = noise + rng.normal(0, 0.08, noise.shape) - shift
    level = (blurred.clip(0, 1) * 255).astype(np.uint8)
    if head.activation == "softmax":
        return level, noise.argmax(axis=-1)[..., None].astype(np.uint8)
    return level, (noise > 0.55).astype(np.uint8)


def folds(tmp_path, head=TWO, count=3, each=4, shifts=(0.1, 0.15, 0.2), truth=True):
    found = []
    for fold in range(count):
        path = tmp_path / f"{fold}.maps"
        with MapWriter(path, head, fold, 0) as writer:
            for i in range(each):
                level, mask = drawn(100 * fold + i, head, shifts[fold])
                writer.add(f"{fold}-{i}", Packed.of(level, mask if truth else None))
            writer.commit()
        found.append(Maps(path))
    return found


def dice(maps, cut, head, k):
    hits = total = 0
    for own in maps:
        for _, level, truth in own.pairs():
            said = mask_of(level, head, cut.thresholds, cut.areas)
            if head.activation == "softmax":
                shown, true = said[..., 0] == k, truth[..., 0] == k
            else:
                shown, true = said[..., k] == 1, truth[..., k] == 1
            hits, total = hits + (shown & true).sum(), total + shown.sum() + true.sum()
    return 2 * hits / total


def test_nothing_is_searched_for_where_numbers_are_given(tmp_path):
    found = search(folds(tmp_path), ThresholdAim.of(0.3), 7, Silent())
    assert found.cut == MaskCut((0.3, 0.3), (7, 7))
    assert found.without == ()


def test_thresholds_mend_maps_that_say_too_little(tmp_path):
    maps = folds(tmp_path)
    found = search(maps, ThresholdAim.of("dice"), 0, Silent())
    for k in range(2):
        assert found.cut.thresholds[k] < 0.5
        assert dice(maps, found.cut, TWO, k) > dice(maps, MaskCut((0.5, 0.5)), TWO, k)
    assert found.cut.areas == ()


def test_each_fold_has_what_is_chosen_on_the_others(tmp_path):
    maps = folds(tmp_path)
    aim = ThresholdAim.of("dice")
    found = search(maps, aim, "auto", Silent())
    for fold, cut in enumerate(found.without):
        others = [own for i, own in enumerate(maps) if i != fold]
        assert cut == search(others, aim, "auto", Silent()).cut
    assert len({cut.thresholds for cut in found.without}) > 1


def test_one_fold_alone_leaves_no_others(tmp_path):
    assert search(folds(tmp_path, count=1), ThresholdAim.of("dice"), 0, Silent()).without == ()


@pytest.mark.parametrize("head", [TWO, THREE], ids=["planes", "exclusive"])
def test_no_area_has_a_higher_dice(tmp_path, head):
    maps = folds(tmp_path, head)
    aim = ThresholdAim.of("dice") if head is TWO else ThresholdAim()
    cut = search(maps, aim, "auto", Silent()).cut
    assert max(cut.areas) > 0
    for k in range(head.num_classes):
        if head is THREE and k == 0:
            assert cut.areas[k] == 0
            continue
        for other in (0, 2, 5, 10, 20, 50):
            # the areas of other classes as they are: exclusive ones become the first class alone
            areas = tuple(other if j == k else area for j, area in enumerate(cut.areas))
            changed = MaskCut(cut.thresholds, areas)
            assert dice(maps, cut, head, k) >= dice(maps, changed, head, k)


def test_exclusive_classes_need_no_thresholds_and_say_so(tmp_path):
    found = search(folds(tmp_path, THREE), ThresholdAim.of("dice"), 5, Silent())
    assert found.cut == MaskCut((), (0, 5, 5))
    assert "its most probable class is the answer" in found.remarks[0]
    assert found.without == ()


def test_maps_without_truth_are_an_error(tmp_path):
    maps = folds(tmp_path, truth=False)
    with pytest.raises(DataError, match=r"0\.maps: 0-0: expected a true mask beside the map"):
        search(maps, ThresholdAim.of("dice"), 0, Silent())


def test_no_maps_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"masks: expected at least 1 map to choose on, got 0"):
        search(folds(tmp_path, each=0), ThresholdAim.of("dice"), 0, Silent())


def test_maps_come_in_order_and_move_the_bar(tmp_path):
    class Counts(Silent):
        steps = 0

        def bar(self, description, total):
            self.told = description, total
            return super().bar(description, total)

    watcher = Counts()
    found = [n for n, _ in each_map(folds(tmp_path), lambda *_: None, watcher, "thresholds")]
    assert found == [0] * 4 + [1] * 4 + [2] * 4
    assert watcher.told == ("thresholds", 12)


def test_an_empty_fold_is_passed_over(tmp_path):
    maps = [*folds(tmp_path, count=2), *folds(tmp_path / "more", count=1, each=0)]
    found = search(maps, ThresholdAim.of("image_dice"), "auto", Silent())
    assert found.without[2] == found.cut
