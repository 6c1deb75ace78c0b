import json
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from fivefold.core.cache_home import CacheHome
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.core.sealed import write_sealed
from fivefold.data import audit_reading
from fivefold.data.audit import audit, examine, examine_headers
from fivefold.data.audit_rows import AuditRow, AuditRows
from fivefold.data.audited import Audit
from fivefold.data.folder import FolderSource
from fivefold.data.kept import Kept
from fivefold.data.preprocess import Preprocess
from fivefold.data.source import Labels, Sample, Source
from fivefold.data.table import CsvSource


def draw(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (5, 4), value).save(path)


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "data"
    for k in range(6):
        draw(root / "cat" / f"{k}.png", k)
        draw(root / "dog" / f"{k}.png", 100 + k)
    return root


@pytest.fixture
def folder(tmp_path):
    return RunFolder.of(tmp_path / "run" / "config.yaml")


def run(root, folds=5, **options):
    return audit(FolderSource(root), folds=folds, progress=Silent(), **options)


class Drawn(Source):
    """Samples in memory with chosen targets and names of classes."""

    def __init__(self, targets, labels, groups=None):
        self.sample_ids = [f"s{i}" for i in range(len(targets))]
        self.labels = labels
        self.groups = groups
        self._targets = np.asarray(targets, np.float32)

    def sample(self, i):
        return Sample(self.sample_ids[i], np.full((2, 2, 3), i, np.uint8), self.target(i))

    def target(self, i):
        return self._targets[i]


def test_good_data_are_all_used_with_their_sizes(data):
    found = run(data)
    assert (found.listed, found.used, found.quarantined, found.excluded) == (12, 12, 0, 0)
    assert [row.sample_id for row in found.rows] == list(FolderSource(data).sample_ids)
    assert {(row.height, row.width) for row in found.rows} == {(4, 5)}
    assert found.warnings == ()


def test_bad_files_are_set_aside_and_the_sum_holds(data, folder, caplog):
    (data / "cat" / "empty.png").write_bytes(b"")
    (data / "cat" / "text.jpg").write_text("not an image")
    (data / "dog" / "cut.png").write_bytes((data / "dog" / "0.png").read_bytes()[:50])
    (data / "dog" / "notes.txt").write_text("to do")
    found = run(data, folder=folder)
    assert (found.listed, found.used, found.quarantined, found.excluded) == (16, 12, 3, 1)
    lines = folder.quarantine_path.read_text().splitlines()
    entries = {entry["id"]: entry for entry in map(json.loads, lines)}
    assert entries["cat/empty.png"]["reason"] == "empty"
    assert entries["cat/empty.png"]["size"] == 0
    assert entries["cat/text.jpg"]["reason"] == "format_not_allowed"
    assert len(entries["cat/text.jpg"]["sha256"]) == 64
    assert entries["dog/cut.png"]["reason"] in {"truncated", "decode_error"}
    assert entries["dog/cut.png"]["path"] == str(data / "dog" / "cut.png")
    assert "3 images cannot be used: " in caplog.text
    assert "1 empty, 1 not an image" in caplog.text
    assert "; namely 'cat/empty.png', 'cat/text.jpg', " in caplog.text
    assert "'dog/cut.png'; data/quarantine.jsonl names all" in caplog.text
    assert "left out: 1 not an image by its name; namely 'dog/notes.txt'" in caplog.text
    saved = json.loads(folder.audit_path.read_text())
    counts = {key: saved[key] for key in ("listed", "used", "quarantined", "excluded")}
    assert counts == {"listed": 16, "used": 12, "quarantined": 3, "excluded": 1}


def test_the_users_files_are_never_written(data, folder):
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    run(data, folder=folder)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_copies_with_the_same_label_are_used_and_counted(data):
    draw(data / "cat" / "copy.png", 0)
    found = run(data)
    assert found.used == 13
    assert "with the same label: 1, namely 'cat/copy.png';" in found.warnings[0]


def test_copies_with_different_labels_are_both_set_aside(data):
    draw(data / "cat" / "same.png", 200)
    draw(data / "dog" / "same.png", 200)
    found = run(data)
    bad = [row for row in found.rows if row.status == "quarantined"]
    assert [row.sample_id for row in bad] == ["cat/same.png", "dog/same.png"]
    assert {row.reason for row in bad} == {"label_conflict"}
    assert "different labels: 'cat/same.png', 'dog/same.png'" in bad[0].detail
    assert found.warnings == (
        "2 images cannot be used: 2 same image with different labels; namely 'cat/same.png', "
        "'dog/same.png'; `fivefold fit` names all in data/quarantine.jsonl",
    )


def test_only_the_first_three_of_many_bad_images_are_named(data):
    for k in range(5):
        (data / "cat" / f"empty-{k}.png").write_bytes(b"")
    (warning,) = run(data).warnings
    assert warning.startswith(
        "5 images cannot be used: 5 empty; such as 'cat/empty-0.png', 'cat/empty-1.png', "
        "'cat/empty-2.png', …; "
    )


def test_what_systems_leave_is_counted_and_worth_no_warning(data, caplog):
    caplog.set_level("INFO")
    for name in (".DS_Store", "cat/Thumbs.db", "cat/._0.png"):
        (data / name).write_bytes(b"x")
    found = run(data)
    assert (found.excluded, found.warnings) == (3, ())
    assert "left out: 2 hidden, 1 of the operating system" in caplog.text
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_images_that_are_not_found_are_said_with_the_path(tmp_path):
    (tmp_path / "t.csv").write_text("image,label\na.png,x\nb.png,y\n")
    source = CsvSource(tmp_path / "t.csv", tmp_path)
    with pytest.raises(DataError, match=r"2 missing\n.* would be .*/a\.png") as error:
        audit(source, folds=2, progress=Silent())
    assert error.value.slug == "data/no-images"


def test_rare_classes_are_all_named_at_once(data):
    draw(data / "pool" / "1.png", 240)
    draw(data / "pool" / "2.png", 241)
    (data / "void").mkdir()
    (data / "void" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="class 'pool' has 2 samples, 5 folds need") as error:
        run(data)
    assert error.value.slug == "data/rare-class"
    assert "class 'void' has no usable image, 5 folds need at least 5\n" in str(error.value)
    assert "folds_count" not in error.value.hint


def test_the_number_of_folds_that_would_do_is_named(data):
    for k in range(3):
        draw(data / "pool" / f"{k}.png", 240 + k)
    with pytest.raises(DataError, match="or set `folds_count: 3`"):
        run(data)
    run(data, folds=3)


def test_copies_do_not_count_as_samples_of_a_rare_class(data):
    for k in range(5):
        draw(data / "pool" / f"{k}.png", 240)
    with pytest.raises(DataError, match="'pool' has 5 samples of which 1 may be separated"):
        run(data)


def test_a_refused_audit_is_saved_too(data, folder):
    draw(data / "pool" / "1.png", 240)
    with pytest.raises(DataError, match="class 'pool' has 1 sample, 5"):
        run(data, folder=folder)
    assert Audit.load(folder.audit_path).used == 13


def test_prediction_asks_nothing_of_the_classes(data):
    draw(data / "pool" / "1.png", 240)
    assert run(data, folds=0).used == 13


def test_one_class_is_refused(tmp_path):
    for k in range(6):
        draw(tmp_path / "cat" / f"{k}.png", k)
    with pytest.raises(DataError, match=r"at least 2 classes, got \['cat'\]") as error:
        run(tmp_path)
    assert error.value.slug == "data/one-class"


def test_data_without_images_are_refused(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"")
    with pytest.raises(DataError, match="usable image of 2 listed, got 0: 2 empty") as error:
        run(tmp_path)
    assert error.value.slug == "data/no-images"


def test_classes_that_look_like_one_are_warned_about():
    labels = (Labels("", ("Cat", "cat ", "dog"), exclusive=True),)
    source = Drawn(np.eye(3)[[0, 1, 2] * 2], labels)
    found = audit(source, folds=2, progress=Silent())
    assert found.warnings == ("classes 'Cat', 'cat ' look like one class written differently",)


def test_rare_labels_that_are_not_exclusive_are_only_warned_about():
    labels = (Labels("", ("a", "b"), exclusive=False),)
    source = Drawn([[1, 0]] * 5 + [[1, 1]], labels)
    found = audit(source, folds=3, progress=Silent())
    assert found.warnings == ("class 'b' has 1 sample: some of 3 folds will not hold them",)


def test_groups_count_and_not_their_members():
    labels = (Labels("", ("a", "b"), exclusive=True),)
    source = Drawn(np.eye(2)[[0] * 4 + [1] * 4], labels, groups=list("wxyzqqrr"))
    with pytest.raises(DataError, match="class 'b' has 4 samples of which 2 may be separated"):
        audit(source, folds=3, progress=Silent())


def test_unchanged_files_are_not_read_again(data, folder, monkeypatch):
    (data / "cat" / "bad.png").write_bytes(b"")
    draw(data / "cat" / "same.png", 200)
    draw(data / "dog" / "same.png", 200)
    first = run(data, folder=folder)
    draw(data / "dog" / "5.png", 77)
    (data / "dog" / "same.png").unlink()
    read = []
    original = FolderSource.fetch
    monkeypatch.setattr(
        FolderSource, "fetch", lambda self, i: read.append(self.sample_ids[i]) or original(self, i)
    )
    second = run(data, previous=folder.audit_path)
    assert read == ["dog/5.png"]
    assert (first.quarantined, second.quarantined) == (3, 1)  # the conflict is no more
    assert second.warnings[0].endswith("; data/quarantine.jsonl names all")
    monkeypatch.undo()
    assert list(second.rows) == list(run(data).rows)


def kept_for(source, root):
    preprocess = Preprocess((4, 5, 3), lambda image: image)
    return Kept(preprocess, len(source), CacheHome(root, 10**6))


def num_kept(found, kept):
    rows = kept.rows([row.digest for row in found.rows])
    return sum(rows.read(k) is not None for k in range(len(found.rows)))


def test_an_earlier_audit_spares_reading_only_where_pixels_are_kept_too(data, folder, tmp_path):
    source = FolderSource(data)
    first = run(data, folder=folder)
    for root in ("one", "one", "other"):
        kept = kept_for(source, tmp_path / root)
        again = run(data, previous=folder.audit_path, kept=kept)
        assert (again, num_kept(again, kept)) == (first, 12)


def test_unchanged_files_with_kept_pixels_are_not_read_again(data, folder, tmp_path, monkeypatch):
    source = FolderSource(data)
    run(data, folder=folder, kept=kept_for(source, tmp_path / "cache"))
    monkeypatch.setattr(FolderSource, "fetch", None)
    again = run(data, previous=folder.audit_path, kept=kept_for(source, tmp_path / "cache"))
    assert again.used == 12


def test_what_was_decoded_before_an_interrupt_is_kept(data, tmp_path):
    source = FolderSource(data)
    kept = kept_for(source, tmp_path / "cache")

    class Impatient(Silent):
        @contextmanager
        def bar(self, description, total):
            steps = iter([None] * 5)

            def advance(_):
                if next(steps, "end") == "end":
                    raise KeyboardInterrupt

            yield advance

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        audit(source, folds=5, progress=Impatient(), kept=kept)
    assert not list((tmp_path / "cache").rglob(".tmp-*"))
    found = run(data)
    assert num_kept(found, kept_for(source, tmp_path / "cache")) == 6


def test_an_image_that_is_kept_is_not_decoded(data, tmp_path, monkeypatch):
    source = FolderSource(data)
    first = run(data, kept=kept_for(source, tmp_path / "cache"))

    def never(*_, **__):
        pytest.fail("decoded again")

    monkeypatch.setattr("fivefold.data.files.decode_sized", never)
    assert run(data, kept=kept_for(source, tmp_path / "cache")) == first


def test_a_damaged_earlier_audit_is_reported_and_made_again(data, tmp_path, caplog):
    path = tmp_path / "audit.json"
    path.write_text("{}")
    assert run(data, previous=path).used == 12
    assert "earlier audit cannot be used" in caplog.text


def test_an_audit_that_loses_samples_cannot_be_made():
    with pytest.raises(DataError, match="expected 3 listed samples to be accounted for, got 1"):
        Audit(AuditRows.of([AuditRow("a", "used")]), listed=3)


def test_a_damaged_audit_is_a_state_error(tmp_path):
    (tmp_path / "audit.json").write_text('{"rows": [{"nonsense": 1}]}')
    with pytest.raises(StateError, match="expected a record with the hash") as error:
        Audit.load(tmp_path / "audit.json")
    assert error.value.slug == "state/damaged"


def test_an_audit_that_does_not_add_up_is_a_state_error(tmp_path):
    write_sealed(tmp_path / "audit.json", {"rows": [], "listed": 3, "warnings": []}, version=1)
    with pytest.raises(StateError, match="expected a saved audit, got one that does not add up"):
        Audit.load(tmp_path / "audit.json")


def edited_audit(path, **changes):
    record = json.loads(path.read_text())
    record["rows"][0].update(changes)
    path.write_text(json.dumps(record))
    return record


@pytest.mark.parametrize(
    "changes",
    [{"sample_id": ["a"]}, {"digest": 5}, {"status": "quarantined", "reason": "truncated"}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_edited_audit_is_not_trusted_but_made_again(data, folder, caplog, changes):
    first = run(data, folder=folder)
    edited_audit(folder.audit_path, **changes)
    caplog.clear()
    assert run(data, previous=folder.audit_path) == first
    assert caplog.text.count("earlier audit cannot be used") == 1


@pytest.mark.parametrize("changes", [{"sample_id": ["a"]}, {"digest": 5}, {"height": "x"}])
def test_an_edited_audit_with_a_new_hash_is_held_against_the_types(data, folder, changes):
    run(data, folder=folder)
    record = edited_audit(folder.audit_path, **changes)
    del record["seal"], record["format"]
    write_sealed(folder.audit_path, record, version=1)
    with pytest.raises(StateError, match=r"audit\.json: rows\.0\.\w+: expected"):
        Audit.load(folder.audit_path)


def looks(found):
    return {row.sample_id: row.look for row in found.rows}


def test_rows_tell_what_files_are_and_what_they_look_like(data):
    Image.new("RGBA", (5, 4), (9, 9, 9, 255)).save(data / "cat" / "clear.jpg", "PNG")
    found = looks(run(data))
    assert found["cat/clear.jpg"] == "PNG+alpha+misnamed 9 0 -1"
    assert found["dog/3.png"] == "PNG+grey 103 0 -1"


def test_looks_are_the_same_from_the_cache_and_from_an_earlier_audit(data, folder, tmp_path):
    (data / "cat" / "0.png").rename(data / "cat" / "0.jpg")
    home = CacheHome(tmp_path / "cache", 10**6)
    preprocess = Preprocess((4, 5, 3), lambda image: image)
    runs = [
        looks(run(data, kept=Kept(preprocess, 12, home if k else None), folder=folder, previous=p))
        for k, p in [(1, None), (1, None), (0, None), (0, folder.audit_path)]
    ]
    assert runs[0]["cat/0.jpg"] == "PNG+grey+misnamed 0 0 -1"
    assert runs[0] == runs[1] == runs[2] == runs[3]


def test_headers_are_enough_for_sizes_and_formats(data):
    (data / "cat" / "empty.png").write_bytes(b"")
    cut = (data / "cat" / "0.png").read_bytes()[:-20]
    (data / "cat" / "cut.png").write_bytes(cut)
    found = examine_headers(FolderSource(data), folds=5, progress=Silent())
    rows = {row.sample_id: row for row in found.audit.rows}
    assert rows["cat/empty.png"].reason == "empty"
    assert rows["cat/cut.png"].status == "used"
    assert rows["dog/0.png"].look == "PNG+grey"
    assert (rows["dog/0.png"].height, rows["dog/0.png"].width) == (4, 5)
    assert (found.refusals, found.alike) == ([], [])


def test_headers_that_are_read_together_come_in_the_order_of_the_samples(data, monkeypatch):
    monkeypatch.setattr(audit_reading, "_TOGETHER", 3)
    source, seen = FolderSource(data), Counting()
    rows = examine_headers(source, folds=5, progress=seen).audit.rows
    assert rows.ids == tuple(source.sample_ids)
    assert [row.stamp for row in rows] == [source.stamp(i) for i in range(len(source))]
    assert seen.steps == len(source)


class Counting(Silent):
    steps = 0

    @contextmanager
    def bar(self, description, total):
        def advance(count):
            self.steps += count

        yield advance


def test_headers_of_what_is_no_file_are_read_whole():
    names = (Labels("", ("cat", "dog"), exclusive=True),)
    source = Drawn([[1, 0], [0, 1]] * 3, names)
    found = examine_headers(source, folds=2, progress=Silent()).audit
    assert [row.look for row in found.rows[:2]] == ["pixels 0 0 -1", "pixels 1 0 -1"]


def test_refusals_are_found_without_being_raised(data):
    for path in (data / "dog").iterdir():
        path.write_bytes(b"")
    found = examine(FolderSource(data), folds=5, progress=Silent())
    assert found.audit.used == 6
    assert [error.slug for error in found.refusals] == ["data/one-class"]
