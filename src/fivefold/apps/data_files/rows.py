"""Rows to be written: those of a table as they are, or paths and labels of other data."""

from collections.abc import Iterator, Sequence

from fivefold.apps.data_files.reading import labels_of
from fivefold.apps.data_files.separators import separator_for
from fivefold.data.csv_text import read_table
from fivefold.data.parquet import read_parquet
from fivefold.data.table import TableSource
from fivefold.data.text_table import LIST_SIGN, Table
from fivefold.experiment.named_data import Opened


def table_rows(opened: Opened) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    """Give the header and one row for each sample, in the order of the samples.

    A table keeps all its columns; its rows that were left out are not among them.

    Raises:
        DataError: If a class's name has the sign in it that would stand between labels.
    """
    if isinstance(opened.source, TableSource):
        return _rows_of_table(opened, opened.source)
    cells = labels_of(opened.source, sign_of(opened) or "")
    return ("path", "class"), zip(opened.source.sample_ids, cells, strict=True)


def sign_of(opened: Opened) -> str | None:
    """Tell what stands between several labels in the cells of `table_rows`; None: there is one.

    Raises:
        DataError: If a class's name has that sign in it.
    """
    source = opened.source
    is_text = isinstance(source, TableSource) and opened.separator != LIST_SIGN
    if is_text or source.labels[0].exclusive:
        return opened.separator
    return separator_for([name for own in source.labels for name in own.class_names], None)


def _rows_of_table(
    opened: Opened, source: TableSource
) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    table = _table_of(opened)
    names = [name for own in source.labels for name in own.class_names]
    sign = (sign_of(opened) or separator_for(names, None)) if table.lists else ""
    column = table.columns.index(source.image_column)
    own = list(map(table.columns.index, source.label_columns))
    needed = [k for k, sign in zip(own, source.separators, strict=True) if not sign]

    def rows() -> Iterator[Sequence[str]]:
        ids = iter(source.sample_ids)
        wanted = next(ids, None)
        for row in table.rows:
            # As they were left out: repeated rows come later, those without a label are empty.
            if row.cells[column].strip() == wanted and all(row.cells[k].strip() for k in needed):
                cells = enumerate(row.cells)
                yield tuple(_joined(cell, sign) if k in table.lists else cell for k, cell in cells)
                wanted = next(ids, None)

    return table.columns, rows()


def _table_of(opened: Opened) -> Table:
    if opened.kind == "parquet":
        return read_parquet(opened.path)
    return read_table(opened.path, encoding=opened.reading.encoding or "")


def _joined(cell: str, sign: str) -> str:
    """Write a cell that is a list as text."""
    return sign.join(part.strip() for part in cell.split(LIST_SIGN) if part.strip())
