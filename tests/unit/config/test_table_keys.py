import pytest

from fivefold.config import parse
from fivefold.core.errors import ConfigError

DATA = "dataset: {csv: t.csv, %s}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DATA % "fold_column: k" + "folds_from: f.csv\n", "folds from one place, got `folds_from`"),
        (
            DATA % "group_column: g" + "preprocessing: grey\n",
            "no function of data beside dataset.g",
        ),
        (DATA % "label_column: a, indicator_columns: [b, c]", "only one of label_column and indic"),
        (DATA % "encoding: cp1", "an encoding of texts such as utf-8, cp1251"),
        (DATA % "encoding: base64", "an encoding of texts such as utf-8, cp1251"),
        (DATA % "label_column: [a, a]", "or a list of different column names, got"),
        (DATA % "indicator_columns: [a, a]", "at least two different column names, got"),
    ],
)
def test_columns_that_would_be_lost_or_contradict_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse(text)
