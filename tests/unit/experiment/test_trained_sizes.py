import pytest

from fivefold.core.layout import RunFolder
from fivefold.data.audit_rows import QUARANTINED, USED, AuditRow, AuditRows
from fivefold.data.audited import Audit
from fivefold.experiment.trained_sizes import largest_trained_on, typical_trained_on


def trained_on(path, *sizes):
    folder = RunFolder.of(path)
    rows = [AuditRow(str(i), USED, height=h, width=w) for i, (h, w) in enumerate(sizes)]
    rows.append(AuditRow("bad", QUARANTINED, reason="truncated", height=900, width=900))
    Audit(AuditRows.of(rows), listed=len(rows)).save(folder)
    return folder


def test_nothing_is_known_of_images_that_nobody_wrote_down(tmp_path):
    assert largest_trained_on(RunFolder.of(tmp_path)) is None
    assert typical_trained_on(RunFolder.of(tmp_path)) is None


def test_the_largest_image_trained_on_is_that_of_most_pixels(tmp_path):
    assert largest_trained_on(trained_on(tmp_path, (20, 30), (50, 10))) == (20, 30)


def test_the_typical_image_has_the_median_of_each_side(tmp_path, caplog):
    assert typical_trained_on(trained_on(tmp_path, (20, 30), (24, 60), (40, 40))) == (24, 40)
    assert not caplog.text


@pytest.mark.parametrize("odd", [(41, 30), (20, 14)])
def test_images_of_sizes_that_differ_more_than_twofold_are_warned_of(tmp_path, caplog, odd):
    assert typical_trained_on(trained_on(tmp_path, (20, 30), (20, 30), odd)) == (20, 30)
    (record,) = caplog.records
    heights, widths = sorted([20, odd[0]]), sorted([30, odd[1]])
    assert record.getMessage() == (
        f"images trained on have {heights[0]} to {heights[1]} x {widths[0]} to {widths[1]} pixels, "
        "so things were learnt at different sizes; a tile covers 20 x 30 pixels, their median"
    )
