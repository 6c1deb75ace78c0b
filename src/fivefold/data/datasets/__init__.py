"""Musket's data set classes, and `PredictionItem`."""

from typing import Any

from fivefold.data.datasets.blending import (
    MeanDataSet,
    PredictedDataSet,
    PredictionBlend,
    TransformPrediction,
    WeightedBlend,
)
from fivefold.data.datasets.composed import (
    AspectRatioDataSet,
    CompositeDataSet,
    DataSet,
    LazyItem,
    SubDataSet,
)
from fivefold.data.datasets.masks import (
    BinarySegmentationDataSet,
    MultiClassSegmentationDataSet,
    NegativeDataSet,
    SimplePNGMaskDataSet,
)
from fivefold.data.datasets.paths import (
    AbstractImagePathDataSet,
    ConstrainedDirectory,
    DirectoryDataSet,
    FolderClassificationDataSet,
    FolderDataSet,
    SourceDataSet,
    source_of,
)
from fivefold.data.datasets.tables import (
    BinaryClassificationDataSet,
    CategoryClassificationDataSet,
    CSVReferencedDataSet,
    MultiClassClassificationDataSet,
    MultiOutputClassClassificationDataSet,
)
from fivefold.data.datasets.writeable import (
    BufferedWriteableDS,
    CompressibleWriteableDS,
    DirectWriteableDS,
    WriteableDataSet,
)
from fivefold.data.python_class import PredictionItem

__all__ = [
    "AbstractImagePathDataSet",
    "AspectRatioDataSet",
    "BinaryClassificationDataSet",
    "BinarySegmentationDataSet",
    "BufferedWriteableDS",
    "CSVReferencedDataSet",
    "CategoryClassificationDataSet",
    "CompositeDataSet",
    "CompressibleWriteableDS",
    "ConstrainedDirectory",
    "DataSet",
    "DirectWriteableDS",
    "DirectoryDataSet",
    "FolderClassificationDataSet",
    "FolderDataSet",
    "LazyItem",
    "MeanDataSet",
    "MultiClassClassificationDataSet",
    "MultiClassSegmentationDataSet",
    "MultiOutputClassClassificationDataSet",
    "NegativeDataSet",
    "PredictedDataSet",
    "PredictionBlend",
    "PredictionItem",
    "SimplePNGMaskDataSet",
    "SourceDataSet",
    "SubDataSet",
    "TransformPrediction",
    "WeightedBlend",
    "WriteableDataSet",
    "source_of",
]

_OBJECTS = (
    "objects are not told apart here: MultiClassSegmentationDataSet has a mask for each class"
)
_AUGMENTATION = "use `augmentation:` in the config"
_INSTEAD = {
    "InstanceSegmentationDataSet": _OBJECTS,
    "TextMaskGenerator": "draw such images once, and name their folder as `extra_train_data:`",
    "DropItemsDataset": "draw such images once, and name their folder as `extra_train_data:`",
    "Backgrounds": "use `augmentation: {BackgroundReplacer: …}` in the config",
    "WithBackgrounds": "use `augmentation: {BackgroundReplacer: …}` in the config",
    "BlendedDataSet": _AUGMENTATION,
    "MergedDataSet": "use CompositeDataSet",
    "CropAndSplit": "use `crops:` in the config",
    "GenericCSVDataSet": "use `dataset: {csv: …}` in the config, or one of the classes for tables",
}


def __getattr__(name: str) -> Any:
    if name in _INSTEAD:
        msg = f"{name} of Musket's is not in fivefold: {_INSTEAD[name]}"
        raise ImportError(msg, name=name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
