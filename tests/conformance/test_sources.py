"""What every source promises; `check_source` is for sources of one's own, too."""

import csv
import io
import json
import tarfile
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from fivefold.core.progress import Silent
from fivefold.data import (
    CsvSource,
    FilesSource,
    FolderSource,
    ParquetSource,
    PythonSource,
    audit,
    sources,
    table_of,
)
from fivefold.data.chosen import ChosenSource
from fivefold.data.coco import CocoBoxes, CocoSource
from fivefold.data.corrections import corrected
from fivefold.data.datasets import CategoryClassificationDataSet, source_of
from fivefold.data.hub import HubSource
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.data.mask_looks import AskedClasses
from fivefold.data.tars import ShardSource
from fivefold.data.views import (
    cache_in_memory,
    concatenate,
    enforce_one_vs_all,
    filter_samples,
    map_images,
    multihot,
    remap_classes,
    repeat,
    skip_background,
    take,
)


def check_source(source):
    """Check the promises that the rest of fivefold relies on."""
    count = len(source)
    assert count == len(source.sample_ids) == len(set(source.sample_ids))
    assert all(isinstance(sample_id, str) and sample_id for sample_id in source.sample_ids)
    assert source.groups is None or len(source.groups) == count
    columns = sum(len(labels.class_names) for labels in source.labels)
    for i in range(count):
        sample, fetched = source.sample(i), source.fetch(i)
        assert sample.sample_id == source.sample_ids[i]
        assert (sample.image.dtype, sample.image.ndim) == (np.uint8, 3)
        assert np.array_equal(source.image(i), sample.image)
        decoded = fetched.decode(None)
        assert np.array_equal(decoded.image, sample.image)
        assert (decoded.height, decoded.width) == sample.image.shape[:2]
        assert len(fetched.digest) == 64
        check_target(source, i, columns)
    if source.labels and count:
        expected = [source.target(i) for i in reversed(range(count))]
        assert np.array_equal(source.targets(list(reversed(range(count)))), expected)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(digest_of(source), range(count)))
    assert found == list(map(digest_of(source), range(count)))


def digest_of(source):
    return lambda i: source.fetch(i).digest


def check_target(source, i, columns):
    target = source.target(i)
    if not source.labels:
        assert target is None
        return
    assert target.shape == (columns,)
    assert set(np.unique(target)) <= {0, 1}
    start = 0
    for labels in source.labels:
        part = target[start : start + len(labels.class_names)]
        start += len(labels.class_names)
        assert not labels.exclusive or part.sum() == 1


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for k in range(3):
            pixels = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{k}.png")
    return tmp_path


def make_folder(data):
    return FolderSource(data)


def make_csv(data):
    with (data / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        writer.writerows([f"{name}/{k}", name] for name in ("cat", "dog") for k in range(3))
    return CsvSource(data / "table.csv", data)


def make_parquet(data):
    names = ("cat", "dog")
    images = {"image": [f"{name}/{k}" for name in names for k in range(3)]}
    table = pa.table(images | {"label": [name for name in names for _ in range(3)]})
    parquet.write_table(table, data / "table.parquet")
    return ParquetSource(data / "table.parquet", data)


def make_coco(data):
    ids = {"cat": 1, "dog": 2}
    images = [f"{name}/{k}.png" for name in ids for k in range(3)]
    document = {
        "images": [{"id": k, "file_name": name} for k, name in enumerate(images)],
        "annotations": [
            {"image_id": k, "category_id": ids[name[:3]], "bbox": [1, 1, 4, 3], "id": k}
            for k, name in enumerate(images)
        ],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }
    (data / "coco.json").write_text(json.dumps(document))
    return CocoSource(data / "coco.json", boxes="labels")


def make_hub(data):
    names = ["cat", "dog"]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=names)}
    )
    files = [data / name / f"{k}.png" for name in names for k in range(3)]
    images = [{"bytes": file.read_bytes(), "path": None} for file in files]
    rows = {"image": images, "label": [0, 0, 0, 1, 1, 1]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(data / "saved"))
    return HubSource(data / "saved")


def make_shards(data):
    with tarfile.open(data / "all.tar", "w") as tar:
        for name in ("cat", "dog"):
            for k in range(3):
                tar.add(data / name / f"{k}.png", f"{name}/{k}.png")
                text = tarfile.TarInfo(f"{name}/{k}.cls")
                text.size = len(name)
                tar.addfile(text, io.BytesIO(name.encode()))
    return ShardSource(data / "all.tar")


def make_masks(data):
    (data / "masks").mkdir()
    for number, name in enumerate(("cat", "dog")):
        (data / "masks" / name).mkdir()
        for k in range(3):
            mask = np.zeros((5, 6), np.uint8)
            mask[:2] = 1 + number
            Image.fromarray(mask).save(data / "masks" / name / f"{k}.png")
    asked = AskedClasses(("cat", "dog"), exclusive=False)
    return MaskFolderSource(data, data / "masks", asked)


def make_boxes(data):
    make_coco(data)
    return CocoBoxes(data / "coco.json", smallest=2)


def make_python(data):
    folder = FolderSource(data)
    return PythonSource([(folder.image(i), folder.target(i)) for i in range(len(folder))])


def make_files(data):
    return FilesSource(data)


MADE = {
    "coco": make_coco,
    "csv": make_csv,
    "folder": make_folder,
    "hub": make_hub,
    "masks": make_masks,
    "parquet": make_parquet,
    "python": make_python,
    "shards": make_shards,
}


def test_every_source_of_the_catalog_is_checked_here():
    assert sources.names() == sorted(MADE)


def make_chosen(data):
    return ChosenSource(FolderSource(data), [4, 0, 3])


def make_table(data):
    make_csv(data)
    return source_of(CategoryClassificationDataSet(data, data / "table.csv", "image", "label"))


@pytest.mark.parametrize("make", [*MADE.values(), make_boxes, make_files, make_chosen, make_table])
def test_sources_keep_their_promises(make, data):
    check_source(make(data))


def fixed(source):
    """Correct a label of a source and leave a sample out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fixes.csv"
        first, second = source.sample_ids[:2]
        last = source.labels[0].class_names[-1]
        path.write_text(f"id,corrected,keep\n{first},{last},\n{second},,no\n")
        return corrected(source, path)


VIEWS = {
    "corrected": fixed,
    "cached": cache_in_memory,
    "concatenated": lambda source: concatenate([source, source], names=["a", "b"]),
    "filtered": lambda source: filter_samples(source, lambda sample: "0" not in sample.sample_id),
    "mapped": lambda source: map_images(source, lambda image: image[::-1] // 2),
    "multihot": multihot,
    "of views": lambda source: repeat(take(cache_in_memory(multihot(source)), 4), 2),
    "one against all": lambda source: enforce_one_vs_all(source, "cat"),
    "remapped": lambda source: remap_classes(source, {"cat": "pet"}),
    "renamed": lambda source: remap_classes(source, {"dog": 0, "cat": 1}),
    "repeated": lambda source: repeat(source, 3),
    "taken": lambda source: take(source, 5),
    "without background": lambda source: skip_background(source, "cat"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_of_a_source_keep_its_promises(name, data):
    view = VIEWS[name](make_folder(data))
    assert len(view)
    check_source(view)


LABELLED = [make for name, make in MADE.items() if name != "masks"]


@pytest.mark.parametrize("make", [*LABELLED, make_boxes, make_table])
def test_labels_of_every_source_can_be_corrected(make, data):
    source = make(data)
    view = fixed(source)
    first = view.sample_ids.index(source.sample_ids[0])
    last = len(view.labels[0].class_names) - 1
    assert np.flatnonzero(view.target(first)).tolist() == [last]
    assert np.flatnonzero(source.target(0)).tolist() != [last]
    assert len(view) == len(source) - 1
    check_source(view)


@pytest.mark.parametrize("make", [*MADE.values(), make_table])
def test_all_roads_lead_to_the_same_table(make, data):
    source = make(data)
    table = table_of(source, audit(source, folds=3, progress=Silent()))
    assert np.asarray(table.targets).argmax(axis=1).tolist() == [0, 0, 0, 1, 1, 1]
    assert Counter(table.groups) == Counter(table.ids)
