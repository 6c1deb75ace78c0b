"""Predictions of a data set, seen as a data set whose items have a `prediction`."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fivefold.core.arguments import as_path
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.data import ImageProblem, Source
from fivefold.data.datasets import LazyItem, PredictedDataSet, PredictionItem, WeightedBlend
from fivefold.data.datasets.blending import write_rows
from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment.musket.batches import by_sample
from fivefold.experiment.musket.places import Place


class StoredPredictions(PredictedDataSet):
    """A data set and what the models say of it; images are read when they are asked for.

    Args:
        predictions: The probabilities, and the truth where it is known.
        open_whole: Gives the data set; items are looked up there by their ids.
        name: What it is called.
        again: Predicts the same data with the experiment of another config.

    Attributes:
        predictions: The same.
    """

    def __init__(
        self,
        predictions: Predictions,
        open_whole: Callable[[], tuple[Any, Source]],
        name: str,
        again: Callable[[Path], PredictedDataSet],
    ) -> None:
        self.predictions = predictions
        self.name = name
        self._open_whole = open_whole
        self._again = again
        self._whole: tuple[Any, dict[str, int]] | None = None
        self._probs = by_sample(predictions.probs, predictions.heads)
        known = predictions.targets
        self._truth = None if known is None else by_sample(known, predictions.heads)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes."""
        return self.predictions.class_names

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, i: int) -> PredictionItem:
        sample_id = self.predictions.ids[i]
        y = self._target(sample_id) if self._truth is None else self._truth[i]
        return LazyItem(sample_id, lambda: self._item(sample_id).x, y, self._probs[i])

    def blend(self, ds: Any, w: float = 0.5) -> WeightedBlend:
        """Blend with other predictions of the same items.

        Args:
            ds: Them; or the path of another experiment's config, which predicts the same data.
            w: How much these ones weigh, 0-1.
        """
        return super().blend(self._again(Path(ds)) if isinstance(ds, str | Path) else ds, w)

    def root(self) -> Any:
        """The data set that was predicted."""
        return self._places()[0]

    def dump(self, csv_path: Path | str, treshold: float = 0.5, encode_y: bool = False) -> None:
        """Write the predictions as a CSV table.

        The data set that was predicted says the columns, if it can `encode` items. Else they are
        the id, for each output the label, and for each class its probability; a label of several
        classes joins them by `|`.

        Args:
            csv_path: The file; replaced.
            treshold: A class of a sigmoid output is true where its probability is above this, 0-1.
            encode_y: Write what is true instead of what was predicted.
        """
        path, whole = as_path("csv_path", csv_path), self.root()
        if hasattr(whole, "encode"):
            write_rows(path, [whole.encode(item, encode_y, treshold) for item in self])
            return
        found = self.predictions
        values = found.truth if encode_y else found.probs
        write_rows(
            path,
            [_row(i, row, found.heads, treshold) for i, row in zip(found.ids, values, strict=True)],
        )

    def _target(self, sample_id: str) -> Any:
        whole, places = self._places()
        cheap = getattr(whole, "get_target", None)
        return cheap(places[sample_id]) if cheap else self._item(sample_id).y

    def _item(self, sample_id: str) -> Any:
        whole, places = self._places()
        return whole[places[sample_id]]

    def _places(self) -> tuple[Any, dict[str, int]]:
        if self._whole is None:
            whole, source = self._open_whole()
            self._whole = whole, {name: i for i, name in enumerate(source.sample_ids)}
        return self._whole


def _row(sample_id: str, values: Any, heads: Sequence[Head], threshold: float) -> dict[str, object]:
    row: dict[str, object] = {"id": sample_id}
    own = by_sample(values[None], heads)[0]
    for head, part in zip(heads, own if len(heads) > 1 else [own], strict=True):
        front = f"{head.name}_" if head.name else ""
        chosen = part > threshold if head.activation == "sigmoid" else part == part.max()
        names = [name for name, is_true in zip(head.class_names, chosen, strict=True) if is_true]
        row[f"{front}label"] = "|".join(names if head.activation == "sigmoid" else names[:1])
        row |= {front + n: f"{v:.6f}" for n, v in zip(head.class_names, part, strict=True)}
    return row


def stored_path(
    folder: RunFolder,
    source: Source,
    places: Sequence[Place],
    flips: str,
    name: str,
    *,
    ending: str = ".npz",
) -> Path:
    """Name the file of a data set's predictions by all that decides them.

    That is the weights, the flips, and the ids and contents of the samples, which are read for it.

    Args:
        folder: The experiment.
        source: The samples.
        places: The models.
        flips: Which ones are averaged over.
        name: What the data set is called.
        ending: Of the file.
    """
    bundles = [load_bundle(folder.bundle(*place)) for place in places]
    about = [
        [place, bundle.sha256, bundle.encoder_sha256]
        for place, bundle in zip(places, bundles, strict=True)
    ]
    digest = hashlib.sha256(json.dumps([about, flips]).encode())
    for i, sample_id in enumerate(source.sample_ids):
        digest.update(json.dumps([sample_id, _content(source, i)]).encode())
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name) or "dataset"
    return folder.root / "predictions" / f"{plain}-{digest.hexdigest()[:16]}{ending}"


def _content(source: Source, i: int) -> str:
    try:
        return source.fetch(i).digest
    except ImageProblem:
        return ""
