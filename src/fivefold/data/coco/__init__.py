"""COCO files: labels of whole images, boxes as labels, boxes as samples, outlines as masks."""

from fivefold.data.coco.classes import read_map
from fivefold.data.coco.dataset import ImageClassificationDataset
from fivefold.data.coco.masks import CocoMasks
from fivefold.data.coco.source import CocoBoxes, CocoSource
from fivefold.data.coco.translators import (
    AbyssCaptionTranslator,
    AnnotationTranslator,
    CaptionMapTranslator,
    CategoryTranslator,
    CocoCaptionTranslator,
    HotTranslator,
    MultipleTranslators,
)

__all__ = [
    "AbyssCaptionTranslator",
    "AnnotationTranslator",
    "CaptionMapTranslator",
    "CategoryTranslator",
    "CocoBoxes",
    "CocoCaptionTranslator",
    "CocoMasks",
    "CocoSource",
    "HotTranslator",
    "ImageClassificationDataset",
    "MultipleTranslators",
    "read_map",
]
