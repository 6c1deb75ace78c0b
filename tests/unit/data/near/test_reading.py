import numpy as np
from PIL import Image, ImageFilter

from fivefold.build.pixels import build_preprocess
from fivefold.core.progress import Silent
from fivefold.data import FolderSource
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.near import DISTANCE
from fivefold.data.near.reading import read_contents
from fivefold.data.near.ties import find_near
from fivefold.data.samples import table_of_all


def photos(root, count=6):
    """Write pictures, each with one saved anew and smaller; a file that is cut off, and none."""
    rng = np.random.default_rng(5)
    (root / "a").mkdir(parents=True)
    for k in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        image = coarse.resize((300, 240), Image.Resampling.BICUBIC)
        image.save(root / "a" / f"{k}.png")
        image.resize((260, 208)).filter(ImageFilter.SHARPEN).save(root / "a" / f"{k} again.jpg")
    whole = (root / "a" / "0.png").read_bytes()
    for name in ("cut", "cut too"):
        (root / "a" / f"{name}.png").write_bytes(whole[: len(whole) // 2])
    (root / "a" / "empty.png").write_bytes(b"")
    return FolderSource(root)


def test_the_same_are_found_as_in_training(tmp_path):
    source = photos(tmp_path)
    contents = read_contents(source, Silent())
    table = table_of_all(source, contents.digests)
    found = contents.firsts(table, DISTANCE)
    again = [k for k, name in enumerate(table.ids) if "again" in name]
    together = {table.ids[k]: table.ids[found[k]] for k in range(len(table)) if found[k] != k}
    assert together == {f"a/{k}.png": f"a/{k} again.jpg" for k in range(len(again))}
    readable = np.array([k for k, h in enumerate(contents.hashes.tolist()) if h])
    kept = Kept(build_preprocess((224, 224, 3)), len(source))
    images = ResizedImages(source, table.take(readable), kept)
    assert np.array_equal(readable[find_near(images, DISTANCE, Silent())], found[readable])


def test_what_cannot_be_decoded_is_like_no_other_but_its_exact_copy(tmp_path):
    source = photos(tmp_path, 2)
    contents = read_contents(source, Silent())
    digest = dict(zip(source.sample_ids, contents.digests, strict=True))
    assert sum(contents.unread.reasons.values()) == len(contents.unread) == 3
    assert contents.unread.reasons["empty"] == 1
    assert digest["a/cut.png"] == digest["a/cut too.png"]
    table = table_of_all(source, contents.digests)
    bad = [k for k, name in enumerate(table.ids) if "cut" in name or "empty" in name]
    assert contents.firsts(table, DISTANCE)[bad].tolist() == bad


def test_the_order_of_the_samples_makes_no_difference(tmp_path):
    source = photos(tmp_path)
    contents = read_contents(source, Silent())
    sets = []
    for order in (range(len(source)), reversed(range(len(source)))):
        rows = list(order)
        table = table_of_all(source, contents.digests).take(rows)
        mixed = type(contents)(
            [contents.digests[k] for k in rows],
            contents.hashes[rows],
            contents.thumbnails[rows],
            contents.unread,
        )
        firsts = mixed.firsts(table, DISTANCE)
        sets.append({name: table.ids[firsts[k]] for k, name in enumerate(table.ids)})
    assert sets[0] == sets[1]
