"""The report in a real browser: what is clicked, typed and printed."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from browser import Opened, open_browser
from fake_mask_run import THREE, make_mask_run
from fake_run import fake_predictions, make_fake_run, save_audit
from PIL import Image as Pillow

from fivefold.apps.report import write_report
from fivefold.core.durable import file_sha256
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.data.audit_rows import USED, AuditRow

pytestmark = pytest.mark.slow

NAMES = tuple(f"animal {k}" for k in range(10))
HEADS = (Head("animal", "softmax", NAMES), Head("traits", "sigmoid", ("wild", "small", "shy")))


@pytest.fixture(scope="module")
def browser():
    with open_browser() as running:
        yield running


def report_with_pictures(root, heads=HEADS):
    """Write the report of a run whose samples are files."""
    run = make_fake_run(root / "run", heads=heads)
    rows, ids = [], []
    for fold in range(5):
        ids += Predictions.load(run.predictions("validation", fold, 1)).ids
    for i, sample_id in enumerate(ids):
        path = root / "images" / sample_id
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (48, 32), (i % 256, 90, 120)).save(path)
        rows.append(AuditRow(sample_id, USED, digest=file_sha256(path), path=str(path)))
    save_audit(run, [], *rows)
    return write_report(run)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return report_with_pictures(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def masks_path(tmp_path_factory):
    return write_report(make_mask_run(tmp_path_factory.mktemp("masks") / "run", head=THREE))


@contextmanager
def opened(browser, path, **settings):
    """Open a page and see it closed without complaints."""
    one = Opened(browser, path, **settings)
    yield one.page
    one.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_no_page_scrolls_sideways_and_nothing_is_complained_of(browser, path, width, theme):
    one = Opened(browser, path, width=width, theme=theme)
    assert one.overflow() == 0
    one.close()


def test_a_wide_table_fades_out_where_it_goes_on(browser, path):
    with opened(browser, path, width=390) as page:
        box = page.locator("#metrics .scroll").first
        fades = "box => getComputedStyle(box).maskImage"
        assert "gradient" in box.evaluate(fades)
        name = box.locator("tbody th").first
        left = name.bounding_box()["x"]
        box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
        page.wait_for_function(
            "box => !box.classList.contains('goes-on')", arg=box.element_handle()
        )
        assert box.evaluate(fades) == "none"
        assert name.bounding_box()["x"] == left  # the names stay


def test_ids_are_not_cut(browser, path):
    with opened(browser, path, width=390) as page:
        cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
        assert page.locator(".card .id").count() > 0
        assert page.locator(".card .id").evaluate_all(cut) == 0


def test_a_hint_about_keys_is_only_for_those_who_have_some(browser, path):
    with opened(browser, path) as page:
        assert "arrow keys" in page.locator("#readout-0").inner_text()
        page.locator("table.confusion td").nth(3).hover()
        page.mouse.move(0, 0)
        assert page.locator("#readout-0").inner_text().startswith("Point at a cell")
    with opened(browser, path, width=390, touch=True) as page:
        assert page.locator("#readout-0").inner_text() == "Touch a cell: its samples open."


def test_a_cell_opens_its_samples_and_escape_closes_them(browser, path):
    with opened(browser, path) as page:
        cell = page.locator("table.confusion td.w").first
        count = int(cell.inner_text())
        cell.click()
        viewer = page.locator("#viewer")
        assert viewer.is_visible()
        assert " was taken for " in page.locator("#viewer-title").inner_text()
        assert page.locator("#viewer li").count() == count
        assert page.locator("#viewer img").count() == count
        assert page.evaluate("document.querySelector('#viewer img').naturalWidth") == 48
        page.keyboard.press("Escape")
        assert not viewer.is_visible()
        assert page.evaluate("document.activeElement.tagName") == "TD"


def test_the_matrix_is_walked_and_opened_by_keys(browser, path):
    with opened(browser, path) as page:
        page.locator("table.confusion td[tabindex='0']").focus()
        for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"):
            page.keyboard.press(key)
        told = page.locator("#readout-0").inner_text()
        assert told.startswith("animal 1 was recognised: ")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == told
        page.keyboard.press("Enter")
        assert page.locator("#viewer-title").inner_text() == "animal 1 was recognised"
        page.keyboard.press("Escape")
        for key in ("Home", "ArrowLeft", "ArrowUp", "ArrowUp", "End", "ArrowRight"):
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement.cellIndex") == len(NAMES)


def test_there_is_one_tab_stop_in_a_matrix(browser, path):
    with opened(browser, path) as page:
        page.locator("table.confusion td").nth(30).click()
        page.keyboard.press("Escape")
        assert page.locator("table.confusion td[tabindex='0']").count() == 1


def test_arrows_step_through_the_confusions(browser, path):
    with opened(browser, path) as page:
        page.locator("[data-cell^='0:']").first.click()
        first = page.locator("#viewer-title").inner_text()
        page.keyboard.press("ArrowRight")
        assert page.locator("#viewer-title").inner_text() != first
        page.locator("[data-step='-1']").click()
        assert page.locator("#viewer-title").inner_text() == first


def test_missed_labels_open_their_samples(browser, path):
    with opened(browser, path) as page:
        button = page.locator("[data-cell^='1:missed']").first
        count = int(button.inner_text())
        button.click()
        assert page.locator("#viewer-title").inner_text().endswith(" was missed")
        assert page.locator("#viewer li").count() == min(count, 24)


@pytest.mark.parametrize("key", ["Enter", " "])
def test_tables_sort_both_ways_by_click_and_key(browser, path, key):
    with opened(browser, path) as page:
        table = page.locator("#classes-0 table.sortable").nth(1)
        heading = table.locator("th", has_text="recall")
        column = heading.evaluate("cell => cell.cellIndex")
        cells = f"tbody tr > :nth-child({column + 1})"
        heading.locator("button").click()
        values = [float(text) for text in table.locator(cells).all_inner_texts()]
        assert values == sorted(values, reverse=True)
        assert heading.get_attribute("aria-sort") == "descending"
        heading.locator("button").focus()
        page.keyboard.press(key)
        values = [float(text) for text in table.locator(cells).all_inner_texts()]
        assert values == sorted(values)
        assert heading.get_attribute("aria-sort") == "ascending"
        others = table.locator("th[aria-sort]:not([aria-sort='none'])")
        assert others.count() == 1


def test_names_sort_by_their_numbers(browser, path):
    with opened(browser, path) as page:
        table = page.locator("#classes-0 table.sortable").nth(1)
        table.locator("th button", has_text="Class").click()
        shown = table.locator("tbody tr:not(.beyond) th").all_inner_texts()
        assert shown == list(NAMES)


def test_the_search_filters_rows_and_cards(browser, path):
    with opened(browser, path) as page:
        before = page.locator(".card:visible").count()
        text = page.locator(".card").first.inner_text()
        name = next(name for name in NAMES if name in text)
        page.keyboard.press("/")
        page.keyboard.type(name.upper())
        rows = page.locator("#classes-0 table.sortable tbody tr:visible")
        assert rows.count()
        assert all(name in text for text in rows.all_inner_texts())
        assert 0 < page.locator(".card:visible").count() < before
        assert page.locator("#hits").inner_text().endswith("matches")
        assert page.locator(".confusion th.hit").count() == 2
        page.keyboard.press("Escape")
        assert page.locator(".card:visible").count() == before
        assert page.locator("#hits").inner_text() == ""


def test_the_search_finds_samples_by_id(browser, path):
    with opened(browser, path) as page:
        page.fill("#search", "digit-3-00")
        page.locator("#hit-samples").click()
        shown = page.locator("#viewer .id").all_inner_texts()
        assert shown
        assert all("digit-3-00" in text for text in shown)


def test_the_switch_turns_the_colours_and_is_remembered(browser, path):
    paper = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, path) as page:
        light = page.evaluate(paper)
        page.locator("#theme").click()
        dark = page.evaluate(paper)
        assert dark != light
        assert page.locator("#theme").get_attribute("aria-pressed") == "true"
        page.reload()
        assert page.evaluate(paper) == dark
    with opened(browser, path, theme="dark") as page:
        assert page.evaluate(paper) == dark
        page.locator("#theme").click()
        assert page.evaluate(paper) == light


def test_a_chart_tells_its_values_by_pointer_and_key(browser, path):
    with opened(browser, path) as page:
        chart = page.locator("#curves svg.chart").first
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tip = page.locator("#curves .tip").first
        assert "fold 4" in tip.inner_text()
        page.mouse.move(1, 1)
        assert not tip.is_visible()
        chart.focus()
        page.keyboard.press("Home")
        assert tip.inner_text().startswith("epoch 1")
        page.keyboard.press("ArrowRight")
        assert tip.inner_text().startswith("epoch 2")
        page.keyboard.press("Escape")
        assert not tip.is_visible()


def test_a_fold_can_be_put_out(browser, path):
    with opened(browser, path) as page:
        line = page.locator("#curves .line.fold2").first
        assert line.is_visible()
        page.locator("#curves button", has_text="fold 2").click()
        assert not line.is_visible()


def test_the_values_of_a_chart_are_those_of_the_run(browser, path):
    with opened(browser, path) as page:
        page.locator("#curves svg.chart").first.focus()
        page.keyboard.press("Home")
        rows = page.locator("#curves .tip").first.locator("tr").all_inner_texts()
    rng = np.random.default_rng(0)
    loss = 0.9 + 0.05 + 0.04 * rng.random()
    name, value, training = rows[0].split("\t")
    assert name == "fold 0"
    assert float(value) == pytest.approx(loss, abs=2e-4)
    assert float(training.removeprefix("training ")) == pytest.approx(0.9 * loss, abs=2e-4)


def test_the_first_tab_skips_to_the_content(browser, path):
    with opened(browser, path) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_what_has_the_focus_is_seen(browser, path):
    with opened(browser, path) as page:
        for _ in range(4):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"


def test_the_contents_lead_to_every_section(browser, path):
    with opened(browser, path) as page:
        links = page.locator(".contents a")
        for i in range(links.count()):
            links.nth(i).click()
            anchor = links.nth(i).get_attribute("href")
            top = page.evaluate(f"document.querySelector('{anchor}').getBoundingClientRect().top")
            at_end = page.evaluate(
                "innerHeight + scrollY >= document.documentElement.scrollHeight - 2"
            )
            assert 0 <= top < 200 or at_end


def test_on_paper_it_is_light_and_whole(browser, path):
    with opened(browser, path, theme="dark") as page:
        page.locator("#theme").click()
        page.locator("#theme").click()
        page.set_viewport_size({"width": 718, "height": 1040})  # A4
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") == 718
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert not page.locator(".bar").is_visible()
        assert page.locator("tr.beyond").count() > 0
        assert page.locator("tr.beyond:visible").count() == page.locator("tr.beyond").count()
        assert page.pdf().startswith(b"%PDF")


def test_without_scripts_everything_is_there_and_nothing_waits_to_be_pressed(browser, path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.resolve().as_uri())
    assert not page.locator("#search").is_visible()
    assert not page.locator("#theme").is_visible()
    assert page.locator("#classes-0 table tbody tr:visible").count() > len(NAMES)
    context.close()


PAYLOADS = (
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 1</script>",
    '"><img src=x onerror="window.hit = 1">',
    "'-alert(1)-'",
    "{{ 7 * 7 }}{% raw %}",
    "${alert(1)}",
    "<!--<script>",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\u2028\u2029\x00\x1b[31m",
    "\ud800 half",
    "long " * 2000,
    "javascript:alert(1)",
    "&lt;b&gt;",
    "__proto__",
    "constructor",
)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_no_name_of_the_data_runs_or_hides(browser, tmp_path, activation):
    heads = (Head(PAYLOADS[2], activation, PAYLOADS),)
    config = f"primary_metric: val_accuracy\nname: |\n  {PAYLOADS[1]}\n"
    run = make_fake_run(tmp_path / "run", folds=[0, 1], heads=heads, config=config)
    for fold in (0, 1):
        sample = fake_predictions(np.arange(150) % len(PAYLOADS), heads, fold, 4.0)
        ids = tuple(f"{PAYLOADS[i % len(PAYLOADS)]} {fold} {i}" for i in range(150))
        Predictions(ids, sample.probs, heads, sample.targets, fold, 1).save(
            run.predictions("validation", fold, 1)
        )
    path = write_report(run)
    one = Opened(browser, path)
    page = one.page
    for button in page.locator("[data-cell]").all()[:12]:
        button.click()
        page.keyboard.press("Escape")
    for text in ("script", "onerror", "{{", "half", "proto"):
        page.fill("#search", text)
        if page.locator("#hit-samples").is_visible():
            page.locator("#hit-samples").click()
            page.keyboard.press("Escape")
    assert page.evaluate("window.hit") is None
    assert page.locator("main script, main img[onerror], main b").count() == 0
    names = page.locator(".list tbody th").all_inner_texts()
    assert r"\u202egnp.exe" in names
    assert r"\ud800 half" in names
    assert "{{ 7 * 7 }}{% raw %}" in names
    assert max(map(len, names)) <= 200
    assert one.overflow() == 0
    one.close()
    narrow = Opened(browser, path, width=390)
    assert narrow.overflow() == 0
    narrow.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_remark_about_a_long_name_is_broken(browser, tmp_path, width):
    heads = (Head("", "softmax", ("a", "b", "x" * 250)),)
    run = make_fake_run(tmp_path / "run", folds=[0, 1], heads=heads)
    for fold in (0, 1):
        path = run.predictions("validation", fold, 1)
        found = Predictions.load(path)
        never = found.probs * np.array([1, 1, 0], dtype=np.float32)
        replace(found, probs=never / never.sum(axis=1, keepdims=True)).save(path)
    one = Opened(browser, write_report(run), width=width)
    assert "never answered" in one.page.locator("#metrics").inner_text()
    assert one.overflow() == 0
    one.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_a_page_of_masks_stays_within_its_width(browser, masks_path, width, theme):
    with opened(browser, masks_path, width=width, theme=theme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        frames = page.locator("#masks .frame").all()
        assert len(frames) > 20
        boxes = [frame.bounding_box() for frame in frames[:6]]
        assert min(box["width"] for box in boxes) > 100
        assert page.locator("#masks .frame img").evaluate_all(
            "images => images.every((image) => image.complete && image.naturalWidth > 0)"
        )


def test_points_of_images_say_whose_they_are(browser, masks_path):
    with opened(browser, masks_path) as page:
        titles = page.locator("#spread .dots title").all_text_contents()
        assert len(titles) > 20
        assert "IoU 0." in titles[0]
        assert page.locator("#spread .bars rect").count() == 20


def test_classes_of_masks_are_sorted_by_a_column(browser, masks_path):
    with opened(browser, masks_path) as page:
        table = page.locator("#classes table").first
        table.locator("th", has_text="recall").click()
        cells = table.locator("tbody tr td:last-child").all_text_contents()
        assert [float(cell) for cell in cells] in (
            sorted(map(float, cells)),
            sorted(map(float, cells))[::-1],
        )
