import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from tar_files import png

from fivefold.core.errors import DataError, MissingExtraError
from fivefold.core.progress import Silent
from fivefold.data import audit, make_splits, table_of
from fivefold.data.decode import decode
from fivefold.data.hub import HubSource
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.source import Labels


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return datasets


def rows_of(datasets, labels, feature, *, images=None, **more):
    images = (
        [{"bytes": png(k), "path": None} for k in range(len(labels))] if images is None else images
    )
    features = datasets.Features({"image": datasets.Image(), "label": feature})
    return datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)


@pytest.fixture
def saved(datasets, tmp_path):
    feature = datasets.ClassLabel(names=["zebra", "ant", "yak"])
    rows_of(datasets, [0, 1, 0, 1, 0, -1], feature).save_to_disk(str(tmp_path / "saved"))
    return tmp_path / "saved"


def test_a_saved_data_set_is_read_in_place(saved):
    source = HubSource(saved)
    assert source.labels == (Labels("", ("zebra", "ant"), exclusive=True),)
    assert source.sample_ids[1:3] == ("data/1", "data/2")
    assert source.excluded == (("data/5", "no-label"),)
    assert source.warnings == ("no image has the class 'yak': it is no class",)
    np.testing.assert_array_equal(source.image(3), decode(png(3)))
    assert source.target(3).tolist() == [0, 1]
    assert source.name_of(3) == f"data/3 (hub: {saved})"


def test_folds_are_made_and_read_in_any_order(saved):
    source = HubSource(saved)
    table = table_of(source, audit(source, folds=2, progress=Silent()))
    splits = make_splits(table, folds=2)
    assert sorted(splits.fold_of) == [f"data/{k}" for k in range(5)]
    for i in (4, 0, 3, 1, 2, 0):
        np.testing.assert_array_equal(source.image(i), decode(png(i)))


def test_parts_are_chosen_by_name(datasets, tmp_path):
    feature = datasets.ClassLabel(names=["a", "b"])
    parts = {"train": [0, 1, 0], "test": [1, 0]}
    whole = datasets.DatasetDict({k: rows_of(datasets, v, feature) for k, v in parts.items()})
    whole.save_to_disk(str(tmp_path / "both"))
    assert len(HubSource(tmp_path / "both")) == 3
    assert HubSource(tmp_path / "both", split="test").sample_ids == ("test/0", "test/1")
    text = "split: expected one of its parts, got 'tset'\n.*did you mean 'test'"
    with pytest.raises(DataError, match=text) as error:
        HubSource(tmp_path / "both", split="tset")
    assert error.value.slug == "data/hub"


def write_folders(root, names=("cat", "dog"), count=3):
    for name in names:
        (root / name).mkdir(parents=True)
        for k in range(count):
            seed = 10 * names.index(name) + k
            pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{k}.png")


@pytest.mark.parametrize("streamed", [False, True])
def test_folders_of_images_are_the_same_read_or_streamed(datasets, tmp_path, streamed):
    write_folders(tmp_path / "photos")
    before = sorted((tmp_path / "photos").rglob("*"))
    source = HubSource(tmp_path / "photos", streamed=streamed)
    assert source.labels[0].class_names == ("cat", "dog")
    assert source.one_at_a_time is streamed
    expected = [
        np.asarray(Image.open(tmp_path / "photos" / name / f"{k}.png"))
        for name in ("cat", "dog")
        for k in range(3)
    ]
    for i in (0, 1, 2, 5, 3, 3, 0):
        np.testing.assert_array_equal(source.image(i), expected[i])
    found = audit(source, folds=3, progress=Silent())
    assert found.used == 6
    assert sorted((tmp_path / "photos").rglob("*")) == before


def test_streams_are_not_read_in_other_processes(datasets, tmp_path):
    write_folders(tmp_path / "photos")
    source = HubSource(tmp_path / "photos", streamed=True)
    assert source.trust.reason() == "a stream is read in its order"


def test_a_stream_that_is_read_in_no_order_is_told_once(datasets, tmp_path, caplog):
    write_folders(tmp_path / "photos", count=40)
    source = HubSource(tmp_path / "photos", streamed=True)
    for _ in range(6):
        for i in (0, 1, 7, 30, 79):  # passes through all of it, some rows left out
            source.image(i)
    assert caplog.text == ""
    for i in range(20, 8, -1):
        source.image(i)
    (told,) = caplog.messages
    assert told.startswith(f"hub: {tmp_path}/photos: rows of a stream are read in no order")
    assert "give `cache` room for all decoded images" in told


def test_tables_with_bytes_are_images_too(datasets, tmp_path):
    table = {"picture": [png(k) for k in range(4)], "species": ["b", "a", "b", ""]}
    (tmp_path / "tables").mkdir()
    datasets.Dataset.from_dict(table).to_parquet(str(tmp_path / "tables" / "train.parquet"))
    source = HubSource(tmp_path / "tables", image_column="picture", label_column="species")
    assert source.labels == (Labels("", ("a", "b"), exclusive=True),)
    assert source.excluded == (("train/3", "no-label"),)
    np.testing.assert_array_equal(source.image(2), decode(png(2)))


def test_several_labels_may_be_true(datasets, tmp_path):
    feature = datasets.List(datasets.ClassLabel(names=["a", "b", "c"]))
    rows_of(datasets, [[0, 2], [], [1]], feature).save_to_disk(str(tmp_path / "saved"))
    source = HubSource(tmp_path / "saved")
    assert source.labels == (Labels("", ("a", "b", "c"), exclusive=False),)
    assert [source.target(i).tolist() for i in range(3)] == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_rows_without_a_usable_image_are_set_aside(datasets, tmp_path):
    images = [{"bytes": png(k), "path": None} for k in range(4)]
    images += [{"bytes": b"no image", "path": None}, None]
    feature = datasets.ClassLabel(names=["a", "b"])
    saved = rows_of(datasets, [0, 1, 0, 1, 0, 1], feature, images=images)
    saved.save_to_disk(str(tmp_path / "saved"))
    found = audit(HubSource(tmp_path / "saved"), folds=2, progress=Silent())
    assert found.reasons == {"format_not_allowed": 1, "empty": 1}


def test_a_file_that_has_gone_is_a_missing_image(datasets, tmp_path):
    write_folders(tmp_path / "photos")
    source = HubSource(tmp_path / "photos")
    (tmp_path / "photos" / "cat" / "1.png").unlink()
    with pytest.raises(ImageProblem, match="there is no such file") as error:
        source.fetch(1)
    assert error.value.reason == Reason.MISSING


def test_a_stranger_cannot_have_files_of_this_machine_read(datasets, tmp_path, monkeypatch):
    (tmp_path / "mine.png").write_bytes(png(1))
    images = [{"bytes": None, "path": str(tmp_path / "mine.png")}]
    rows = rows_of(datasets, [0], datasets.ClassLabel(names=["a"]), images=images)
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **options: rows)
    with pytest.raises(ImageProblem, match=r"the data set names a file of yours: .*mine") as error:
        HubSource("stranger/flowers").fetch(0)
    assert error.value.reason == Reason.UNREADABLE


@pytest.mark.parametrize(
    "address",
    [
        "file://{}",
        "local://{}",
        "simplecache::file://{}",
        "file://{}::https://example.org/a.png",
        "zip://a.png::{}",
    ],
)
def test_neither_can_a_stranger_by_an_address(datasets, tmp_path, monkeypatch, address):
    (tmp_path / "mine.png").write_bytes(png(1))
    images = [{"bytes": None, "path": address.format(tmp_path / "mine.png")}]
    rows = rows_of(datasets, [0], datasets.ClassLabel(names=["a"]), images=images)
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **options: rows)
    with pytest.raises(ImageProblem, match=r"the data set names a file of yours: .*mine"):
        HubSource("stranger/flowers").fetch(0)


def test_a_picture_in_an_archive_of_the_data_sets_own_is_read(datasets, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_CACHE_HOME", tmp_path)
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        archive.writestr("1.png", png(1))
    images = [{"bytes": None, "path": f"zip://1.png::{tmp_path / 'own.zip'}"}]
    rows = rows_of(datasets, [0], datasets.ClassLabel(names=["a"]), images=images)
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **options: rows)
    np.testing.assert_array_equal(HubSource("stranger/flowers").image(0), decode(png(1)))


def test_names_on_the_hub_go_with_split_and_revision(datasets, monkeypatch):
    asked = []
    rows = rows_of(datasets, [0, 0], datasets.ClassLabel(names=["a"]))

    def load(*args, **options):
        asked.append((args, options))
        return rows

    monkeypatch.setattr(datasets, "load_dataset", load)
    source = HubSource("user/flowers", split="test", revision="v1")
    assert source.sample_ids == ("test/0", "test/1")
    assert asked == [(("user/flowers",), {"split": "test", "revision": "v1", "streaming": False})]


def test_what_is_no_data_set_is_told_in_one_line(datasets, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"hub: .*empty: expected a data set .*, got ") as error:
        HubSource(tmp_path / "empty")
    assert error.value.slug == "data/hub"


def test_a_package_that_is_missing_is_named(monkeypatch, tmp_path):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install \"fivefold\[hub\]\""):
        HubSource(tmp_path)


def test_bars_of_the_package_are_as_they_were(datasets, saved, capsys):
    shown = datasets.are_progress_bars_disabled()
    HubSource(saved)
    assert datasets.are_progress_bars_disabled() is shown
    assert capsys.readouterr().err == ""


def test_opening_a_data_set_loads_no_torch(saved):
    import subprocess

    code = (
        f"import sys; from fivefold.data.hub import HubSource; HubSource({str(saved)!r}).image(0); "
    )
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
