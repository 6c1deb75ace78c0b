import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from fake_run import CONFIG, SUMMARY, fake_predictions, make_fake_run, save_audit
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from fivefold.apps.report import write_report
from fivefold.apps.report.embedded import Thumbnails
from fivefold.apps.report.facts import data_facts
from fivefold.apps.report.gather import gather
from fivefold.apps.report.kept_pixels import KeptPixels
from fivefold.apps.report.matrices import worst_mistakes
from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.data.audit_rows import QUARANTINED, USED, AuditRow

PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,")
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """What a browser would see: elements with attributes, and text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.open, self.parts = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.parts.append("" if tag == "bdi" else " ")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.parts.append("" if tag == "bdi" else " ")
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)
            self.parts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.parts).split())


def report_of(folder):
    return Page(write_report(folder).read_text("utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_fake_run(tmp_path_factory.mktemp("001.digits"))


@pytest.fixture(scope="module")
def html(run):
    return write_report(run).read_text("utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_the_verdict_is_one_sentence(page):
    assert "Accuracy 0.981 ± 0.006 over 5 folds; out-of-fold 0.981." in page.text


def test_every_section_is_there(page):
    for heading in (
        "Metrics",
        "Curves",
        "What is taken for what",
        "Examples",
        "Most confident mistakes",
        "Data",
        "Warnings",
        "Config",
        "Environment",
    ):
        assert heading in page.texts
    assert page.open == []


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "base", "form")
        for name in ("src", "href", "xlink:href", "action"):
            assert attributes.get(name, "#").startswith((*PICTURES, "#"))
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_only_our_script_and_style_may_count(html, page):
    (policy,) = (
        a["content"] for _, a in page.elements if "Content-Security" in a.get("http-equiv", "")
    )
    style, script = (
        html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("style", "script")
    )
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; "
        f"script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )
    kinds = [a for tag, a in page.elements if tag == "script"]
    assert kinds == [{}, {"type": "application/json", "id": "page-data"}]


def test_style_sheets_load_nothing(html):
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)


def test_no_two_elements_share_an_id(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_references_inside_pictures_lead_somewhere(html, page):
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', html)) <= ids


def test_the_same_run_gives_the_same_bytes(run, html):
    assert write_report(run).read_text("utf-8") == html


def test_data_adds_up_and_reasons_are_named(page):
    assert "403 listed = 400 used + 2 quarantined + 1 excluded" in page.text
    assert "Not used: 2 cut off, 1 hidden file." in page.text


def test_files_that_are_not_used_are_named(page):
    table = page.text.partition("Which ones")[2].partition("Folds")[0]
    assert "3/broken-1.png cut off: image file is truncated" in table
    assert "3/broken-2.png" in table
    assert "4/.hidden.png hidden file" in table
    assert "?" not in table


def test_environment_and_warnings_come_from_the_manifest(page):
    assert "2 min 11 s" in page.texts
    assert "hardware" not in page.texts
    for text in ("Hardware", "cpu.name", "Example 9000", "no GPU", "2.15.0"):
        assert text in page.texts
    assert page.texts.count("exact copies stay in one fold: 3") == 1
    assert page.texts.count("resumed with timm 1.0.32") == 1
    assert "epochs" not in page.text.rpartition("Environment")[2]


def test_the_config_is_shown_as_written(page):
    assert CONFIG in page.texts


def test_pictures_are_encoded_anew_without_metadata(tmp_path):
    run = make_fake_run(tmp_path, folds=[0])
    path = next(run.examples(0, 1).glob("*.png"))
    with Pillow.open(path) as image:
        pixels = np.array(image)
        secret = PngInfo()
        secret.add_text("Author", "somebody")
        image.save(path, pnginfo=secret)
    (url,) = [a["src"] for tag, a in report_of(run).elements if tag == "img"]
    png = base64.b64decode(url.partition(",")[2])
    assert b"somebody" in path.read_bytes()
    assert b"somebody" not in png
    assert (np.array(Pillow.open(io.BytesIO(png))) == pixels).all()


PAYLOADS = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</pre><b>")


def test_names_ids_and_texts_are_never_markup(tmp_path):
    head = Head(PAYLOADS[1], "softmax", (*PAYLOADS, "]]>", "\x00&amp;"))
    config = CONFIG + f"# {PAYLOADS[3]} {PAYLOADS[0]}\n"
    run = make_fake_run(tmp_path / PAYLOADS[2], folds=[0, 1], heads=(head,), config=config)
    fake_predictions(np.arange(60) % 6, (head,), 0, 9.0, PAYLOADS[1]).save(
        run.predictions("validation", 0, 1)
    )
    manifest = {"versions": {PAYLOADS[0]: PAYLOADS[1]}, "warnings": list(PAYLOADS)}
    run.manifest_path.write_text(json.dumps(manifest), "utf-8")
    bad = AuditRow(PAYLOADS[0], QUARANTINED, reason=PAYLOADS[1], detail=PAYLOADS[3])
    save_audit(run, [], bad, warnings=[PAYLOADS[0]])
    page = report_of(run)
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert "b" not in {tag for tag, _ in page.elements}
    assert not [attributes for _, attributes in page.elements if "onerror" in attributes]
    assert all(a["src"].startswith(PICTURES) for tag, a in page.elements if tag == "img")
    for payload in PAYLOADS:
        assert payload in page.text
    assert page.open == []


def test_an_id_that_is_no_text_is_shown_as_an_escape(tmp_path):
    head = Head("", "softmax", ("a", "\udcff\ud800"))
    run = make_fake_run(tmp_path, folds=[0], heads=(head,))
    assert "\\udcff\\ud800" in report_of(run).text


def test_unfinished_folds_are_named(tmp_path):
    page = report_of(make_fake_run(tmp_path, folds=[0, 2], pictures=False, summary=""))
    assert "Not finished: folds 1, 3, 4; finished: folds 0, 2." in page.text
    assert "These are the numbers of each fold's last epoch so far, not of its best." in page.text
    assert "over 2 folds so far." in page.text


def test_an_unfinished_run_has_the_table_of_a_finished_one(tmp_path):
    page = report_of(make_fake_run(tmp_path, folds=[0, 2], pictures=False, summary=""))
    rows = page.text.partition("Metric mean std min max")[2].partition("Curves")[0]
    assert "lr" not in rows.split()
    numbers = re.findall(r"\d\.\d+", rows)
    assert len(numbers) == 2 * (2 * 4 + 2)  # the accuracy of training was not measured
    assert all(re.fullmatch(r"\d\.\d{4}", number) for number in numbers)


def test_training_stands_beside_validation(tmp_path):
    training = "loss: {mean: 1, std: 0, min: 1, max: 1}\n    val_loss:"
    summary = SUMMARY.replace("val_loss:", training)
    run = make_fake_run(tmp_path, folds=[0], pictures=False, summary=summary)
    assert (
        "Metric mean std min max training mean training std"
        " Stage 0 accuracy 0.9201 0.0102 0.9025 0.9331 \N{EN DASH} \N{EN DASH}"
        " loss 0.2512 0.0201 0.2231 0.2804 1.0000 0.0000 macro F1"
    ) in report_of(run).text


@pytest.mark.parametrize(("summary", "label"), [(SUMMARY, "Training"), ("", "Training so far")])
def test_the_time_is_called_what_it_is(tmp_path, summary, label):
    page = report_of(make_fake_run(tmp_path, folds=[0], pictures=False, summary=summary))
    assert f"{label} 2 min 11 s" in page.text


def test_a_time_that_is_not_known_is_left_out(tmp_path):
    run = make_fake_run(tmp_path, folds=[0], pictures=False, summary="")
    run.manifest_path.write_text('{"seconds": 0.0}', "utf-8")
    assert "Training so far" not in report_of(run).text


def test_the_weakest_class_is_below_the_headline(tmp_path):
    run = make_fake_run(tmp_path, folds=[0], pictures=False)
    head = Head("", "softmax", ("ant", "bee", "Fünf & more"))
    sample = fake_predictions(np.arange(60) % 3, (head,), noise=0.0)
    sample.probs[2::3][:12] = (0.1, 0.8, 0.1)
    sample.probs[2::3][12:14] = (0.8, 0.1, 0.1)
    sample.save(run.predictions("validation", 0, 1))
    sentence = "Weakest class: Fünf & more, recall 0.30 (14 of 20 missed; 12 taken for bee)."
    assert sentence in report_of(run).texts


@pytest.fixture
def photographed(tmp_path):
    """A run whose mistakes are files, recorded as seen from another folder."""
    (tmp_path / "digits").mkdir()
    run = make_fake_run(tmp_path / "digits", folds=[0], pictures=False)
    ids = [mistake.sample_id for mistake in worst_mistakes(gather(run).predictions)]
    rows = []
    for i, sample_id in enumerate(ids):
        path = tmp_path / "images" / sample_id
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (300, 200), (10 * i + 5, 10 * i + 5, 10 * i + 5)).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        recorded = f"elsewhere/digits/../images/{sample_id}"
        rows.append(AuditRow(sample_id, USED, digest=digest, path=recorded))
    save_audit(run, [], *rows)
    return run, tmp_path / "images", ids


def colors_of_images(page):
    urls = [attributes["src"] for tag, attributes in page.elements if tag == "img"]
    pngs = [base64.b64decode(url.partition(",")[2]) for url in urls]
    images = [Pillow.open(io.BytesIO(png)) for png in pngs]
    assert {image.size for image in images} <= {(128, 85)}
    return [image.getpixel((9, 9))[0] // 10 for image in images]


def test_mistakes_have_small_pictures(photographed):
    run, _, ids = photographed
    assert colors_of_images(report_of(run)) == list(range(len(ids)))


def test_a_file_that_is_gone_or_changed_has_no_picture(photographed):
    run, images, ids = photographed
    (images / ids[0]).unlink()
    Pillow.new("RGB", (9, 9)).save(images / ids[1])
    page = report_of(run)
    assert colors_of_images(page) == list(range(2, len(ids)))
    assert set(ids) <= set(page.texts)


@pytest.mark.parametrize(
    "rows", [None, [1, {}], [{"sample_id": "x", "path": "\ud800", "digest": 1}]]
)
def test_odd_rows_of_the_audit_give_no_picture(rows):
    assert Thumbnails(Path(), {"rows": rows}, KeptPixels({}))(["x", "y"]) == {}


def test_an_unknown_primary_metric_is_said(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1], pictures=False, summary="", config="classes: 10\n")
    assert "Measured over 2 folds so far; the primary metric is not known." in report_of(run).text


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path):
    page = report_of(RunFolder.of(tmp_path))
    assert "Nothing has been measured yet." in page.text
    assert "The config could not be read" in page.text
    assert "The manifest is not there yet (manifest.json)." in page.text


@pytest.mark.parametrize(
    ("path", "content", "note"),
    [
        ("manifest.json", b"{", "the manifest could not be read"),
        ("data/audit.json", b"[]", "the audit of the data could not be read"),
        ("data/folds.json", b"", "the splits could not be read"),
        ("summary.yaml", b"stages: [1, 2]", "the summary could not be read"),
        ("summary.yaml", b"stages: [{loss: {mean: 1}}]", "the summary could not be read"),
        ("summary.yaml", b"a: b: c", "the summary could not be read"),
        ("config.yaml", b"a: [", "the config could not be read"),
        ("metrics/metrics-0.0.csv", b"loss", "metrics of fold 0 could not be read"),
        ("predictions/validation-0.1.npz", b"no", "predictions of fold 0 could not be read"),
    ],
)
def test_a_damaged_part_is_noted(tmp_path, path, content, note):
    run = make_fake_run(tmp_path, folds=[0], pictures=False, summary="")
    (tmp_path / path).write_bytes(content)
    assert [found for found in gather(run).notes if found.startswith(note)]


def test_the_rest_is_shown_when_much_is_damaged(tmp_path):
    run = make_fake_run(tmp_path, folds=[0, 1])
    pictures = [next(run.examples(fold, 1).glob("*.png")) for fold in (0, 1)]
    pictures[0].write_bytes(b"no picture")
    pictures[1].write_bytes(pictures[1].read_bytes()[:2000])
    for path in (run.manifest_path, run.audit_path, run.summary_path, run.metrics(0, 0)):
        path.write_bytes(b"\xff[")
    page = report_of(run)
    assert page.text.count("Picture validation.png of fold") == 2
    assert page.text.count("could not be read") == 6
    assert {"Metrics", "Curves", "Most confident mistakes", "Config"} <= set(page.texts)
    assert "Examples" not in page.texts


def test_a_finished_fold_without_predictions_is_named(tmp_path):
    page = report_of(make_fake_run(tmp_path, folds=[0, 1, 2, 3], pictures=False))
    assert "Predictions of fold 4 are not there, though it is finished." in page.text
    assert "Not finished" not in page.text


def test_several_labels_get_bars_instead_of_a_matrix(tmp_path):
    head = Head("", "sigmoid", ("cat", "dog", "owl"))
    page = report_of(make_fake_run(tmp_path, folds=[0, 1], pictures=False, heads=(head,)))
    assert "How well each label is found" in page.texts
    assert "What is taken for what" not in page.texts
    bars = [a for tag, a in page.elements if (tag, a.get("class")) == ("svg", "bar7")]
    assert len(bars) == 3


def test_every_head_has_its_own_section(tmp_path):
    heads = Head("animal", "softmax", ("cat", "dog")), Head("season", "softmax", ("warm", "cold"))
    page = report_of(make_fake_run(tmp_path, folds=[0], pictures=False, heads=heads))
    assert "What is taken for what: animal" in page.text
    assert "What is taken for what: season" in page.text


def test_predictions_without_truth_show_no_matrix(tmp_path):
    run = make_fake_run(tmp_path, folds=[0])
    path = run.predictions("validation", 0, 1)
    head = Head("", "softmax", ("a", "b"))
    unlabelled = fake_predictions(np.arange(4), (head,))
    object.__setattr__(unlabelled, "targets", None)
    unlabelled.save(path)
    assert "What is taken for what" not in report_of(run).texts


def test_stages_that_were_trained_elsewhere_are_named_with_the_place(tmp_path):
    summary = SUMMARY + 'reused: {"0.0": /runs/a, "1.0": /runs/a, "2.0": "/runs/<b>"}\n'
    page = report_of(make_fake_run(tmp_path, folds=[0], pictures=False, summary=summary))
    same = "with the same config, data, seed and versions: fold.stage"
    assert f"Trained in /runs/a, {same} 0.0, 1.0." in page.text
    assert f"Trained in /runs/<b>, {same} 2.0." in page.text


def test_a_holdout_is_part_of_the_verdict(tmp_path):
    summary = SUMMARY + "holdout: {accuracy: 0.975}\n"
    page = report_of(make_fake_run(tmp_path, folds=[0], pictures=False, summary=summary))
    assert "out-of-fold 0.981; holdout 0.975." in page.text


@pytest.mark.parametrize(
    ("count", "style"), [(10, "short"), (25, "many"), (60, "most"), (100, "all")]
)
def test_a_matrix_has_a_cell_for_each_pair(tmp_path, count, style):
    head = Head("", "softmax", tuple(f"{i}" for i in range(count)))
    run = make_fake_run(tmp_path, folds=[0])
    fake_predictions(np.arange(3 * count), (head,), 0, 3.0).save(
        run.predictions("validation", 0, 1)
    )
    html = write_report(run).read_text("utf-8")
    (table,) = re.findall(r'<table class="confusion.*?</table>', html, re.DOTALL)
    assert style in table.partition(">")[0]
    body = table.partition("<tbody>")[2]
    assert len(re.findall("<td", body)) == count**2
    assert sum(int(n) for n in re.findall(r">(\d+)</td>", body)) == 3 * count


def test_a_loss_that_decides_is_told_with_the_accuracy(tmp_path):
    summary = SUMMARY.replace("primary_metric: val_accuracy", "primary_metric: val_loss")
    assert summary != SUMMARY
    run = make_fake_run(tmp_path, folds=[0], pictures=False, summary=summary)
    assert "; accuracy 0.981." in report_of(run).text


def test_a_single_curve_is_no_wider_than_one_of_two(html):
    (rule,) = re.findall(r"charts figure \{[^}]*\}", html)
    assert "max-width: 36rem" in rule


def test_of_many_files_that_are_not_used_the_first_ten_are_named():
    rows = [{"sample_id": f"{i}.png", "status": "quarantined", "reason": "tiny"} for i in range(12)]
    rows[3]["detail"] = "OSError: image file is truncated"
    facts = data_facts({"rows": rows})
    assert facts["unused"][3]["detail"] == "image file is truncated"
    assert [row["sample_id"] for row in facts["unused"]] == [f"{i}.png" for i in range(10)]
    assert (facts["num_unused"], facts["reasons"]) == (12, {"tiny": 12})
