import json
import math

from benchmarks.memory import _png, tiny_pictures
from benchmarks.record import page, write_lines
from benchmarks.run import _command, _read
from benchmarks.table import Goal, Row

ABOUT = {
    "title": "Benchmarks",
    "command": "python -m benchmarks.run --smoke",
    "date": "2026-01-01",
    "machine": {"cores": 2, "versions": {"torch": "2.15"}},
    "limits": {"copy, GB/s": 40.0},
    "peers": {"fastai": "fastai 2.8"},
}
ROW = Row("time", "s", Goal("ratio", "most", 0.6), 1.0, 2.0, "timm", notes=("timm: 2.0 s",))


def test_page_has_the_table_the_samples_and_what_was_not_run():
    text = page(ABOUT, [ROW], {"a GPU": "there is none"})
    assert "| time, s | 1 | 2 (timm) | 0.5 | ≤ 0.6× | - | reached |" in text
    assert "- timm: 2.0 s" in text
    assert "- versions: torch 2.15" in text
    assert "- a GPU: there is none" in text


def test_lines_hold_the_machine_and_then_each_row(tmp_path):
    write_lines(tmp_path / "records" / "a.jsonl", ABOUT, [ROW])
    first, second = (tmp_path / "records" / "a.jsonl").read_text().splitlines()
    assert json.loads(first)["about"]["machine"]["cores"] == 2
    assert (json.loads(second)["ours"], json.loads(second)["goal"]) == (1.0, "≤ 0.6×")
    assert math.isnan(json.loads(second)["limit"])


def test_recorded_command_has_no_folder_of_the_machine(tmp_path):
    words = ["--full", "--only", "memory", "--only", "loading", "--n", "200"]
    options = _read([*words, "--data", str(tmp_path), "--keep", str(tmp_path)])
    assert _command(options) == " ".join(["python -m benchmarks.run", *words])


def test_tiny_pictures_are_all_different(tmp_path):
    paths = sorted(tiny_pictures(tmp_path, 40).rglob("*.png"))
    assert len({path.read_bytes() for path in paths}) == 40


def test_png_has_the_number_as_its_colour(tmp_path):
    from PIL import Image

    path = tmp_path / "a.png"
    path.write_bytes(_png(0x010203))
    with Image.open(path) as image:
        assert image.getpixel((0, 0)) == (1, 2, 3)
