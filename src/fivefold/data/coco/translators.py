"""From one annotation to labels: Abyss's translators, to be used, subclassed and chained."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.validation import shown

AnnotationDict: TypeAlias = Mapping[str, Any]
"""An entry of `annotations` as the file has it."""


class AnnotationTranslator:
    """Keeps every annotation, and gives it as it is; what all others are made from."""

    def filter(self, annotation: Any) -> bool:  # noqa: ARG002  the protocol's names
        """Say whether an annotation is a label at all."""
        return True

    def translate(self, annotation: Any) -> Any:
        """Give the labels of an annotation that `filter` keeps: class numbers or names."""
        return annotation


class CocoCaptionTranslator(AnnotationTranslator):
    """Takes captions as labels.

    Args:
        separator: What stands between several labels; None where a caption is one label.
    """

    def __init__(self, separator: str | None = None) -> None:
        self.separator = separator

    def filter(self, annotation: AnnotationDict) -> bool:
        """Keep what has a caption."""
        return "caption" in annotation

    def translate(self, annotation: AnnotationDict) -> list[str]:
        """Give the labels of a caption."""
        return split_caption(annotation["caption"], self.separator)


class AbyssCaptionTranslator(CocoCaptionTranslator):
    """Takes captions of the type `class_labels`, separated by commas."""

    def __init__(self) -> None:
        super().__init__(",")

    def filter(self, annotation: AnnotationDict) -> bool:
        """Keep what has a caption that says of itself to be labels."""
        return super().filter(annotation) and annotation.get("type") == "class_labels"


class CaptionMapTranslator(AnnotationTranslator):
    """Takes captions as labels, and gives what a map makes of each.

    Args:
        mapping: A caption to its class.
        filter_by: Which field holds the caption.
    """

    def __init__(self, mapping: Mapping[str, Any], filter_by: str = "caption") -> None:
        self.mapping, self.filter_by = mapping, filter_by

    def filter(self, annotation: AnnotationDict) -> bool:
        """Keep what has that field."""
        return self.filter_by in annotation

    def translate(self, annotation: AnnotationDict) -> list[Any]:
        """Give the classes of a caption.

        Raises:
            DataError: If the map lacks one of its labels.
        """
        labels = split_caption(annotation[self.filter_by], ",")
        return [self._mapped(label) for label in labels]

    def _mapped(self, label: str) -> Any:
        if label in self.mapping:
            return self.mapping[label]
        msg = f"CaptionMapTranslator: expected captions of the map, got {label!r}"
        hint = did_you_mean(label, list(self.mapping), "add it to the map")
        raise DataError(msg, hint=hint, slug="data/unmapped-caption")


class CategoryTranslator(AnnotationTranslator):
    """Gives what a map makes of a category; annotations of other categories are no labels.

    Args:
        mapping: A category's id to its class; ids may be texts, as JSON has them.
    """

    def __init__(self, mapping: Mapping[Any, Any]) -> None:
        self.mapping = {int(key): value for key, value in mapping.items()}

    def filter(self, annotation: AnnotationDict) -> bool:
        """Keep annotations whose category is in the map."""
        return annotation.get("category_id") in self.mapping

    def translate(self, annotation: AnnotationDict) -> list[Any]:
        """Give the one class of an annotation."""
        return [self.mapping[annotation["category_id"]]]


class HotTranslator(AnnotationTranslator):
    """Makes a vector of 0 and 1 out of class numbers; the last of a chain.

    Args:
        num_classes: How long the vector is.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def translate(self, annotation: Sequence[int]) -> Any:
        """Give the vector [C], float32.

        Raises:
            DataError: If a number is no class.
        """
        vector = np.zeros(self.num_classes, dtype=np.float32)
        wrong = [n for n in annotation if not 0 <= n < self.num_classes]
        if wrong:
            msg = f"HotTranslator: expected classes from 0 to {self.num_classes - 1}, "
            msg += f"got {shown(wrong[0])}"
            raise DataError(msg, hint="check the map", slug="data/unmapped-caption")
        vector[list(annotation)] = 1
        return vector


class MultipleTranslators(AnnotationTranslator):
    """Translators one after the other: each gets what the one before it gives.

    Args:
        translators: At least one; `filter` asks all of them about the annotation itself.
    """

    def __init__(self, translators: Sequence[AnnotationTranslator]) -> None:
        self.translators = list(translators)

    def filter(self, annotation: AnnotationDict) -> bool:
        """Keep what all of them keep."""
        return all(translator.filter(annotation) for translator in self.translators)

    def translate(self, annotation: Any) -> Any:
        """Give what the last one gives."""
        for translator in self.translators:
            annotation = translator.translate(annotation)
        return annotation


def split_caption(caption: str, separator: str | None) -> list[str]:
    """Divide a caption into labels, without spaces around them and without empty ones."""
    parts = caption.split(separator) if separator else [caption]
    return [part.strip() for part in parts if part.strip()]
