"""How many images each class has, and how large they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fivefold.apps.data_check.mask_stats import MaskStats, mask_stats
from fivefold.core.progress import Progress
from fivefold.core.types import Indices
from fivefold.data import Source
from fivefold.data.audit import examine_headers, no_images
from fivefold.data.audit_rows import USED
from fivefold.data.class_checks import count_classes
from fivefold.data.looks import look_of_numbers
from fivefold.experiment.named_data import Opened


@dataclass(frozen=True)
class Stats:
    """Numbers of a data set.

    Attributes:
        name: What was counted.
        images: How many can be used, as far as the beginnings of their files tell.
        unusable: How many cannot.
        outputs: For each output its name, and its classes with how many images have each.
        sides: For height and width the least, the median and the most, in pixels.
        formats: How many images are of each format.
        masks: What masks show, if there are any.
    """

    name: str
    images: int
    unusable: int
    outputs: Sequence[tuple[str, Mapping[str, int]]]
    sides: Mapping[str, tuple[int, int, int]]
    formats: Mapping[str, int]
    masks: MaskStats | None = None

    @property
    def imbalance(self) -> float | None:
        """How many times as many images the largest class has as the smallest; None without two."""
        ratios = [
            max(counts.values()) / min(counts.values())
            for _, counts in self.outputs
            if len(counts) > 1 and min(counts.values())
        ]
        return max(ratios, default=None)

    def record(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "data": self.name,
            "images": self.images,
            "unusable": self.unusable,
            "imbalance": self.imbalance,
            "outputs": [{"name": name, "classes": dict(of)} for name, of in self.outputs],
            "pixels": {
                side: dict(zip(("min", "median", "max"), values, strict=True))
                for side, values in self.sides.items()
            },
            "formats": dict(self.formats),
            **({"masks": self.masks.record()} if self.masks else {}),
        }


def stats_of(opened: Opened, progress: Progress) -> Stats:
    """Count a data set; of each image only the beginning of its file is read, of masks all.

    Raises:
        DataError: If there is nothing to count.
    """
    source = opened.source
    audit = examine_headers(source, folds=0, progress=progress).audit
    if not audit.used:
        raise no_images(audit)
    rows = audit.rows
    used = rows.with_status(USED)
    sizes = np.asarray(rows.sizes[used], dtype=np.int64)
    masks = None if source.masks is None else mask_stats(source, used, sizes, progress)
    outputs = _outputs(source, used) if masks is None else [("", masks.images)]
    codes, numbers = np.unique(rows.looks[used, 0] & 15, return_counts=True)
    formats = zip(codes.tolist(), numbers.tolist(), strict=True)
    return Stats(
        str(opened.path),
        len(used),
        len(source) - len(used),
        outputs,
        {side: _spread(sizes[:, k]) for k, side in enumerate(("height", "width")) if len(used)},
        {look_of_numbers(code, -1, -1, -1).kind: number for code, number in formats},
        masks,
    )


def _outputs(source: Source, used: Indices) -> list[tuple[str, Mapping[str, int]]]:
    totals = iter(count_classes(source, used).tolist())
    return [(own.name, {name: next(totals) for name in own.class_names}) for own in source.labels]


def _spread(values: np.ndarray) -> tuple[int, int, int]:
    return int(values.min()), int(np.median(values)), int(values.max())
