"""Musket's methods whose predicted masks are kept on disk, and seen as data sets."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.arguments import as_path
from fivefold.core.layout import RunFolder
from fivefold.core.maps import Maps, MapWriter, Packed, to_map
from fivefold.core.progress import Progress, Silent
from fivefold.core.types import AnyArray, Floats
from fivefold.data import Source
from fivefold.data.datasets import LazyItem, PredictedDataSet, PredictionItem, SourceDataSet
from fivefold.data.datasets.blending import WeightedBlend, write_rows
from fivefold.data.rle import rle_encode
from fivefold.engine.overlays import shown_classes
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket.asking import Flips
from fivefold.experiment.musket.mask_batches import planes_of
from fivefold.experiment.musket.mask_predicting import MaskPredicting
from fivefold.experiment.musket.places import ALL, Fold, Place, Stage, places_of
from fivefold.experiment.musket.stored import stored_path
from fivefold.experiment.project import find_experiment

_Part = tuple[Sequence[Place], Source]
"""Models, and the samples that they predict."""


class StoredMasks(PredictedDataSet):
    """A data set and the maps that models made of it, which lie in a file and are read one by one.

    An item's `prediction` is float32 [H, W, classes] at the image's own size, in steps of 1 / 255;
    its `y` is 0 and 1 for each class [H, W, classes], or None where the truth is not known.

    Args:
        maps: The file.
        source: Its samples, in its order.
        root: The data set that was predicted.
        name: What it is called.
        again: Predicts the same data with the experiment of another config.

    Attributes:
        maps: The same.
        name: The same.
    """

    def __init__(
        self,
        maps: Maps,
        source: Source,
        root: Any,
        name: str,
        again: Callable[[Path], PredictedDataSet],
    ) -> None:
        self.maps, self.name = maps, name
        self._source, self._root, self._again = source, root, again
        self._places = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.maps.head.class_names

    def __len__(self) -> int:
        return len(self.maps)

    def __getitem__(self, i: int) -> PredictionItem:
        sample_id = self.maps.ids[i]
        place = self._places[sample_id]
        y = None if self._source.masks is None else self.truth(i)
        return LazyItem(sample_id, lambda: self._source.image(place), y, self.prediction(i))

    def prediction(self, i: int) -> Floats:
        """Read what the models say of an item, float32 [H, W, classes], 0-1."""
        return self.maps.read(self.maps.ids[i]).astype(np.float32) / np.float32(255)

    def truth(self, i: int) -> AnyArray:
        """Read an item's truth, 0 and 1 for each class, uint8 [H, W, classes]."""
        place = self._places[self.maps.ids[i]]
        return planes_of(self._source.mask(place), self.maps.kind)

    def blend(self, ds: Any, w: float = 0.5) -> WeightedBlend:
        """Blend with other predictions of the same items.

        Args:
            ds: Them; or the path of another experiment's config, which predicts the same data.
            w: How much these ones weigh, 0-1.
        """
        return super().blend(self._again(Path(ds)) if isinstance(ds, str | Path) else ds, w)

    def root(self) -> Any:
        """The data set that was predicted."""
        return self._root

    def dump(self, csv_path: Path | str, treshold: float = 0.5, encode_y: bool = False) -> None:
        """Write masks as a CSV table of run lengths.

        The data set that was predicted says the columns, if it can `encode` items. Else there is a
        row for each item and class but the background: id, class, rle, down the columns and from 1.

        Args:
            csv_path: The file; replaced.
            treshold: A pixel shows a class that is more probable than this, 0-1; of exclusive
                classes the most probable one.
            encode_y: Write what is true instead of what was predicted.
        """
        path, encode = as_path("csv_path", csv_path), getattr(self._root, "encode", None)
        rows: list[Any] = []
        for i, sample_id in enumerate(self.maps.ids):
            if encode is not None:
                row = encode(self[i], encode_y, treshold)
                rows += row if isinstance(row, list) else [row]
                continue
            shown = self.truth(i) if encode_y else self._shown(i, treshold)
            for k in shown_classes(self.maps.kind):
                text = rle_encode(shown[..., k])
                rows.append({"id": sample_id, "class": self.class_names[k], "rle": text})
        write_rows(path, rows)

    def _shown(self, i: int, threshold: float) -> AnyArray:
        probs = self.prediction(i)
        if not self.maps.kind.exclusive:
            return probs > threshold
        highest: AnyArray = probs.argmax(axis=2)[..., None] == np.arange(probs.shape[2])
        return highest


class MaskKeeping(MaskPredicting):
    """What gives predicted masks as data sets, and keeps those that are made only once."""

    def predict_all_to_dataset(
        self,
        dataset: Any,
        fold: Fold = None,
        stage: Stage = ALL,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
        dsPath: Path | str | None = None,
        cacheModel: bool = False,
        verbose: int = 1,
    ) -> StoredMasks:
        """Predict a data set; gives one whose items have a `prediction`.

        Maps are written to disk as whole numbers 0-255, one after the other.

        Args:
            dataset: As for `predict_on_dataset`.
            fold: Whose models; None for all that are trained.
            stage: Whose weights; all stages if not given, as in Musket, and None too.
            limit: How many items at most.
            batch_size: How many at a time.
            ttflips: Average over flips, undone on the maps.
            dsPath: The file to write; replaced. If not given, one in `predictions/`.
            cacheModel: Keep the models in memory for the next call.
            verbose: 0 shows no bar.
        """
        source = self._to_predict(dataset, limit)
        places = places_of(self.experiment, fold, stage)
        self._ensemble(places, ttflips, keep=cacheModel)
        parts = [(places, source)]
        path = self._path(parts, ttflips, _name_of(dataset)) if dsPath is None else Path(dsPath)
        progress = self.experiment.progress if verbose else Silent()
        self._write(path, parts, ttflips, batch_size, progress)
        return self._stored(path, source, (fold, stage), dataset)

    def predictions(self, name: Any, fold: Fold = None, stage: Stage = -1) -> StoredMasks:
        """Give predicted masks that are made only once.

        They are kept on disk until the data's content or the weights change.

        Args:
            name: "validation": every sample by the model that has not seen it. "validation3": the
                samples of fold 3 by its model. "holdout": by all models. "train" or "train3": the
                training samples of fold 0, or 3, by its model. Or any data set.
            fold: Whose models instead; of "validation" whose samples.
            stage: Whose weights; -1 is the last, several are averaged, None is all stages.

        Raises:
            DataError: If there is no such data set, or a sample cannot be read.
            StateError: If a model is not trained.
        """
        if name == "validation":
            places = places_of(self.experiment, fold, stage)
            folds = dict.fromkeys(own for own, _ in places)
            parts: list[_Part] = [
                ([p for p in places if p[0] == own], self._to_predict(f"validation{own}"))
                for own in folds
            ]
            source: Source = self._source(None)
        else:
            models = fold
            if fold is None and isinstance(name, str) and self.is_name(name):
                part, own = self._part_of_name(name)
                models = None if part == "holdout" else own
            source = self._to_predict(name)
            parts = [(places_of(self.experiment, models, stage), source)]
        path = self._path(parts, False, _name_of(name))
        if not path.exists():
            self._write(path, parts, False, None, self.experiment.progress)
        return self._stored(path, source, (fold, stage), name)

    def _path(self, parts: Sequence[_Part], ttflips: Flips, name: str) -> Path:
        folder, flips = self.experiment.folder, self._flips(ttflips)
        paths = [
            stored_path(folder, source, places, flips, name, ending=".maps")
            for places, source in parts
        ]
        return paths[0] if len(paths) == 1 else _joined(folder, paths, name)

    def _write(
        self,
        path: Path,
        parts: Sequence[_Part],
        ttflips: Flips,
        batch_size: int | None,
        progress: Progress,
    ) -> None:
        """Predict samples and write their maps into one file; what cannot be read is left out."""
        head = self._ensemble(parts[0][0], ttflips).head
        with MapWriter(path, head) as writer:
            for places, source in parts:
                ensemble = self._ensemble(places, ttflips)
                with closing(ensemble.maps(source, progress, batch_size)) as found:
                    for one in found:
                        packed = Packed.of(to_map(one.probs.arr))
                        writer.add(source.sample_ids[one.position], packed)
            writer.commit()

    def _stored(
        self, path: Path, source: Source, places: tuple[Fold, Stage], dataset: Any
    ) -> StoredMasks:
        named = isinstance(dataset, str) and self.is_name(dataset)
        files = isinstance(dataset, str | Path | Source)
        if named:
            whole, source = self._whole(None), self._source(None)
        else:
            whole = SourceDataSet(source) if files else dataset

        def again(other_path: Path) -> PredictedDataSet:
            run, place = self.experiment, find_experiment(other_path)
            other = Experiment.load(place, allow_imports=run.allow_imports, progress=run.progress)
            pipeline = type(self)(other)
            pipeline.dataset = self.dataset
            if named:
                return pipeline.predictions(dataset, *places)
            return pipeline.predict_all_to_dataset(dataset, *places)

        return StoredMasks(Maps(path), source, whole, _name_of(dataset), again)


def _joined(folder: RunFolder, paths: Sequence[Path], name: str) -> Path:
    """Name one file for all parts, by what decides each of them."""
    names = json.dumps([path.name for path in paths])
    digest = hashlib.sha256(names.encode()).hexdigest()[:16]
    return folder.root / "predictions" / f"{name}-{digest}.maps"


def _name_of(dataset: Any) -> str:
    name = dataset if isinstance(dataset, str) else getattr(dataset, "name", "")
    return Path(str(name or "")).name
