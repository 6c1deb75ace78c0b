"""Where samples come from: sources, the audit, folds, batches of uint8 pixels.

Importing this package fills the catalog `sources`.
"""

from fivefold.data.audit import audit
from fivefold.data.audited import Audit
from fivefold.data.coco import CocoSource
from fivefold.data.drawn_folds import make_splits
from fivefold.data.files import FilesSource
from fivefold.data.folder import FolderSource
from fivefold.data.hub import HubSource
from fivefold.data.image_problem import ImageProblem
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.data.python_class import PredictionItem, PythonSource
from fivefold.data.python_file import open_python
from fivefold.data.samples import SampleTable, table_of
from fivefold.data.source import Labels, Sample, Source, sources
from fivefold.data.splits import Splits, check_splits
from fivefold.data.table import ColumnKeys, CsvSource, ParquetSource
from fivefold.data.tars import ShardSource

__all__ = [
    "Audit",
    "CocoSource",
    "ColumnKeys",
    "CsvSource",
    "FilesSource",
    "FolderSource",
    "HubSource",
    "ImageProblem",
    "Labels",
    "MaskFolderSource",
    "ParquetSource",
    "PredictionItem",
    "PythonSource",
    "Sample",
    "SampleTable",
    "ShardSource",
    "Source",
    "Splits",
    "audit",
    "check_splits",
    "make_splits",
    "open_python",
    "sources",
    "table_of",
]
