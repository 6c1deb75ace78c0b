import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError

HEAD = "architecture: Unet\nbackbone: resnet18\nshape: [32, 32, 3]\nstages: [{epochs: 1}]\n"


def section(text):
    return parse(f"{HEAD}dataset: {{{text}}}\n").dataset


def test_a_table_may_write_masks_in_run_lengths():
    found = section(
        "csv: t.csv, rle_column: EncodedPixels, class_column: ClassId, rle: relative, "
        "mask_shape: [350, 525], background: ground"
    )
    assert (found.rle_column, found.class_column) == ("EncodedPixels", "ClassId")
    assert (found.rle, found.mask_shape, found.background) == ("relative", (350, 525), "ground")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("csv: t.csv, rle: rows", "no rle without rle_column"),
        ("csv: t.csv, class_column: c", "no class_column without rle_column"),
        ("csv: t.csv, background: b", "no background without rle_column"),
        ("csv: t.csv, rle_column: r, label_column: l", "no label_column with rle_column"),
        ("csv: t.csv, rle_column: r, separator: '|'", "no separator with rle_column"),
        ("folder: f, rle_column: r", "only keys that go with 'folder', not rle_column"),
        ("coco: c.json, masks: folder", "`masks: true` with coco, not the folder 'folder'"),
        ("coco: c.json, masks: true, boxes: labels", "only one of boxes and masks"),
        ("coco: c.json, masks: false", "true with `coco`, or a folder of masks"),
        ("csv: t.csv, rle_column: r, rle: diagonal", "expected 'columns', 'rows' or 'relative'"),
        ("csv: t.csv, rle_column: r, mask_shape: [1000000, 1000000]", "expected height and width"),
        ("csv: t.csv, rle_column: r, mask_shape: [1]", "expected height and width in pixels"),
    ],
)
def test_keys_of_run_lengths_go_with_their_column(text, expected):
    with pytest.raises(ConfigError, match=expected):
        section(text)
