import codecs

import numpy as np
import pytest
from drawn_source import Drawn

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import CsvSource, audit
from fivefold.data.corrections import corrected
from fivefold.data.samples import table_of
from fivefold.data.source import Labels


def classes_of(source):
    names = [name for labels in source.labels for name in labels.class_names]
    return {
        sample_id: "|".join(np.asarray(names)[source.target(i) > 0])
        for i, sample_id in enumerate(source.sample_ids)
    }


def table(tmp_path, text, name="fixes.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


class TwoOutputs(Drawn):
    """Samples with a class of one output and any of another."""

    def __init__(self):
        super().__init__(4)
        self.labels = (
            Labels("animal", ("cat", "dog"), exclusive=True),
            Labels("where", ("indoors", "wet"), exclusive=False),
        )

    def target(self, i):
        return np.array([i % 2 == 0, i % 2, i > 1, 0], dtype=np.float32)


def test_named_samples_get_other_labels_and_nothing_else_changes(tmp_path):
    source = Drawn(5)
    fixes = table(tmp_path, "id,corrected\nn0,dog\nn3,\nn4,cat\n")
    found = corrected(source, fixes)
    assert classes_of(found) == {"n0": "dog", "n1": "dog", "n2": "cat", "n3": "dog", "n4": "cat"}
    assert classes_of(source)["n0"] == "cat"
    assert found.notes == ("fixes.csv: 1 label changed, 0 samples left out",)  # n4 was a cat
    assert (found.warnings, found.labels) == ((), source.labels)
    np.testing.assert_array_equal(found.targets([4, 0]), [[1, 0], [0, 1]])
    np.testing.assert_array_equal(found.sample(0).image, source.sample(0).image)


def test_samples_that_are_not_kept_are_left_out_by_a_rule_that_the_audit_records(tmp_path):
    fixes = table(tmp_path, "id,corrected,keep\nn0,dog,no\nn1,,No\nn2,dog,yes\nn3,cat,\n")
    found = corrected(Drawn(8), fixes)
    assert classes_of(found) == {
        "n2": "dog",
        "n3": "cat",
        "n4": "cat",
        "n5": "dog",
        "n6": "cat",
        "n7": "dog",
    }
    assert found.notes == ("fixes.csv: 2 labels changed, 2 samples left out",)
    rows = audit(found, folds=2, progress=Silent()).rows
    assert [(r.sample_id, r.reason) for r in rows if r.status == "excluded"] == [
        ("n0", "corrections"),
        ("n1", "corrections"),
    ]


def test_several_labels_stand_in_one_cell_and_none_has_a_word(tmp_path):
    source = Drawn(8, classes="abc", several=True)
    fixes = table(tmp_path, "id,corrected\nn0,a|c\nn1,(none)\nn2, b | a \n")
    changed = classes_of(corrected(source, fixes))
    assert [changed[name] for name in ("n0", "n1", "n2", "n7")] == ["a|c", "", "a|b", "a|b|c"]


def test_outputs_are_corrected_one_by_one(tmp_path):
    text = "id,output,corrected\nn0,animal,dog\nn0,where,wet\nn3,where,(none)\n"
    changed = classes_of(corrected(TwoOutputs(), table(tmp_path, text)))
    assert changed == {"n0": "dog|wet", "n1": "dog", "n2": "cat|indoors", "n3": "dog"}


def test_a_sample_of_several_outputs_is_left_out_without_naming_one(tmp_path):
    found = corrected(TwoOutputs(), table(tmp_path, "id,corrected,keep\nn2,,no\n"))
    assert list(found.sample_ids) == ["n0", "n1", "n3"]


def test_a_sample_with_a_new_class_is_positive_if_it_has_one(tmp_path):
    source = Drawn(4, classes="ab", several=True)
    found = corrected(source, table(tmp_path, "id,corrected\nn0,a\nn3,(none)\n"))
    assert [found.is_positive(i) for i in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + "id;path;corrected;keep\r\nfärm/n1;;cat;\r\n".encode(),
        "id;path;corrected;keep\r\nfärm/n1;;cat;\r\n".encode("cp1252"),
        "id\tpath\tcorrected\tkeep\nfärm/n1\t\tcat\t\n".encode(),
        "ID, Corrected \nfärm/n1,cat\n".encode(),
    ],
)
def test_a_table_may_have_been_saved_by_a_spreadsheet(data, tmp_path):
    path = tmp_path / "fixes.csv"
    path.write_bytes(data)
    assert classes_of(corrected(Drawn(3, start="färm/"), path))["färm/n1"] == "cat"


def test_columns_of_the_users_own_do_not_matter(tmp_path):
    fixes = table(tmp_path, "id,note,corrected,by\nn0,blurred,dog,me\n")
    assert classes_of(corrected(Drawn(2), fixes))["n0"] == "dog"


@pytest.mark.parametrize("exclusive", [True, False])
def test_spaces_around_a_class_count_where_they_are_its_own(exclusive, tmp_path):
    source = Drawn(4)
    source.labels = (Labels("", (" cat", "dog "), exclusive=exclusive),)
    fixes = table(tmp_path, "id,given,corrected\nn0, cat,dog \nn1,dog, cat\n")
    found = corrected(source, fixes)
    assert classes_of(found) == {"n0": "dog ", "n1": " cat", "n2": " cat", "n3": "dog "}
    assert found.warnings == ()


def test_a_correction_of_a_label_that_has_changed_since_counts_and_is_told(tmp_path):
    fixes = table(tmp_path, "id,given,corrected\nn0,dog,dog\nn1,dog,cat\nn2,dog,\n")
    found = corrected(Drawn(3), fixes)
    assert classes_of(found) == {"n0": "dog", "n1": "cat", "n2": "cat"}
    assert found.warnings == (
        f"{fixes}: 1 labels have changed since this table was made, such as that of 'n0' "
        f"({fixes}:2): the correction counts",
    )


def test_everything_that_is_wrong_is_told_together_with_its_line(tmp_path):
    text = (
        "id,corrected,keep\nn0,dgo,\nnn1,cat,\nn2,exclude,\nn3,,perhaps\nn4,cow,\n"
        "n1,cat,\nn1,dog,\nzzzzzz,,no\n"
    )
    fixes = table(tmp_path, text)
    with pytest.raises(DataError, match="corrected: expected a class of the data set") as error:
        corrected(Drawn(5), fixes)
    assert error.value.slug == "data/corrections"
    assert str(error.value).replace(f"{tmp_path}/", "").splitlines() == [
        "fixes.csv:2: corrected: expected a class of the data set, got 'dgo'",
        "    did you mean 'dog'?",
        "fixes.csv:3: id: expected a sample of the data set, got 'nn1'",
        "    did you mean 'n1'?",
        "fixes.csv:4: corrected: expected a class of the data set, got 'exclude'",
        "    to leave the sample out, write no in the column `keep`",
        "fixes.csv:5: keep: expected yes, no or nothing, got 'perhaps'",
        "fixes.csv:6: corrected: expected a class of the data set, got 'cow'",
        "    there are 'cat', 'dog'",
        "fixes.csv:8: id: expected each sample once, got 'n1' again",
        "    first in fixes.csv:7",
        "fixes.csv:9: id: expected a sample of the data set, got 'zzzzzz'",
        "    an id looks like 'n0'",
    ]


def test_at_most_twenty_rows_are_told(tmp_path):
    fixes = table(tmp_path, "id,corrected\n" + "".join(f"x{i},cat\n" for i in range(50)))
    with pytest.raises(DataError, match="… and 30 more"):
        corrected(Drawn(3), fixes)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("ids,corrected", "got no 'id'\n    is it the column 'ids'?"),
        ("id,label", "got no 'corrected'\n    `fivefold suspects EXPERIMENT -o suspects.csv` wr"),
        ("id,corected", "got no 'corrected'\n    is it the column 'corected'?"),
        ("id,corrected,kept", "expected a column 'keep', got 'kept'\n    call it 'keep', or"),
    ],
)
def test_a_column_that_is_missing_or_mistyped_is_named(header, told, tmp_path):
    fixes = table(tmp_path, f"{header}\n" + ",".join("x" * (header.count(",") + 1)) + "\n")
    with pytest.raises(DataError, match="column") as error:
        corrected(Drawn(3), fixes)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,output,corrected\nn0,anmal,dog\n", "got 'anmal'\n    did you mean 'animal'?"),
        ("id,corrected\nn0,dog\n", "got ''\n    there are 'animal', 'where'"),
    ],
)
def test_an_output_that_there_is_not_is_named(text, told, tmp_path):
    with pytest.raises(DataError, match="output: expected one of the data set's outputs") as error:
        corrected(TwoOutputs(), table(tmp_path, text))
    assert told in str(error.value)


def test_an_output_where_there_is_only_one_without_a_name_is_refused(tmp_path):
    fixes = table(tmp_path, "id,output,corrected\nn0,animal,dog\n")
    with pytest.raises(DataError, match="none: leave it empty"):
        corrected(Drawn(2), fixes)


def test_samples_without_labels_have_none_to_correct(tmp_path):
    source = Drawn(2)
    source.labels = ()
    with pytest.raises(DataError, match="expected samples with labels to correct, got none"):
        corrected(source, table(tmp_path, "id,corrected\nn0,dog\n"))


def test_a_table_that_asks_for_nothing_says_so(tmp_path):
    found = corrected(Drawn(2), table(tmp_path, "id,corrected\nn0,\n"))
    assert found.notes == ("fixes.csv: 0 labels changed, 0 samples left out",)


def test_the_data_are_others_for_whoever_takes_their_fingerprint(tmp_path):
    source = Drawn(8)
    fixes = table(tmp_path, "id,corrected\nn0,dog\n")

    def fingerprint(source):
        return table_of(source, audit(source, folds=2, progress=Silent())).fingerprint

    assert fingerprint(corrected(source, fixes)) != fingerprint(source)
    nothing = table(tmp_path, "id,corrected\nn0,cat\n", "nothing.csv")
    assert fingerprint(corrected(source, nothing)) == fingerprint(source)


def test_folds_of_a_tables_own_stay_with_the_samples_that_are_left(tmp_path):
    rows = "".join(f"{i}.png,{'cat' if i % 2 else 'dog'},{i // 4}\n" for i in range(8))
    labels = table(tmp_path, f"image,label,fold\n{rows}", "labels.csv")
    source = CsvSource(labels, tmp_path, fold_column="fold")
    found = corrected(source, table(tmp_path, "id,corrected,keep\n3.png,dog,\n4.png,,no\n"))
    assert found.fold_numbers.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert classes_of(found)["3.png"] == "dog"
