"""Musket's methods that predict masks."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np

from fivefold.core.arguments import as_path
from fivefold.core.durable import write_bytes
from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.engine.device import images_of
from fivefold.engine.predictor import map_batches, view_maps
from fivefold.engine.tta import View, views_of
from fivefold.experiment.mask_inference import MaskEnsemble, load_mask_ensemble
from fivefold.experiment.musket.asking import NOT_GIVEN, Asking, Flips
from fivefold.experiment.musket.mask_batches import MapOfImage, MaskBatch
from fivefold.experiment.musket.mask_files import MapFiles
from fivefold.experiment.musket.places import FIRST, Fold, Stage, places_of
from fivefold.models import Classifier, ModelSpec


class MaskPredicting(Asking[MaskEnsemble, MaskBatch]):
    """What predicts masks; see `Asking`.

    Functions of users get maps: `map.arr` is what the models say of each pixel, float32
    [H, W, classes], 0-1, at the image's own size.
    """

    def predict_in_directory(
        self,
        spath: Any,
        fold: Fold,
        stage: Any = FIRST,
        cb: Any = NOT_GIVEN,
        data: Any = NOT_GIVEN,
        limit: int = -1,
        batchSize: int | None = None,
        ttflips: Flips = False,
    ) -> None:
        """Predict the images of a folder and hand each to a function.

        Both of Musket's call shapes work: `(path, fold, stage, cb, data)`, and without the stage
        `(path, fold, cb, data)`.

        Args:
            spath: The folder.
            fold: Whose models.
            stage: Whose weights.
            cb: Called with the file's name, its map, and `data`.
            data: Handed on.
            limit: How many images at most.
            batchSize: How many at a time.
            ttflips: Average over flips, undone on the maps.
        """
        super().predict_in_directory(spath, fold, stage, cb, data, limit, batchSize, ttflips)

    def predict_to_directory(
        self,
        spath: Any,
        tpath: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batchSize: int | None = None,
        binaryArray: bool = False,
        ttflips: Flips = False,
    ) -> None:
        """Predict the images of a folder, and write each map into another folder.

        A file is called as its image up to the first dot: a PNG of 255 times the probability, cut
        to a whole number, or a `.npy` of float32 [H, W, classes].

        Args:
            spath: The folder of images.
            tpath: The folder to write into, made if need be; maps in it are replaced, and
                no other files.
            fold: Whose models.
            stage: Whose weights.
            limit: How many images at most.
            batchSize: How many at a time.
            binaryArray: Write `.npy` files: exactly, and for any number of classes.
            ttflips: Average over flips, undone on the maps.

        Raises:
            DataError: If two images would have one file, a PNG cannot hold so many classes, or a
                file that is no map would be replaced.
            ResourceError: If the disk is full, read-only or failing.
        """
        ensemble = self._ensemble(places_of(self.experiment, fold, stage), ttflips)
        source = self._to_predict(spath, limit)
        folder = as_path("tpath", getattr(tpath, "path", tpath))
        files = MapFiles(source.sample_ids, ensemble.head, binary=binaryArray)
        files.claim(folder)
        with closing(self._batches(ensemble, source, batchSize)) as found:
            for batch in found:
                for name, one in self._pairs(batch):
                    write_bytes(folder / files.name(name), files.data(one.arr))

    def predict_all_to_array(
        self,
        dataset: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> AnyArray:
        """Predict a data set in its own order; all maps are in memory at a time.

        Args:
            dataset: As for `predict_on_dataset`.
            fold: Whose models; None for all that are trained.
            stage: Whose weights; None for all stages.
            limit: How many items at most.
            batch_size: How many at a time.
            ttflips: Average over flips, undone on the maps.

        Returns:
            Probabilities [N, H, W, classes]; where images differ in size, an array [N] of them.

        Raises:
            DataError: If an item cannot be read, since then rows would not line up.
        """
        return self.predict_all_to_array_with_ids(dataset, fold, stage, limit, batch_size, ttflips)[
            0
        ]

    def predict_all_to_array_with_ids(
        self,
        dataset: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> tuple[AnyArray, list[str]]:
        """Predict a data set; gives `predict_all_to_array`'s result and the items' ids."""
        source = self._to_predict(dataset, limit)
        ensemble = self._ensemble(places_of(self.experiment, fold, stage), ttflips)
        maps, ids = list[AnyArray](), list[str]()
        with closing(self._batches(ensemble, source, batch_size)) as found:
            for batch in found:
                ids += batch.data
                maps += list(batch.results)
        if len(ids) < len(source):
            missing = sorted(set(source.sample_ids) - set(ids))
            msg = f"expected maps of all {len(source)} samples, got none of {missing[:5]}"
            hint = "take out what cannot be read; the warnings above say why"
            raise DataError(msg, hint=hint, slug="data/unreadable")
        if len({one.shape for one in maps}) == 1:
            return np.stack(maps), ids
        array = np.empty(len(maps), dtype=object)
        array[:] = maps
        return array, ids

    def predict_on_batch(self, mdl: Any, ttflips: Flips, batch: Any) -> list[AnyArray]:
        """Predict the `images_aug` of a batch with a model of `load_model`: maps [H, W, classes].

        They have the network's size.
        """
        models, views = getattr(mdl, "models", [mdl]), views_of(ttflips)
        part = Batch(np.arange(len(batch.images_aug)), batch.images_aug, None)
        each = map_batches(lambda model: view_maps(model, images_of(part), views), models)
        mean = np.stack(list(each)).mean(axis=0, dtype=np.float64)
        return list(np.moveaxis(np.asarray(mean, np.float32), 1, 3))

    def _loaded(self, places: Sequence[tuple[int, int]], views: Sequence[View]) -> MaskEnsemble:
        run = self.experiment
        return load_mask_ensemble(run.folder, places, config=run.config, views=views)

    def _together(
        self, models: Sequence[Classifier], spec: ModelSpec, views: Sequence[View]
    ) -> MaskEnsemble:
        return MaskEnsemble(models, spec, self.experiment.config, views)

    def _pairs(self, batch: MaskBatch) -> Iterable[tuple[str, MapOfImage]]:
        return zip(batch.data, batch.predicted_maps_aug, strict=True)

    def _batches(
        self, ensemble: MaskEnsemble, source: Source, batch_size: int | None
    ) -> Generator[MaskBatch]:
        size = batch_size or ensemble.batch
        with closing(ensemble.maps(source, self.experiment.progress, size)) as found:
            while some := list(islice(found, size)):
                positions = [one.position for one in some]
                yield MaskBatch(
                    data=[source.sample_ids[i] for i in positions],
                    images_aug=np.stack([one.image for one in some]),
                    source=source,
                    positions=positions,
                    found=some,
                )
