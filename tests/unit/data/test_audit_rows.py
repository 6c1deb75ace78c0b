import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.layout import RunFolder
from fivefold.core.sealed import write_sealed
from fivefold.data import audit_rows, audited
from fivefold.data.audit_rows import EXCLUDED, QUARANTINED, USED, AuditRow, AuditRows
from fivefold.data.audited import Audit, reasons_of

DIGESTS = st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(bytes.hex), st.text())
ROWS = st.lists(
    st.builds(
        AuditRow,
        sample_id=st.text(),
        status=st.sampled_from([USED, QUARANTINED, EXCLUDED]),
        reason=st.sampled_from(["", "empty", "missing"]),
        detail=st.text(max_size=3),
        stamp=st.sampled_from(["", "0:1", "12:1718000000123456789", "12:01"]),
        digest=DIGESTS,
        height=st.integers(0, 2**31 - 1),
        width=st.integers(0, 2**31 - 1),
        path=st.text(),
    ),
    max_size=12,
)


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch):
    monkeypatch.setattr(audit_rows, "_BLOCK", 5)


@given(ROWS)
def test_rows_come_back_as_they_were(rows):
    found = AuditRows.of(iter(rows))
    assert (len(found), list(found), found) == (len(rows), rows, tuple(rows))
    assert found[2:7] == tuple(rows[2:7])
    assert [found[-1 - k] for k in range(len(rows))] == rows[::-1]
    assert hash(found) == hash(tuple(rows))


@given(ROWS)
def test_rows_are_found_and_counted_by_what_became_of_them(rows):
    found = AuditRows.of(rows)
    for status in (USED, QUARANTINED, EXCLUDED):
        places = [k for k, row in enumerate(rows) if row.status == status]
        assert found.with_status(status).tolist() == places
    told = [row.reason for row in rows if row.status != USED]
    assert reasons_of(found, QUARANTINED, EXCLUDED) == {r: told.count(r) for r in set(told)}


def test_other_verdicts_replace_those_of_some_rows():
    rows = AuditRows.of(AuditRow(str(k), USED) for k in range(9))
    conflict, broken = (QUARANTINED, "label_conflict", "a"), (QUARANTINED, "empty", "")
    found = rows.judged_anew([(np.array([1, 8]), conflict), (np.array([4]), broken)])
    assert [row.detail for row in found] == ["", "a", *[""] * 6, "a"]
    assert [row.status == USED for row in found].count(False) == 3
    assert rows.with_status(USED).tolist() == list(range(9))
    assert found not in (rows, tuple(rows), list(found))


@given(rows=ROWS)
def test_the_file_is_that_of_all_rows_written_at_once(tmp_path_factory, rows):
    folder = RunFolder.of(tmp_path_factory.mktemp("run") / "config.yaml")
    found = Audit(AuditRows.of(rows), len(rows), ("careful",))
    found.save(folder)
    counts = {"listed": len(rows), "used": found.used, "quarantined": found.quarantined}
    counts |= {"excluded": found.excluded, "warnings": ["careful"]}
    names = [name for name in AuditRow.__dataclass_fields__ if name != "counts"]
    plain = [{name: getattr(row, name) for name in names} for row in rows]
    other = folder.audit_path.with_name("at once.json")
    write_sealed(other, {**counts, "rows": plain}, version=audited._FORMAT)
    assert folder.audit_path.read_bytes() == other.read_bytes()
    assert Audit.load(folder.audit_path) == found


@given(ROWS, st.integers(1, 3), st.data())
def test_counts_of_masks_come_back_from_rows_and_from_the_file(
    tmp_path_factory, rows, classes, data
):
    count = st.tuples(*[st.integers(0, 2**40)] * classes)
    rows = [replace(row, counts=data.draw(count) if row.height else ()) for row in rows]
    found = Audit(AuditRows.of(rows), len(rows))
    assert list(found.rows) == rows
    folder = RunFolder.of(tmp_path_factory.mktemp("run") / "config.yaml")
    found.save(folder)
    assert Audit.load(folder.audit_path) == found


def test_a_row_takes_little_memory(monkeypatch):
    monkeypatch.setattr(audit_rows, "_BLOCK", 1024)
    rows = AuditRows.of(
        AuditRow(
            f"even/{k:07}.png",
            USED,
            stamp=f"{70 + k % 3}:{1718 * 10**15 + k * 10**6}",
            digest=f"{k + 1:064x}",
            height=1,
            width=1,
            path=f"/data/of/many/even/{k:07}.png",
        )
        for k in range(5120)
    )
    assert len(pickle.dumps(rows)) / len(rows) < 55  # of which 32 are the digest
