import json
import re

import pytest
from browser import Opened, open_browser
from many_runs import GOOD, LESS, POOR, deal, dealt_run, make_run

from fivefold import compare
from fivefold.apps.compare.page import render, write_page
from fivefold.cli import app

EVIL = "</script><img src=x onerror=alert(1)>"


def with_keys(folder, **keys):
    record = json.loads(folder.manifest_path.read_text())
    record["config"] |= keys
    folder.manifest_path.write_text(json.dumps(record))


def make_several(root):
    with_keys(dealt_run(root / "good", GOOD, lr=0.001), optimizer="SGD")
    with_keys(dealt_run(root / "less", LESS, lr=0.1), optimizer=EVIL)
    dealt_run(root / "poor", POOR, lr=0.01, batch=8)
    dealt_run(root / "<b>bold&", POOR, batch=64)
    deal(dealt_run(root / "other", LESS), {"x.png": (0, "0" * 64, "cat")}, 5)
    make_run(root / "new", finished=False)


@pytest.fixture(scope="module")
def page_path(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    make_several(root)
    path = root / "compare.html"
    write_page(compare(root), path)
    return path


@pytest.fixture(scope="module")
def browser():
    with open_browser() as running:
        yield running


@pytest.fixture
def opened(browser, page_path):
    page = Opened(browser, page_path)
    yield page
    page.close()


def test_the_page_says_how_many_comparisons_were_made(page_path):
    text = page_path.read_text("utf-8")
    assert "4 comparisons" not in text
    assert "of 3 others 1 is not distinguishable from it" in text
    assert "it was measured on other samples, contents or labels" in text


def test_names_are_text_everywhere(page_path):
    text = page_path.read_text("utf-8")
    assert EVIL not in text
    assert "<b>bold" not in text
    assert text.count("<script") == text.count("</script>") == 2
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert len(text) < 200_000


def test_half_characters_and_steering_signs_are_escaped(tmp_path):
    with_keys(dealt_run(tmp_path / "a", GOOD), optimizer="\ud800\u202eabc")
    with_keys(dealt_run(tmp_path / "b", LESS), optimizer="x")
    text = render(compare(tmp_path))
    text.encode()
    assert "\u202e" not in text
    assert r"\ud800\u202eabc" in text


def test_same_experiments_give_the_same_bytes(tmp_path):
    make_several(tmp_path)
    assert render(compare(tmp_path)) == render(compare(tmp_path))


@pytest.mark.parametrize("count", [1, 2])
def test_few_experiments_have_a_page_too(tmp_path, count):
    for name, values in (("a", GOOD), ("b", POOR))[:count]:
        dealt_run(tmp_path / name, values)
    text = render(compare(tmp_path))
    assert ("no other finished experiment" in text) == (count == 1)
    assert "1 comparison" not in text or count == 2


def test_nothing_finished_is_said(tmp_path):
    make_run(tmp_path / "a", finished=False)
    assert "No finished experiment can stand for the others" in render(compare(tmp_path))


def test_the_command_writes_it_and_no_other_kind_of_file(tmp_path, capsys):
    make_several(tmp_path / "runs")
    path = tmp_path / "out.html"
    assert app.run(["compare", str(tmp_path / "runs"), "--html", str(path)]) == 0
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert f"{path}: " in capsys.readouterr().err
    assert app.run(["compare", str(tmp_path / "runs"), "--html", str(path)]) == 2
    assert "expected a name that is free" in capsys.readouterr().err
    assert app.run(["compare", str(tmp_path / "runs"), "--html", str(tmp_path / "x.yaml")]) == 2
    assert "expected a name that ends with .html" in capsys.readouterr().err


def drag(page, axis, start, end):
    box = page.locator(f'.grip[data-axis="{axis}"]').bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + start * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + end * box["height"], steps=4)
    page.mouse.up()


def visible_names(page):
    return page.locator("table").nth(0).locator("tbody tr:visible th").all_inner_texts()


def last_axis(page):
    return page.locator(".grip").count() - 1


def test_brushing_an_axis_keeps_what_crosses_it_there(opened):
    page = opened.page
    before = visible_names(page)
    assert before == ["good", "less", "other", "<b>bold&", "poor"]
    page.locator("#chart").scroll_into_view_if_needed()
    drag(page, last_axis(page), 0.0, 0.4)  # the upper part of the metric
    assert visible_names(page) == ["good", "less", "other"]
    assert page.locator("#told").inner_text() == "3 of 5"
    assert page.locator(".line.off").count() == 2
    page.locator("#clear").click()
    assert visible_names(page) == before
    assert page.locator(".brush").count() == 0


def test_a_tap_lets_a_brush_go(opened):
    page = opened.page
    page.locator("#chart").scroll_into_view_if_needed()
    drag(page, last_axis(page), 0.0, 0.4)
    page.locator(f'.grip[data-axis="{last_axis(page)}"]').click()
    assert page.locator(".line.off").count() == 0
    assert not page.locator("#clear").is_visible()


def test_pointing_at_a_line_or_arrow_keys_tell_what_it_is(opened):
    page = opened.page
    page.locator("#chart").scroll_into_view_if_needed()
    page.locator("#chart").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("#tip strong").inner_text() == "good"
    assert "reference" in page.locator("#tip").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator("#tip strong").inner_text() == "less"
    assert EVIL in page.locator("#tip").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#tip").is_visible()
    box = page.locator("#chart svg").bounding_box()
    x, y = page.evaluate("""() => {
        const [x, y] = document.querySelector(".line.reference").getAttribute("d")
            .slice(1).split("L")[1].split(" ").map(Number);
        return [x, y];
    }""")
    page.mouse.move(box["x"] + x, box["y"] + y)
    assert page.locator("#tip strong").inner_text() == "good"
    assert page.locator("tr.on").count() == 2


def test_tables_are_sorted_by_their_headings(opened):
    page = opened.page
    heading = page.locator("th button", has_text="difference")
    heading.click()
    assert visible_names(page)[0] == "less"
    heading.click()
    assert visible_names(page)[:2] in (["<b>bold&", "poor"], ["poor", "<b>bold&"])
    assert set(visible_names(page)[-2:]) == {"good", "other"}  # without a number


@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (390, "light"), (390, "dark")])
def test_it_fits_phones_and_has_dark_colours(browser, page_path, width, theme):
    page = Opened(browser, page_path, width=width, theme=theme)
    assert page.overflow() <= 0
    paper = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(19, 20, 22)" if theme == "dark" else "rgb(252, 252, 251)")
    page.page.locator("#theme").click()
    other = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert other != paper
    page.page.emulate_media(media="print")
    assert not page.page.locator(".bar").is_visible()
    assert page.page.locator("#chart svg").is_visible()
    page.page.set_viewport_size({"width": 1040, "height": 700})  # A4, on its side
    assert page.overflow() <= 0
    page.close()


def test_a_name_that_got_in_as_a_script_would_not_run(browser, page_path, tmp_path):
    text = page_path.read_text("utf-8")
    spoiled = tmp_path / "spoiled.html"
    spoiled.write_text(
        text.replace("<main", "<img src=x onerror=alert(1)><script>alert(1)</script><main")
    )
    page = Opened(browser, spoiled)
    page.page.wait_for_timeout(100)
    assert any("Content Security Policy" in text for text in page.complaints)
    assert not any(text.startswith("dialog") for text in page.complaints)
    page.context.close()
