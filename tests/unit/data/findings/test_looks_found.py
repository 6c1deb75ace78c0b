import numpy as np
import pytest

from fivefold.data.audit_rows import AuditRow, AuditRows
from fivefold.data.findings import findings_on_looks, told_in_a_line

USUAL = ("JPEG 120 50 400", 300, 400)


def rows(*odd, usual=20):
    every = [USUAL] * usual + list(odd)
    return AuditRows.of(
        AuditRow(f"{k:02}", "used", look=look, height=height, width=width)
        for k, (look, height, width) in enumerate(every)
    )


def found(table):
    return {one.name: one.rows.tolist() for one in findings_on_looks(table)}


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (("JPEG 120 50 400", 20, 20), "tiny"),
        (("JPEG 120 50 400", 300, 3000), "odd_shape"),
        (("JPEG 10 50 400", 300, 400), "dark"),
        (("JPEG 120 2 4", 300, 400), "flat"),
        (("JPEG 120 50 10", 300, 400), "blurred"),
        (("JPEG+misnamed 120 50 400", 300, 400), "misnamed"),
        (("PNG+16-bit 120 50 400", 300, 400), "16_bit"),
        (("JPEG+grey 120 50 400", 300, 400), "grey"),
    ],
)
def test_what_differs_from_the_others_is_found(odd, name):
    assert found(rows(odd)) == {name: [20]}


def test_usual_images_are_no_finding():
    assert found(rows()) == {}
    assert found(AuditRows.of(())) == {}


@pytest.mark.parametrize("look", ["JPEG 10 50 400", "JPEG 120 50 10", "JPEG+grey 120 2 0"])
def test_a_set_in_which_all_are_alike_has_no_finding(look):
    assert found(rows(*[(look, 300, 400)] * 20, usual=0)) == {}


def test_icons_are_not_tiny_among_icons():
    assert found(rows(*[("PNG 120 50 -1", 16, 16)] * 20, usual=0)) == {}


def test_few_contrasts_are_no_blur():
    assert found(rows(("JPEG 120 8 30", 300, 400))) == {}


def test_nobody_judges_what_was_not_looked_at():
    assert found(rows(("JPEG", 300, 400), ("PNG 120 50 -1", 300, 400))) == {}


def test_the_worst_comes_first():
    odd = [(f"JPEG {value} 50 400", 300, 400) for value in (9, 3, 7)]
    assert np.array_equal(found(rows(*odd))["dark"], [21, 22, 20])


def test_what_is_worth_a_look_is_told_in_a_line():
    odd = [
        ("JPEG 3 50 400", 300, 400),
        ("JPEG 3 50 10", 300, 400),
        ("JPEG+grey 120 50 400", 300, 400),
    ]
    assert told_in_a_line(rows(*odd)) == (
        "images worth a look: 2 dark, 1 blurred; `fivefold data check` shows them"
    )
    assert told_in_a_line(rows(odd[2])) == ""
