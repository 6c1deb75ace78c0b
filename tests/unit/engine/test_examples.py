import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as Pillow

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.engine.examples import (
    decided,
    draw_examples,
    mistake_confidence,
    pick_examples,
    steady_examples,
    surest_mistakes,
    worst_answers,
)

GREEN, RED, GREY = (26, 127, 90), (200, 55, 45), (138, 138, 142)


def predictions(probs, targets, *heads):
    heads = heads or (Head("", "softmax", ("a", "b", "c")),)
    return Predictions(
        ids=tuple(f"s{i:03}" for i in range(len(probs))),
        probs=np.array(probs, dtype=np.float32),
        heads=heads,
        targets=None if targets is None else np.array(targets, dtype=np.float32),
    )


def random_predictions(count=60, classes=5, seed=0):
    rng = np.random.default_rng(seed)
    head = Head("", "softmax", tuple(f"class {i}" for i in range(classes)))
    probs = rng.dirichlet(np.ones(classes), count)
    return predictions(probs, np.eye(classes)[rng.integers(0, classes, count)], head)


def opened(png):
    return Pillow.open(io.BytesIO(png))


def grey_image(height=20, width=30, channels=3):
    return np.full((height, width, channels), 128, dtype=np.uint8)


def test_the_worst_answer_is_named_among_all_heads_columns():
    heads = (Head("a", "softmax", ("x", "y")), Head("b", "sigmoid", ("p", "q")))
    probs = [[0.6, 0.4, 0.1, 0.9], [0.3, 0.7, 0.8, 0.2], [0.9, 0.1, 0.2, 0.7], [1, 0, 0.4, 0.1]]
    truth = [[0, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0]]
    sure, columns = worst_answers(predictions(probs, truth, *heads))
    assert columns.tolist() == [3, 1, -1, 2]  # of the last one p was left out
    assert sure == pytest.approx([0.9, 0.7, 0, 0.6])


def test_confidence_is_that_of_the_wrong_answer():
    sample = predictions([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], [[1, 0, 0], [0, 0, 1]])
    assert mistake_confidence(sample) == pytest.approx([0, 0.6])


def test_a_label_left_out_counts_as_sure_as_it_was_denied():
    head = Head("", "sigmoid", ("cat", "dog"))
    sample = predictions([[0.9, 0.1], [0.6, 0.2], [0.9, 0.9]], [[1, 1], [0, 0], [1, 1]], head)
    assert mistake_confidence(sample) == pytest.approx([0.9, 0.6, 0])


def test_a_mistake_is_one_whatever_number_it_has():
    heads = (Head("", "linear", ("a", "b")),)
    probs, targets = np.array([[-2, -1]], np.float32), np.array([[1, 0]], np.float32)
    found = Predictions(("x",), probs, heads, targets)
    assert mistake_confidence(found)[0] > 0
    assert surest_mistakes(found, 1).tolist() == [0]


def test_one_wrong_head_makes_the_sample_wrong():
    heads = Head("x", "softmax", ("a", "b")), Head("y", "sigmoid", ("c",))
    sample = predictions([[0.8, 0.2, 0.4], [0.8, 0.2, 0.9]], [[1, 0, 1], [1, 0, 1]], *heads)
    assert mistake_confidence(sample) == pytest.approx([0.6, 0])


def test_labels_are_decided_as_scikit_learn_would():
    sample = random_predictions()
    assert (decided(sample).argmax(axis=1) == sample.probs.argmax(axis=1)).all()
    assert (decided(sample).sum(axis=1) == 1).all()


def test_half_of_the_picked_are_the_worst_mistakes():
    sample = random_predictions()
    confidence = mistake_confidence(sample)
    picked = pick_examples(sample, 16)
    assert len(set(picked.tolist())) == 16
    assert confidence[picked[:8]] == pytest.approx(np.sort(confidence)[::-1][:8])


def test_the_other_half_shows_every_class():
    sample = random_predictions()
    rest = pick_examples(sample, 16)[8:]
    assert set(sample.targets[rest].argmax(axis=1)) == set(range(5))


def test_with_more_classes_than_room_they_are_spread_evenly():
    probs = np.eye(60)
    head = Head("", "softmax", tuple(map(str, range(60))))
    assert pick_examples(predictions(probs, probs, head), 6).tolist() == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize("limit", [0, 1, 7, 60, 100])
def test_never_more_than_there_are(limit):
    assert len(pick_examples(random_predictions(), limit)) == min(limit, 60)


def test_the_order_of_the_samples_does_not_matter():
    sample = random_predictions()
    shuffled = sample.take(np.random.default_rng(1).permutation(60))
    ids = [sample.ids[i] for i in pick_examples(sample)]
    assert [shuffled.ids[i] for i in pick_examples(shuffled)] == ids


def test_picking_needs_the_truth():
    with pytest.raises(DataError, match="expected targets, got none"):
        pick_examples(predictions([[1, 0, 0]], None))


def test_frames_tell_right_from_wrong():
    sample = predictions([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], [[1, 0, 0], [0, 0, 1]])
    sheet = opened(draw_examples([grey_image()] * 2, sample))
    assert sheet.getpixel((118, 18)) == GREEN
    assert sheet.getpixel((118 + 220, 18)) == RED


def test_unknown_truth_has_a_grey_frame():
    sheet = opened(draw_examples([grey_image()], predictions([[1, 0, 0]], None)))
    assert sheet.getpixel((118, 18)) == GREY


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [(8, 8), (1, 3000), (3000, 1), (224, 300)])
def test_any_number_of_channels_and_any_size(channels, size):
    sample = predictions([[0.7, 0.2, 0.1]], [[1, 0, 0]])
    sheet = opened(draw_examples([grey_image(*size, channels)], sample))
    assert sheet.mode == "RGB"
    assert sheet.getpixel((16 + 102, 16 + 102)) == (128, 128, 128)


def test_the_same_input_gives_the_same_bytes():
    sample = random_predictions(20)
    images = [np.full((9, 9, 3), 10 * i, dtype=np.uint8) for i in range(20)]
    assert draw_examples(images, sample) == draw_examples(images, sample)


def test_the_grid_has_the_columns_that_were_asked_for():
    sample, images = random_predictions(20), [grey_image()] * 20
    narrow = opened(draw_examples(images, sample, columns=2, limit=6))
    wide = opened(draw_examples(images, sample, columns=3, limit=6))
    assert (wide.width - narrow.width, narrow.height > wide.height) == (220, True)


@pytest.mark.parametrize(
    "name", ["é ß ü", "中文", "a\nb\0", "\udcff", "x" * 5000, "", "Wort " * 40, "עברית"]
)
def test_any_class_name_can_be_drawn(name):
    for activation in ("softmax", "sigmoid"):
        head = Head(name, activation, (name, "b", "c", "d", "e"))
        sample = predictions([[0.9] * 5], [[1, 0, 0, 0, 0]], head)
        one = opened(draw_examples([grey_image()], sample))
        two = predictions(
            [[0.9] * 5 + [0.2] * 5], [[1] * 10], head, Head("2", "softmax", ("e",) * 5)
        )
        assert one.width == opened(draw_examples([grey_image()], two)).width


def test_accents_are_not_drawn_as_boxes():
    def drawn(name):
        head = Head("", "softmax", (name, "b"))
        return draw_examples([grey_image()], predictions([[1, 0]], [[1, 0]], head))

    assert len({drawn(name) for name in "éßüЖλ\ue000"}) == 6


def test_the_id_is_under_the_picture():
    def drawn(sample_id):
        sample = predictions([[0.7, 0.2, 0.1]], [[1, 0, 0]])
        object.__setattr__(sample, "ids", (sample_id,))
        return np.array(opened(draw_examples([grey_image()], sample)))

    one, other = drawn("a/1.png"), drawn("b/2.png")
    changed = np.flatnonzero((one != other).any(axis=(1, 2)))
    assert changed.min() > 16 + 204 + 4 + 2 * 19
    assert changed.max() < len(one)
    for odd in ("", "a\nb", "\udcff" * 900, "x" * 5000):
        assert drawn(odd).shape == one.shape


def test_several_labels_take_two_lines_where_they_need_them():
    head = Head("", "sigmoid", ("enormous", "cornflower blue", "perfectly round"))
    short = predictions([[0.9, 0.1, 0.1]], [[1, 0, 0]], head)
    long = predictions([[0.9, 0.8, 0.7]], [[1, 1, 1]], head)
    heights = [opened(draw_examples([grey_image()], sample)).height for sample in (short, long)]
    assert heights[1] - heights[0] == 2 * 19


def test_images_must_match_the_predictions():
    with pytest.raises(DataError, match="got 1 images and 20 predictions") as error:
        draw_examples([grey_image()], random_predictions(20))
    assert error.value.slug == "data/no-examples"


def test_neither_torch_nor_matplotlib_is_loaded():
    code = (
        "import sys; import fivefold.engine.examples as e; e.font();"
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_surest_mistakes_are_those_of_a_sort():
    sample = random_predictions()
    confidence = mistake_confidence(sample)
    wrong = [i for i in range(len(sample)) if confidence[i] > 0]
    expected = sorted(wrong, key=lambda i: (-confidence[i], sample.ids[i]))
    assert surest_mistakes(sample, 10).tolist() == expected[:10]
    assert surest_mistakes(sample, 1000).tolist() == expected


def test_steady_examples_do_not_depend_on_what_was_predicted():
    first, second = random_predictions(), random_predictions()
    other = predictions(np.roll(second.probs, 1, axis=1), first.targets, first.heads[0])
    chosen = steady_examples(first, 10)
    assert chosen.tolist() == steady_examples(other, 10).tolist()
    assert set(first.targets[chosen].argmax(axis=1)) == set(range(5))
