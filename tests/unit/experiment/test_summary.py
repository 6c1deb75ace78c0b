import random
from dataclasses import replace

import pytest

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.experiment.summary import Summary, read_summary, write_summary

SPREAD = {"mean": 1e-05, "std": 0.0, "min": float("-inf"), "max": 1e300}
FOUND = Summary((0, 2), True, "val_a", ({"val_a": SPREAD}, {"val_a": SPREAD}), {"a": 1 / 3})


def written(tmp_path, summary=FOUND):
    folder = RunFolder.of(tmp_path)
    write_summary(folder, summary)
    return folder


def test_a_summary_comes_back(tmp_path):
    assert read_summary(written(tmp_path)) == FOUND


def test_a_metric_without_a_value_comes_back(tmp_path):
    summary = Summary((0,), True, "x", ({},), {"x": float("nan")}, {"x": float("nan")})
    assert repr(read_summary(written(tmp_path, summary))) == repr(summary)


def test_what_was_taken_from_elsewhere_comes_back(tmp_path):
    summary = replace(FOUND, reused={"0.0": "/runs/a", "2.1": "/runs/caf\\xe9: 'x'"})
    assert read_summary(written(tmp_path, summary)) == summary


def test_how_many_samples_stages_are_validated_on_comes_back(tmp_path):
    folder = written(tmp_path, replace(FOUND, validated=(12, 36)))
    assert read_summary(folder).validated == (12, 36)
    assert "validated" not in written(tmp_path).summary_path.read_text()


@pytest.mark.parametrize(
    ("validated", "told"),
    [
        ((), ""),
        ((12, 36), "stage 0 on 12; stage 1 on 36"),
        ((12, 36, 12), "stages 0, 2 on 12; stage 1 on 36"),
    ],
)
def test_stages_of_different_samples_are_said_not_to_compare(validated, told):
    start = "stages are validated on different samples: "
    whole = f"{start}{told}: do not compare their numbers" if told else ""
    assert replace(FOUND, validated=validated).footnote == whole


def test_a_summary_from_before_stages_were_reused_is_read(tmp_path):
    folder = written(tmp_path)
    assert "reused" not in folder.summary_path.read_text()
    assert read_summary(folder).reused == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("completed: true", "completed: 1"),
        ("completed: true\n", ""),
        ("- 0\n", "- x\n"),
        ("- 0\n", "- -1\n"),
        ("folds:\n- 0\n- 2\n", "folds: []\n"),
        ("    std: 0.0\n", ""),
        ("std: 0.0", "std: 0.0\n    z: 1"),
        ("mean: 1e-05", "mean: x"),
        ("oof:", "extra: 1\noof:"),
        ("oof:", "reused: [0.0]\noof:"),
        ("oof:", "reused: {0.0: 1}\noof:"),
        ("primary_metric: val_a", "primary_metric: 5"),
        ("primary_metric: val_a", "primary_metric: !x 5"),
        ("oof:", "oof: :"),
        ("oof:", "completed: true\noof:"),
    ],
)
def test_each_edit_is_told_with_the_way_out(tmp_path, old, new):
    folder = written(tmp_path)
    text = folder.summary_path.read_text().replace("mean: 1.0e-05", "mean: 1e-05")
    assert old in text
    folder.summary_path.write_text(text.replace(old, new, 1))
    with pytest.raises(StateError, match=r"summary\.yaml: .*\n    delete it and run") as error:
        read_summary(folder)
    assert error.value.slug == "state/damaged"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a"),
        ("stages: [5]", "completed: required, but not set"),
        ("[" * 20_000, "expected a summary in YAML"),
        ("!!python/object:os.system {}", "expected a summary in YAML"),
        ("? [a]\n: 1", "expected a|required"),
        ("? {a: 1}\n: 1", "expected a|required"),
    ],
)
def test_other_content_is_told(tmp_path, text, message):
    folder = RunFolder.of(tmp_path)
    folder.summary_path.write_text(text)
    with pytest.raises(StateError, match=message):
        read_summary(folder)


def test_a_summary_cut_anywhere_is_told_or_whole(tmp_path):
    folder = written(tmp_path, Summary((0,), True, "x", ({"x": SPREAD},), {"x": 1.5}))
    text = folder.summary_path.read_text()
    for size in range(text.index("oof")):
        folder.summary_path.write_text(text[:size])
        with pytest.raises(StateError, match=r"summary\.yaml: "):
            read_summary(folder)


def test_noise_is_never_more_than_damage(tmp_path):
    folder, draw = written(tmp_path), random.Random(0)
    text = folder.summary_path.read_text()
    for _ in range(300):
        place = draw.randrange(len(text))
        noise = "".join(draw.choices("[]{}:-?!&*|>%@'\"#,\t\n\0 x5", k=3))
        folder.summary_path.write_text(text[:place] + noise + text[place + 2 :])
        try:
            read_summary(folder)
        except StateError as error:
            assert error.slug == "state/damaged"  # noqa: PT017  some noise is harmless
