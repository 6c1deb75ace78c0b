"""What every source of masks promises, wherever the masks come from."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from shapes import draw_masks

from fivefold.core.masks import counts_of
from fivefold.core.progress import Silent
from fivefold.data.audit import audit
from fivefold.data.coco import CocoMasks
from fivefold.data.coco.outlines import counts_of_plane, text_of_counts
from fivefold.data.csv_text import read_table
from fivefold.data.datasets import (
    BinarySegmentationDataSet,
    CompositeDataSet,
    SimplePNGMaskDataSet,
)
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.data.mask_looks import AskedClasses
from fivefold.data.python_class import PythonSource
from fivefold.data.rle import rle_encode
from fivefold.data.run_lengths import RunLengthSource, Runs
from fivefold.data.samples import table_of

COUNT = 6


@pytest.fixture
def root(tmp_path):
    """Six images of up to three classes, two of them with nothing."""
    return draw_masks(tmp_path, COUNT, classes=3, empty_every=3, size=(24, 30))


def numbers(root):
    return [np.array(Image.open(path)) for path in sorted((root / "train_mask").iterdir())]


def folder(root, *, exclusive):
    asked = AskedClasses(exclusive=exclusive, count=4 if exclusive else 3)
    return MaskFolderSource(root / "train", root / "train_mask", asked)


def table(root, *, exclusive):
    rows = [
        (f"{k:03d}.jpg", name, rle_encode(mask == name))
        for k, mask in enumerate(numbers(root))
        for name in (1, 2, 3)
    ]
    with (root / "rle.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "class", "rle"), *rows])
    runs = Runs("rle", "class", background="background" if exclusive else None)
    return RunLengthSource(read_table(root / "rle.csv"), root / "train", runs, {})


def coco(root, *, exclusive):
    annotations = [
        {
            "image_id": k,
            "category_id": name,
            "segmentation": {
                "size": list(mask.shape),
                "counts": text_of_counts(counts_of_plane(mask == name)),
            },
        }
        for k, mask in enumerate(numbers(root))
        for name in (1, 2, 3)
        if (mask == name).any()
    ]
    document = {
        "images": [{"id": k, "file_name": f"{k:03d}.jpg"} for k in range(COUNT)],
        "categories": [{"id": name, "name": str(name)} for name in (1, 2, 3)],
        "annotations": annotations,
    }
    (root / "coco.json").write_text(json.dumps(document))
    background = "background" if exclusive else None
    return CocoMasks(root / "coco.json", root / "train", background=background)


class Items:
    """Masks as `y`, with a plane for each class or as numbers."""

    def __init__(self, root, *, exclusive):
        self.class_names = ("background", "1", "2", "3")[0 if exclusive else 1 :]
        self.images = [np.array(Image.open(p)) for p in sorted((root / "train").iterdir())]
        planes = [np.stack([mask == n for n in (1, 2, 3)], axis=2) for mask in numbers(root)]
        self.masks = numbers(root) if exclusive else planes

    def __len__(self):
        return COUNT

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


def python(root, *, exclusive):
    return PythonSource(Items(root, exclusive=exclusive))


SOURCES = (folder, table, coco, python)


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("make", SOURCES)
def test_sources_of_the_same_masks_say_the_same(make, exclusive, root):
    source, drawn = make(root, exclusive=exclusive), numbers(root)
    kind = source.masks
    assert (kind.exclusive, kind.num_classes) == (exclusive, 4 if exclusive else 3)
    assert source.labels[0].class_names[-3:] == ("1", "2", "3")
    assert not source.labels[0].exclusive
    for i, expected in enumerate(drawn):
        mask = source.mask(i)
        assert (mask.dtype, mask.shape) == (np.uint8, (*expected.shape, kind.planes))
        planes = [mask[..., 0] == n if exclusive else mask[..., n - 1] == 1 for n in (1, 2, 3)]
        np.testing.assert_array_equal(planes, [expected == n for n in (1, 2, 3)])
        decoded = source.fetch(i).decode((8, 8))
        np.testing.assert_array_equal(decoded.mask, mask)
        assert (decoded.height, decoded.width) == expected.shape
        np.testing.assert_array_equal(source.sample(i).mask, mask)
        np.testing.assert_array_equal(source.counts(i), counts_of(mask, kind))
        shown = source.target(i)[-3:]
        np.testing.assert_array_equal(shown, [(expected == n).any() for n in (1, 2, 3)])
        assert source.is_positive(i) == expected.any()


@pytest.mark.parametrize("make", SOURCES)
def test_sources_may_be_read_from_several_threads_and_audited(make, root):
    source = make(root, exclusive=True)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda i: source.fetch(i).digest, range(COUNT)))
    assert found == [source.fetch(i).digest for i in range(COUNT)]
    assert len(set(found)) == COUNT
    audited = audit(source, folds=2, progress=Silent())
    assert audited.used == COUNT
    made = table_of(source, audited)
    np.testing.assert_array_equal(made.targets[:], source.targets(list(range(COUNT))))
    for i in range(COUNT):
        np.testing.assert_array_equal(source.counts(i), counts_of(source.mask(i), source.masks))


def test_muskets_data_sets_give_the_same_masks_alone_and_together(root):
    for path in (root / "train_mask").iterdir():
        Image.fromarray((np.array(Image.open(path)) > 0).astype(np.uint8) * 255).save(path)
    drawn = numbers(root)
    rows = [(f"{k:03d}", rle_encode(mask)) for k, mask in enumerate(drawn)]
    with (root / "rle.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "rle"), *rows])
    pictures = SimplePNGMaskDataSet(root / "train", root / "train_mask")
    runs = BinarySegmentationDataSet(root / "train", root / "rle.csv", "image", "rle")
    both = PythonSource(CompositeDataSet([pictures, runs]))
    for i in range(2 * COUNT):
        np.testing.assert_array_equal(both.mask(i)[..., 0], drawn[i % COUNT] > 0)
        own = (pictures, runs)[i // COUNT].source
        np.testing.assert_array_equal(own.mask(i % COUNT), both.mask(i))
