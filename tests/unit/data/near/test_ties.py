import io

import numpy as np
import pytest
from PIL import Image
from shapes import NAMES, draw

from fivefold.augment import resize
from fivefold.core.progress import Silent
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.near.ties import find_near, tied
from fivefold.data.preprocess import Preprocess
from fivefold.data.samples import SampleTable
from fivefold.data.source import Sample, Source, pixel_digest

SHAPE = (48, 48, 3)


class Pictures(Source):
    def __init__(self, pictures):
        self.sample_ids = tuple(pictures)
        self._pictures = list(pictures.values())

    def sample(self, i):
        return Sample(self.sample_ids[i], self._pictures[i])


def as_jpeg(image, quality=80):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(3)
    drawn = {f"{k:02}": np.asarray(draw(NAMES[k % 3], rng, 64)) for k in range(20)}
    blank = {name: np.full((64, 64, 3), 200, np.uint8) for name in ("blank a", "blank b")}
    return {
        **drawn,
        "copy of 07": as_jpeg(drawn["07"]),
        "a copy of 02": as_jpeg(drawn["02"]),
        **blank,
    }


def images_of(pictures, groups=None):
    source = Pictures(pictures)
    ids = source.sample_ids
    table = SampleTable(
        ids=ids,
        indices=np.arange(len(ids)),
        targets=None,
        labels=(),
        groups=groups or ids,
        digests=tuple(map(pixel_digest, pictures.values())),
    )
    preprocess = Preprocess(SHAPE, lambda image: resize(image, height=48, width=48))
    return ResizedImages(source, table, Kept(preprocess, len(source)))


def sets_of(table):
    found = {}
    for sample_id, group in zip(table.ids, table.groups, strict=True):
        found.setdefault(group, set()).add(sample_id)
    return sorted(sorted(members) for members in found.values() if len(members) > 1)


def test_pictures_that_were_saved_anew_come_into_one_group(pictures):
    images = images_of(pictures)
    table = tied(images.table, find_near(images, 4, Silent()))
    assert sets_of(table) == [["02", "a copy of 02"], ["07", "copy of 07"]]


def test_the_order_of_the_listing_does_not_matter(pictures):
    names = list(pictures)
    np.random.default_rng(0).shuffle(names)
    images, shuffled = images_of(pictures), images_of({name: pictures[name] for name in names})
    one, other = (tied(x.table, find_near(x, 4, Silent())) for x in (images, shuffled))
    assert dict(zip(one.ids, one.groups, strict=True)) == dict(
        zip(other.ids, other.groups, strict=True)
    )


def test_near_duplicates_join_the_groups_that_they_are_in(pictures):
    groups = ["g" if name in ("00", "07") else name for name in pictures]
    images = images_of(pictures, tuple(groups))
    table = tied(images.table, find_near(images, 4, Silent()))
    assert ["00", "07", "copy of 07"] in sets_of(table)


def test_the_first_is_told_in_the_order_of_ids(pictures):
    images = images_of(pictures)
    firsts = find_near(images, 4, Silent())
    ids = images.table.ids
    found = {ids[row]: ids[first] for row, first in enumerate(firsts) if row != first}
    assert found == {"copy of 07": "07", "a copy of 02": "02"}
