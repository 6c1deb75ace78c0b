"""A folder of images and a folder of masks with the same names."""

import json

import numpy as np
import pytest
from PIL import Image
from shapes import draw_masks

from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.masks import MaskKind, counts_of
from fivefold.core.progress import Silent
from fivefold.data.audit import audit, examine_headers
from fivefold.data.image_problem import ImageProblem
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.data.mask_looks import AskedClasses
from fivefold.data.samples import table_of


@pytest.fixture
def drawn(tmp_path):
    return draw_masks(tmp_path / "shapes", 10, size=(20, 28), classes=3, empty_every=4)


def opened(root, asked=AskedClasses()):  # noqa: B008  frozen
    return MaskFolderSource(root / "train", root / "train_mask", asked)


def audited(source, **options):
    return audit(source, folds=2, progress=Silent(), **options)


def of_file(root, i):
    return np.array(Image.open(root / "train_mask" / f"{i:03}.png"))


def test_masks_are_those_of_the_files(drawn):
    source = opened(drawn)
    assert source.masks == MaskKind(4, True)
    assert source.labels[0].class_names == ("background", "1", "2", "3")
    assert list(source.sample_ids) == [f"{i:03}.jpg" for i in range(10)]
    for i in range(10):
        numbers = of_file(drawn, i)
        assert np.array_equal(source.mask(i)[..., 0], numbers)
        assert np.array_equal(source.sample(i).mask[..., 0], numbers)
        decoded = source.fetch(i).decode((8, 8))
        assert decoded.mask.shape == (decoded.height, decoded.width, 1)
        assert source.target(i).tolist() == [float(k in numbers) for k in range(4)]
        assert source.is_positive(i) == bool(numbers.any()) == (i % 4 != 3)
        assert source.counts(i).tolist() == counts_of(source.mask(i), source.masks).tolist()


def test_after_the_audit_no_mask_is_read_for_its_classes(drawn, monkeypatch):
    source = opened(drawn)
    found = audited(source)
    expected = [opened(drawn).target(i).tolist() for i in range(10)]
    monkeypatch.setattr(MaskFolderSource, "mask", None)
    table = table_of(source, found)
    assert table.masks == source.masks
    assert table.targets[np.arange(10)].tolist() == expected
    assert [source.is_positive(i) for i in range(10)] == [i % 4 != 3 for i in range(10)]


def test_the_digest_is_of_image_mask_and_how_it_is_read(drawn):
    digest = opened(drawn).fetch(0).digest
    assert opened(drawn).fetch(0).digest == digest
    named = opened(drawn, AskedClasses(("sea", "a", "b", "c")))
    assert named.fetch(0).digest != digest
    stamp, other = opened(drawn).stamp(0), named.stamp(0)
    assert stamp != other
    assert stamp.split("+")[0] == other.split("+")[0]
    Image.fromarray(of_file(drawn, 0)[::-1]).save(drawn / "train_mask" / "000.png")
    assert opened(drawn).fetch(0).digest != digest
    assert opened(drawn).stamp(0) != stamp
    assert opened(drawn).header(0).stamp == opened(drawn).stamp(0)


def test_a_second_run_reads_nothing_again_but_what_has_changed(drawn, tmp_path, monkeypatch):
    folder = RunFolder.of(tmp_path / "config.yaml")
    first = audited(opened(drawn), folder=folder)
    reads = []
    original = MaskFolderSource.fetch
    monkeypatch.setattr(
        MaskFolderSource, "fetch", lambda self, i: (reads.append(i), original(self, i))[1]
    )
    assert audited(opened(drawn), previous=folder.audit_path).rows == first.rows
    assert reads == []
    Image.fromarray(of_file(drawn, 4)[::-1]).save(drawn / "train_mask" / "004.png")
    again = opened(drawn)
    found = audited(again, previous=folder.audit_path)
    assert reads == [4]
    assert found.rows[4].counts == tuple(again.counts(4).tolist())


BROKEN = {
    0: ("mask_size", "expected the height and width of the image, 20 x 28, got a mask of 28 x 20"),
    1: ("mask_values", "expected 0, 1, 2, 3, 255, got 9; `mask_classes` says what values mean"),
    2: ("mask_colours", "RGB where labels are expected, such as (10, 20, 30), (0, 0, 0); expected "
        "one number 0-255 for each pixel, or colours that `mask_classes` names"),
    4: ("mask_unreadable", "empty: 0 bytes"),
    5: ("mask_unreadable", "format_not_allowed: the content is none of JPEG, PNG, "),
    6: ("mask_unreadable", "truncated: OSError: image file is truncated"),
}  # fmt: skip


def test_a_mask_that_cannot_be_used_is_quarantined_with_its_path(drawn, tmp_path, caplog):
    masks = drawn / "train_mask"
    source = opened(drawn)
    Image.fromarray(of_file(drawn, 0).T).save(masks / "000.png")
    Image.fromarray(np.full((20, 28), 9, np.uint8)).save(masks / "001.png")
    coloured = np.full((20, 28, 3), (10, 20, 30), np.uint8)
    coloured[:2] = 0
    Image.fromarray(coloured).save(masks / "002.png")
    (masks / "004.png").write_bytes(b"")
    (masks / "005.png").write_bytes(b"no mask")
    (masks / "006.png").write_bytes((masks / "006.png").read_bytes()[:-30])
    folder = RunFolder.of(tmp_path / "config.yaml")
    found = audited(source, folder=folder)
    assert (found.used, found.quarantined) == (4, 6)
    lines = [json.loads(line) for line in folder.quarantine_path.read_text().splitlines()]
    assert [line["id"] for line in lines] == [f"{i:03}.jpg" for i in BROKEN]
    for i, line in zip(BROKEN, lines, strict=True):
        reason, detail = BROKEN[i]
        assert line["reason"] == reason
        assert line["detail"].startswith(f"its mask {masks}/{i:03}.png: ")
        assert detail in line["detail"]
    assert "6 images cannot be used: " in caplog.text
    assert "1 with a mask of another size" in caplog.text
    first = (
        f"(first its mask {masks}/000.png: expected the height and width of the image, 20 x 28, "
    )
    assert first in caplog.text


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_mask_turns_with_its_image(tmp_path, orientation):
    rng = np.random.default_rng(0)
    raw = np.zeros((12, 20), np.uint8)
    raw[1:5, 2:9] = 255
    pixels = rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)
    pixels[raw > 0] = 255
    for name in ("train", "train_mask"):
        (tmp_path / name).mkdir()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(pixels)
    image.save(tmp_path / "train/a.png", exif=exif)
    turned = orientation in (6, 8)
    # A mask of the image as the camera has written it; upright ones are used as they are.
    back = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    as_written, upright = raw, np.rot90(raw, back)
    for mask in (upright, as_written) if turned else (upright,):
        Image.fromarray(mask).save(tmp_path / "train_mask/a.png")
        decoded = opened(tmp_path).fetch(0).decode(None)
        assert decoded.mask.shape[:2] == decoded.image.shape[:2] == upright.shape
        shown = (decoded.image == 255).all(axis=2)
        assert np.array_equal(decoded.mask[..., 0] == 1, shown)
        assert np.array_equal(opened(tmp_path).mask(0), decoded.mask)


def test_a_class_that_is_nowhere_is_named(drawn, caplog):
    asked = AskedClasses(("ground", "circle", "square", "triangle", "star"))
    audited(opened(drawn, asked))
    assert "class 'star' is in no mask: some of 2 folds will not hold them" in caplog.text


def test_masks_that_are_all_empty_stop_the_audit(tmp_path):
    root = draw_masks(tmp_path, 4, size=8, classes=2, empty_every=1)
    asked = AskedClasses({"ground": 0, "thing": 1})
    with pytest.raises(
        DataError, match="masks: expected masks that show something, got 4 that are"
    ):
        audited(opened(root, asked))


def test_masks_that_all_show_the_same_classes_can_be_learned(tmp_path):
    root = draw_masks(tmp_path, 6, size=24)
    assert audited(opened(root)).used == 6


def test_who_reads_only_how_files_begin_reads_masks_wholly(drawn):
    (drawn / "train_mask" / "003.png").write_bytes(b"")
    image = drawn / "train" / "004.jpg"
    image.write_bytes(image.read_bytes()[:-100])
    source = opened(drawn)
    found = examine_headers(source, folds=2, progress=Silent())
    assert (found.audit.used, list(found.refusals)) == (9, [])
    assert found.audit.rows[3].reason == "mask_unreadable"
    assert found.audit.rows[4].counts == tuple(source.counts(4).tolist())


def test_a_mask_that_has_gone_is_a_problem_of_its_sample(drawn):
    source = opened(drawn)
    (drawn / "train_mask" / "001.png").unlink()
    assert source.stamp(1) == ""
    with pytest.raises(
        ImageProblem, match=r"mask_unreadable: its mask .*001\.png: missing: there "
    ):
        source.fetch(1)


def test_what_was_found_and_what_is_missing_is_told(drawn):
    (drawn / "train" / "000.jpg").unlink()
    (drawn / "train_mask" / "001.png").unlink()
    source = opened(drawn)
    assert source.notes == (
        "train_mask holds numbers 0 to 3: 4 classes, one for each pixel; `mask_classes` names and "
        "changes that",
    )
    assert [text.partition(",")[0] for text in source.warnings] == [
        "1 image without a mask", "1 mask without an image"
    ]  # fmt: skip
    found = audited(source)
    assert (found.listed, found.used, found.excluded) == (10, 8, 2)
    assert len(found.warnings) == 2
