"""Wrong labels are found, corrected in a table, and trained without."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG, write_experiment
from sklearn.datasets import load_digits

from fivefold.core.durable import read_json
from fivefold.core.errors import StateError
from fivefold.core.predictions import Predictions
from fivefold.data.audited import Audit
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.finished import find_finished

CORRECTED = CONFIG.replace("folder: shapes}", "folder: shapes, corrections: fixes.csv}")
FIXES = "id,corrected,keep\ncircle/000.png,square,\nsquare/001.png,,no\n"
DIGITS = """\
architecture: tiny
weights: none
shape: [24, 24, 3]
batch: 32
lr: 0.01
folds_count: 3
metrics: [accuracy]
primary_metric: val_accuracy
stages: [{epochs: 16, schedule: OneCycle}]
dataset: {folder: ../digits}
"""


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def with_fixes(folder, text=FIXES, config=CORRECTED):
    write_experiment(folder, config=config)
    (folder / "fixes.csv").write_text(text)
    return folder


def labels_of(folder):
    parts = [Predictions.load(path) for path in (folder / "predictions").glob("validation-*.1.npz")]
    return {
        sample_id: part.class_names[int(row.argmax())]
        for part in parts
        for sample_id, row in zip(part.ids, part.targets, strict=True)
    }


@pytest.mark.slow
def test_a_run_sees_other_labels_and_records_it_while_the_data_stay(tmp_path, caplog):
    folder = with_fixes(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    Experiment.load(folder).fit()
    assert {path: path.read_bytes() for path in before} == before
    labels = labels_of(folder)
    assert labels["circle/000.png"] == "square"
    assert "square/001.png" not in labels
    assert len(labels) == 23
    manifest = read_json(folder / "manifest.json")
    assert manifest["found_in_data"] == ["fixes.csv: 1 label changed, 1 sample left out"]
    assert list(manifest["corrections"]) == ["dataset"]
    rows = Audit.load(folder / "data" / "audit.json").rows
    reasons = {row.sample_id: row.reason for row in rows if row.status == "excluded"}
    assert reasons == {"square/001.png": "corrections"}
    caplog.clear()
    assert find_finished(folder)
    assert caplog.text == ""
    (folder / "fixes.csv").write_text(FIXES.replace("square,", "triangle,"))
    assert find_finished(folder)
    assert "the table of corrections was written anew since this run finished" in caplog.text


@pytest.mark.slow
def test_a_begun_run_goes_on_only_with_the_labels_that_it_was_begun_with(tmp_path):
    folder = with_fixes(tmp_path)
    Experiment.load(folder).fit(folds=[0])
    (folder / "fixes.csv").write_text(FIXES.replace("square,", "triangle,"))
    told = "relabelled: circle/000.png: was 'square', is 'triangle'"
    with pytest.raises(StateError, match=told) as error:
        Experiment.load(folder).fit()
    assert error.value.slug == "state/data-changed"
    (folder / "config.yaml").write_text(CONFIG)
    with pytest.raises(StateError, match=r"dataset\.corrections") as error:
        Experiment.load(folder).fit()
    assert error.value.slug == "state/config-changed"
    (folder / "config.yaml").write_text(CORRECTED.replace("fixes.csv", "again.csv"))
    (folder / "fixes.csv").unlink()
    (folder / "again.csv").write_text(FIXES)
    assert Experiment.load(folder).fit().completed


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_stages_are_shared_only_where_the_labels_are_the_same(tmp_path):
    plain = write_experiment(tmp_path / "plain")
    Experiment.load(plain).fit()
    other = with_fixes(tmp_path / "other")
    assert not Experiment.load(other).fit().reused
    nothing = with_fixes(tmp_path / "nothing", "id,corrected\ncircle/000.png,circle\n")
    assert len(Experiment.load(nothing).fit().reused) == 4


def write_digits(root, turned):
    """Write scans of digits as images, some of them into the folders of other classes."""
    data, true = load_digits(), {}
    for i, (image, digit) in enumerate(zip(data.images, data.target.tolist(), strict=True)):
        name = f"{turned.get(i, digit)}/{i:04}.png"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = Image.fromarray((image * 15.9).astype(np.uint8))
        pixels.resize((24, 24), Image.Resampling.BILINEAR).save(root / name)
        true[name] = str(digit)
    return true


@pytest.mark.slow
def test_wrong_digits_are_found_corrected_and_learnt(tmp_path):
    rng, digits = np.random.default_rng(0), load_digits().target
    wrong = rng.permutation(len(digits))[: round(0.03 * len(digits))].tolist()
    turned = {i: int(digits[i] + rng.integers(1, 10)) % 10 for i in wrong}
    true = write_digits(tmp_path / "digits", turned)
    for name, config in (
        ("first", DIGITS),
        ("second", DIGITS.replace("../digits}", "../digits, corrections: fixes.csv}")),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(config)
    first = Experiment.load(tmp_path / "first")
    before = first.fit().oof["accuracy"]
    table = first.suspects()
    (head,) = table.found.heads
    assert head.wrong.low < 0.03 < head.wrong.high + 0.02
    assert first.suspects(ranking="own").as_csv() == table.as_csv()
    rows = list(csv.DictReader(table.as_csv().decode().splitlines()))
    right = [row for row in rows if row["suggested"] == true[row["id"]] != row["given"]]
    assert len(right) >= 0.8 * len(wrong)
    with (tmp_path / "second" / "fixes.csv").open("w") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "corrected": row["suggested"]} for row in rows)
    after = Experiment.load(tmp_path / "second").fit().oof["accuracy"]
    assert after >= before + 0.015
