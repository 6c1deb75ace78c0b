import io

import numpy as np
import pytest
from fake_run import fake_predictions
from PIL import Image
from sklearn.metrics import multilabel_confusion_matrix
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head
from fivefold.engine.callbacks import Control, StageInfo, TensorBoard, Validation, callbacks
from fivefold.engine.examples import draw_examples, surest_mistakes

ANIMALS = Head("", "softmax", ("cat", "dog", "cow"))
EVERYTHING = {"scalars": 0, "images": 0, "tensors": 0}


def validated(heads=(ANIMALS,), count=40, seed=0):
    """Make predictions with mistakes, and images for them."""
    rng = np.random.default_rng(seed)
    found = fake_predictions(rng.integers(0, 3, count), heads, seed, noise=3)
    picture = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)

    def draw(limit):
        rows = surest_mistakes(found, limit)
        return draw_examples([picture] * len(rows), found.take(rows)) if len(rows) else b""

    return Validation(found, draw_mistakes=draw, images=100, seconds=2.0)


def written(root, epochs, first_epoch=0, heads=(ANIMALS,), **options):
    """Go through epochs of a stage that was to have ten."""
    callback = TensorBoard(**options)
    callback.on_stage_start(StageInfo(0, 1, root, first_epoch, epochs=10))
    for epoch in epochs:
        callback.on_validation(epoch, validated(heads, seed=epoch))
        callback.on_epoch_end(epoch, {"val_loss": float(epoch), "lr": 0.1}, Control(0.1))
    callback.on_stage_end()


def events(root, place="0.1"):
    found = EventAccumulator(str(root / "logs" / place), size_guidance=EVERYTHING)
    found.Reload()
    return found


def steps(found, tag):
    """Give the steps of a tag; files of one second have no order among each other."""
    tags = found.Tags()
    for kind, read in (("scalars", found.Scalars), ("images", found.Images)):
        if tag in tags[kind]:
            return sorted(event.step for event in read(tag))
    return sorted(event.step for event in found.Tensors(tag))


def test_tensorboard_gets_every_number_once_after_a_resume(tmp_path):
    for first_epoch, epochs in ((0, (0, 1, 2)), (2, (2, 3))):
        callback = TensorBoard()
        callback.on_stage_start(StageInfo(0, 1, tmp_path, first_epoch))
        for epoch in epochs:
            callback.on_epoch_end(epoch, {"val_loss": float(epoch)}, Control(0.1))
        callback.on_stage_end()
    events = EventAccumulator(str(tmp_path / "logs" / "0.1"))
    events.Reload()
    assert sorted(e.step for e in events.Scalars("val_loss")) == [0, 1, 2, 3]


def test_tensorboard_may_write_to_another_folder_of_the_experiment(tmp_path):
    callback = TensorBoard(log_dir="there")
    callback.on_stage_start(StageInfo(2, 1, tmp_path, 0))
    callback.on_stage_end()
    assert (tmp_path / "there" / "2.1").is_dir()


@pytest.mark.parametrize("log_dir", ["/tmp/elsewhere", "../elsewhere", "a/../../b", ""])
def test_a_config_cannot_make_tensorboard_write_outside_the_experiment(log_dir):
    (complaint,) = callbacks.get("TensorBoard").check({"log_dir": log_dir})[1]
    assert complaint.message == f"expected a path inside the experiment's folder, got {log_dir!r}"


def test_tensorboard_has_each_step_once_if_that_is_asked_for(tmp_path):
    for first_epoch, epochs in ((0, (0, 1)), (1, (1, 2))):
        callback = TensorBoard(update_freq="batch")
        callback.on_stage_start(StageInfo(0, 1, tmp_path, first_epoch, steps=2))
        for epoch in epochs:
            for step in (2 * epoch, 2 * epoch + 1):
                callback.on_step(step, 0.5, 0.1)
            callback.on_epoch_end(epoch, {"loss": 0.5}, Control(0.1))
        callback.on_stage_end()
    events = EventAccumulator(str(tmp_path / "logs" / "0.1" / "steps"))
    events.Reload()
    assert sorted(e.step for e in events.Scalars("batch_loss")) == [0, 1, 2, 3, 4, 5]
    assert sorted(events.Tags()["scalars"]) == ["batch_loss", "batch_lr"]


def test_what_was_written_and_not_committed_is_there_once_after_a_resume(tmp_path):
    written(tmp_path, range(5), picture_freq=1)
    written(tmp_path, range(3, 10), first_epoch=3, picture_freq=1)
    found = events(tmp_path)
    for tag in ("val_loss", "lr", "speed/images_per_second", "true_positives/cat"):
        assert steps(found, tag) == list(range(10))
    for tag in ("pr_curves/dog", "confusion_matrix", "mistakes"):
        assert steps(found, tag) == list(range(10))


@pytest.mark.parametrize("lost", [1, 20, 1000])
def test_a_file_that_a_kill_has_cut_off_is_gone_on_with(tmp_path, lost):
    written(tmp_path, range(5), picture_freq=0)
    (path,) = (tmp_path / "logs" / "0.1").iterdir()
    path.write_bytes(path.read_bytes()[:-lost])
    written(tmp_path, range(3, 6), first_epoch=3, picture_freq=0)
    assert steps(events(tmp_path), "val_loss") == list(range(6))


def test_what_was_never_committed_is_forgotten(tmp_path):
    written(tmp_path, range(2))
    written(tmp_path, range(3))
    assert len(list((tmp_path / "logs" / "0.1").iterdir())) == 1
    assert steps(events(tmp_path), "val_loss") == [0, 1, 2]


def test_pictures_come_first_last_and_now_and_then(tmp_path):
    written(tmp_path, range(10), picture_freq=4)
    found = events(tmp_path)
    for tag in ("pr_curves/cat", "confusion_matrix", "mistakes"):
        assert steps(found, tag) == [0, 3, 7, 9]
    assert steps(found, "false_negatives/cat") == list(range(10))


def test_no_pictures_if_they_are_not_wanted(tmp_path):
    written(tmp_path, range(10), picture_freq=0)
    assert events(tmp_path).Tags()["images"] == events(tmp_path).Tags()["tensors"] == []


def test_throughput_is_images_in_a_second(tmp_path):
    written(tmp_path, [0])
    (event,) = events(tmp_path).Scalars("speed/images_per_second")
    assert event.value == 50


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_answers_are_counted_as_scikit_learn_does(tmp_path, activation):
    head = Head("", activation, ANIMALS.class_names)
    written(tmp_path, [0], heads=(head,))
    predictions = validated((head,)).predictions
    answers = predictions.probs > 0.5
    if activation == "softmax":
        answers = np.eye(3)[predictions.probs.argmax(axis=1)]
    matrices = multilabel_confusion_matrix(predictions.targets, answers)
    found = events(tmp_path)
    for name, ((tn, fp), (fn, tp)) in zip(head.class_names, matrices, strict=True):
        expected = {
            "true_positives": tp,
            "false_positives": fp,
            "true_negatives": tn,
            "false_negatives": fn,
        }
        for kind, count in expected.items():
            assert found.Scalars(f"{kind}/{name}")[0].value == count
    total = matrices.sum(axis=0)
    assert found.Scalars("all_classes/true_positives")[0].value == total[1, 1]
    assert found.Scalars("all_classes/false_positives")[0].value == total[0, 1]


def test_a_curve_has_the_precision_and_recall_of_its_thresholds(tmp_path):
    written(tmp_path, [0])
    predictions = validated().predictions
    (event,) = events(tmp_path).Tensors("pr_curves/dog")
    tp, fp, _, fn, precision, recall = make_ndarray(event.tensor_proto)
    truth, probs = predictions.targets[:, 1] > 0.5, predictions.probs[:, 1]
    for place in (1, 40, 63, 100):
        above = np.floor(probs * 126) >= place
        hits = (above & truth).sum()
        assert (tp[place], fp[place], fn[place]) == (
            hits,
            (above & ~truth).sum(),
            truth.sum() - hits,
        )
        assert precision[place] == pytest.approx(hits / max(above.sum(), 1e-7))
        assert recall[place] == pytest.approx(hits / truth.sum())


def test_pictures_have_the_size_that_is_said(tmp_path):
    written(tmp_path, [0])
    found = events(tmp_path)
    for tag in ("confusion_matrix", "mistakes"):
        (event,) = found.Images(tag)
        picture = Image.open(io.BytesIO(event.encoded_image_string))
        assert picture.size == (event.width, event.height)


def test_many_classes_do_not_fill_the_disk(tmp_path):
    head = Head("", "softmax", tuple(f"class {i}" for i in range(1200)))
    written(tmp_path, range(10), heads=(head,))
    size = sum(path.stat().st_size for path in tmp_path.rglob("*tfevents*"))
    assert size < 3_000_000
    tags = events(tmp_path).Tags()
    assert len([tag for tag in tags["scalars"] if tag.startswith("true_positives/")]) == 50
    assert tags["images"] == ["mistakes"]  # a matrix of so many classes shows nothing


def test_of_several_outputs_each_has_its_own_numbers(tmp_path):
    heads = (Head("kind", "softmax", ("cat", "dog", "cow")), Head("marks", "sigmoid", ("a", "b")))
    written(tmp_path, [0], heads=heads)
    tags = events(tmp_path).Tags()
    assert {"true_positives/kind/cat", "true_positives/marks/b"} <= set(tags["scalars"])
    assert {"pr_curves/kind/dog", "pr_curves/marks/a"} == set(tags["tensors"]) & {
        "pr_curves/kind/dog",
        "pr_curves/marks/a",
    }
    assert set(tags["images"]) == {"confusion_matrix/kind", "mistakes"}


def test_names_that_are_no_text_are_written_all_the_same(tmp_path):
    written(tmp_path, [0], heads=(Head("", "softmax", ("a\udcff", "b/c", "d")),))
    assert "true_positives/a\\udcff" in events(tmp_path).Tags()["scalars"]


def test_answers_of_masks_are_counted_pixel_by_pixel(tmp_path):
    hits, said = np.array([[3, 0], [1, 4]]), np.array([[5, 1], [1, 6]])
    true, soft = np.array([[4, 0], [2, 4]]), np.ones((2, 2))
    heads = (Head("", "sigmoid", ("cell", "edge")),)
    scores = MaskScores(
        ("a", "b"), heads, hits, said, true, np.array([20, 30]), soft, soft, np.ones(2)
    )
    callback = TensorBoard()
    callback.on_stage_start(StageInfo(0, 1, tmp_path, 0, epochs=1))
    callback.on_validation(0, Validation(scores))
    callback.on_stage_end()
    found = events(tmp_path)
    counted = {
        kind: [found.Scalars(f"{kind}/{name}")[0].value for name in ("cell", "edge")]
        for kind in ("true_positives", "false_positives", "true_negatives", "false_negatives")
    }
    assert counted == {
        "true_positives": [4, 4],
        "false_positives": [2, 3],
        "true_negatives": [42, 43],
        "false_negatives": [2, 0],
    }
    assert found.Tags()["images"] == []


def test_where_all_is_right_there_are_no_mistakes_to_show(tmp_path):
    callback = TensorBoard()
    callback.on_stage_start(StageInfo(0, 1, tmp_path, 0, epochs=1))
    right = fake_predictions(np.arange(9), (ANIMALS,), noise=0)
    callback.on_validation(0, Validation(right))
    callback.on_stage_end()
    assert events(tmp_path).Tags()["images"] == ["confusion_matrix"]
