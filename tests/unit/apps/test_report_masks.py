"""The report of a run that predicts masks."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from fake_mask_run import ONE, THREE, fake_masks, make_mask_run, scores_of
from PIL import Image as Pillow

from fivefold.apps.report import write_report
from fivefold.apps.report.gather import gather
from fivefold.apps.report.mask_curves import overlap_at_thresholds
from fivefold.apps.report.mask_overlays import INVENTED, MISSED, MIXED, mistakes_over, truth_over
from fivefold.apps.report.weakest import weakest_mask
from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import MaskKind
from fivefold.evaluation.mask_assessment import assess_masks
from fivefold.experiment.decisions import Wishes, make_decisions, write_decisions


def page(folder):
    return write_report(folder).read_text("utf-8")


def pictures(text):
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="(?:The true|What is)', text)
    return [Pillow.open(io.BytesIO(base64.b64decode(data))) for data in found]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return make_mask_run(tmp_path_factory.mktemp("runs") / "cells", head=THREE)


@pytest.fixture(scope="module")
def text(cells):
    return page(cells)


def test_the_verdict_has_the_interval_of_the_deciding_metric(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    dice = gather(folder).masks
    value = assess_masks(dice, resamples=0).headline["dice"].value
    summary = folder.summary_path.read_text("utf-8").replace("dice: 0.81,", f"dice: {value},")
    folder.summary_path.write_text(summary, "utf-8")
    title = re.sub(r"<[^>]+>", "", re.search(r"<h1>.*?</h1>", page(folder))[0])
    assert re.search(rf"out-of-fold {value:.3f} \(95 % interval 0\.\d+ to 0\.\d+\)", title)


def test_the_top_says_in_how_many_images_a_class_is_invented_or_lost(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    for fold in range(3):
        path = folder.predictions("validation", fold, 0)
        found = MaskScores.load(path)
        lost = np.where(found.true > 0, 0, found.hits)
        replace(found, hits=lost, said=found.said + 5).save(path)
    top = page(folder).partition("</header>")[0]
    images, empty = (found_in := gather(folder).masks.true > 0).sum(), (~found_in).sum()
    assert f"In all {images} images with shape, no pixel of it is found (IoU 0)." in top
    assert f"In all {empty} images without shape, some is found all the same." in top


def test_classes_have_numbers_with_intervals_and_images_with_and_without(text):
    table = text.partition('id="classes"')[2].partition("</section>")[0]
    for words in ("ground", "circle", "square", "images with it", "left without", "Empty masks:"):
        assert words in table
    assert table.count('class="strip"') == 3


def test_images_are_shown_from_the_worst_to_the_best(text):
    section = text.partition('id="masks"')[2].partition("</section>")[0]
    order = [section.index(f"<h3>{title}</h3>") for title in ("Worst", "In the middle", "Best")]
    assert order == sorted(order)
    ious = [float(value) for value in re.findall(r"IoU (\d\.\d+)", section)]
    assert ious[:8] == sorted(ious[:8])
    assert min(ious[-4:]) >= max(ious[:8])
    assert len(pictures(text)) == 2 * len(ious)


def test_pictures_are_large_enough_and_have_the_images_pixels(text, cells):
    for one in pictures(text):
        assert max(one.size) >= 160
    bright = [np.asarray(one.convert("RGB")).std() for one in pictures(text)]
    assert min(bright) > 5  # no grey paper: images were read


def test_images_that_are_gone_leave_their_masks(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    for path in folder.root.glob("images-*/*.jpg"):
        path.unlink()
    assert len(pictures(page(folder))) > 10


def test_images_that_changed_are_not_shown(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    for path in folder.root.glob("images-*/*.jpg"):
        Pillow.new("RGB", (64, 48), (0, 250, 0)).save(path)
    for one in pictures(page(folder)):
        red, green, _ = np.asarray(one.convert("RGB")).reshape(-1, 3).T
        assert not ((green > 200) & (red < 100)).any()


def test_maps_that_are_gone_or_damaged_leave_numbers_and_a_note(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    folder.maps("validation", 0, 0).unlink()
    folder.maps("validation", 1, 0).write_bytes(b"no maps")
    text = page(folder)
    assert "Maps of fold 1 could not be read" in text
    assert "no picture" in text
    assert 'id="classes"' in text


def test_thresholds_have_a_curve_where_classes_do_not_exclude_each_other(tmp_path, text):
    assert "dice of shape by threshold" in page(make_mask_run(tmp_path / "run"))
    assert "by threshold" not in text


def test_what_predict_makes_of_it_is_told(tmp_path):
    folder = make_mask_run(tmp_path / "run", extra="thresholds: dice\nsmallest_area: 7\n")
    from fivefold.config import load

    wishes = Wishes.by(load(folder.config_path))
    write_decisions(folder, make_decisions(folder, (0, 1, 2), 0, wishes))
    text = page(folder)
    assert "the highest dice of all pixels" in text
    assert "7 pixels of 48 x 64" in text


def test_the_holdout_has_a_column(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    ids, maps, truths = fake_masks(tmp_path, ONE, 8, 7)
    scores_of(ids, maps, truths, ONE, -1).save(folder.ensemble_scores(0))
    table = page(folder).partition('id="metrics"')[2].partition("</section>")[0]
    assert "holdout" in table


def test_unfinished_runs_and_one_fold_have_a_page(tmp_path):
    folder = make_mask_run(tmp_path / "run", folds=1, each=2, finished=False)
    text = page(folder)
    assert 'id="classes"' in text
    assert "Mistakes" not in text


def test_the_same_run_gives_the_same_page(cells, text):
    assert page(cells) == text


def test_counts_at_thresholds_are_of_evenly_chosen_images(tmp_path, monkeypatch):
    monkeypatch.setattr("fivefold.apps.report.mask_curves._MOST", 12)
    found = gather(make_mask_run(tmp_path / "run"))
    overlap, images = overlap_at_thresholds(found)
    assert images == 12
    assert overlap.true[0, 0] > 0


def test_mistakes_have_their_colours():
    kind = MaskKind(3, exclusive=True)
    truth, said = np.zeros((2, 20, 30, 1), np.uint8)
    truth[2:10, 2:10], said[12:18, 20:28] = 1, 1  # one missed, one invented
    truth[12:18, 2:10], said[12:18, 2:10] = 1, 2  # one taken for another class
    picture = mistakes_over(None, truth, said, kind)
    assert picture.shape == (120, 180, 3)
    for row, column, colour in ((6, 6, MISSED), (15, 24, INVENTED), (15, 6, MIXED)):
        drawn = picture[row * 6 + 3, column * 6 + 3].astype(int)
        others = [np.abs(drawn - each).sum() for each in (MISSED, INVENTED, MIXED)]
        assert np.argmin(others) == (MISSED, INVENTED, MIXED).index(colour)


def test_the_edge_of_what_is_true_is_white_and_the_rest_faint():
    kind = MaskKind(1, exclusive=False)
    truth = np.zeros((200, 200, 1), np.uint8)
    truth[50:150, 50:150] = 1
    picture = mistakes_over(np.zeros((200, 200, 3), np.uint8), truth, truth, kind)
    assert picture[50, 100].tolist() == [255, 255, 255]
    assert picture[100, 100].min() > 120
    over = truth_over(np.zeros((200, 200, 3), np.uint8), truth, kind)
    assert over[10, 10].max() == 0
    assert over[100, 100].max() > 60


def test_large_maps_make_small_pictures():
    truth = np.zeros((1024, 512, 1), np.uint8)
    assert truth_over(None, truth, MaskKind(1, exclusive=False)).shape == (256, 128, 3)


def test_the_weakest_class_is_named_with_what_it_lacks(cells):
    scores = gather(cells).masks
    scores.hits[:, 2] //= 4
    sentence = weakest_mask(assess_masks(scores, resamples=0))
    assert re.fullmatch(r"Weakest class: square, IoU 0\.\d\d \(recall 0\.\d\d\)\.", sentence)
    scores.hits[:, 1] //= 4
    assert weakest_mask(assess_masks(scores, resamples=0)) == ""
