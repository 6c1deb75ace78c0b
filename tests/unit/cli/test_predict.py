import pytest

from fivefold.cli import app
from fivefold.cli.predict import _check_free, _columns, table_bytes
from fivefold.core.errors import ConfigError


def test_existing_output_needs_force(capsys, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("mine")
    assert app.run(["predict", str(tmp_path), "x.png", "-o", str(output)]) == 2
    assert capsys.readouterr().err == (
        f"{output}: expected a name that is free, got an existing file\n    --force replaces it\n"
    )
    assert output.read_text() == "mine"
    _check_free(output, force=True)
    with pytest.raises(ConfigError, match="got an existing file") as error:
        _check_free(output, force=False)
    assert error.value.slug == "cli/output-exists"


def test_ids_keep_their_bytes_in_the_table():
    rows = [["id", "label"], ["=1+1.png", "a,b"], ["\udcff.png", 'q"'], ["ü\n.png", 0.5]]
    assert table_bytes(rows) == (
        b'id,label\n=1+1.png,"a,b"\n\xff.png,"q"""\n"\xc3\xbc\n.png",0.5\n'
    )


@pytest.mark.parametrize("folds", [[{"a": 1.0}], {0: {"a": 1.0}}])
def test_columns_of_an_evaluation_are_named(folds):
    result = {"oof": {"a": 0.5}, "folds": folds, "holdout": {}}
    assert _columns(result) == {"out-of-fold": {"a": 0.5}, "fold 0": {"a": 1.0}}
    assert list(_columns({**result, "holdout": {"a": 0.1}}))[-1] == "holdout"
