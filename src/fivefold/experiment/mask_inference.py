"""Predicted masks of new images by the mean of several folds' models: one pass, flat memory."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np

from fivefold.augment import build_transforms
from fivefold.build.pixels import build_preprocess, show_alpha
from fivefold.config import ExperimentConfig
from fivefold.core.cells import each_cell
from fivefold.core.cores import decoding_threads
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Floats, Head, Image
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.data.image_problem import ImageProblem
from fivefold.data.pixels import to_channels
from fivefold.engine.checkpoint import load_bundle
from fivefold.engine.device import accelerator, images_of
from fivefold.engine.incoming import Incoming, read_batches
from fivefold.engine.laying import traced
from fivefold.engine.memory import InParts
from fivefold.engine.predictor import Advance, map_batches, view_maps
from fivefold.engine.tiles import USUAL_OVERLAP, Tiling, check_overlap
from fivefold.engine.tta import View
from fivefold.engine.whole_maps import WholeMap, whole_map
from fivefold.experiment.inference import load_models
from fivefold.experiment.readable import Readable, nothing_readable, tell_listing
from fivefold.experiment.trained_sizes import typical_trained_on
from fivefold.models import Classifier, ModelSpec

_NUMBERS = 1 << 24
"""Probabilities that a batch of one model may have: 64 MB."""
_PIXELS = {"cpu": 1 << 19}
_PIXELS_ELSEWHERE = 1 << 23
"""Pixels that a batch may have: a decoder keeps hundreds of bytes for each."""
_BATCH = 32


@dataclass(frozen=True, eq=False)
class MappedImage:
    """An image, and what the models say of its pixels.

    Attributes:
        position: Of the sample in its source.
        image: What the network saw [H, W, C], 0-255; of tiles the whole image.
        probs: The probability of each class at each pixel, at the image's own size.
    """

    position: int
    image: Image
    probs: WholeMap


@dataclass(frozen=True, eq=False)
class MaskEnsemble:
    """Models that answer together: their probabilities are averaged, pixel by pixel.

    Attributes:
        models: In eval mode on the device, of the same classes.
        spec: What the first was built from.
        config: Says the batch and the threads that decode.
        views: Flips to average over.
        tiles: How much of a tile its neighbours share, 0 to one half; None: each image is resized
            to the network's size, and its map back.
        covered: Height and width of a tile in pixels of the image; it is resized to the network's
            size as an image is, and its map back. None: that size.
    """

    models: Sequence[Classifier]
    spec: ModelSpec
    config: ExperimentConfig
    views: Sequence[View]
    tiles: float | None = None
    covered: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.tiles is not None:
            check_overlap(self.tiles)

    @property
    def tile(self) -> tuple[int, int] | None:
        """Height and width of a tile in pixels of the image; None without tiles."""
        return None if self.tiles is None else self.covered or self.spec.shape[:2]

    @property
    def head(self) -> Head:
        """What the classes are."""
        return self.models[0].heads[0]

    def maps(
        self, source: Source, progress: Progress, batch: int | None = None
    ) -> Generator[MappedImage]:
        """Predict a source, one image after the other: each is read once and then forgotten.

        Args:
            source: The samples; those that cannot be read are warned of and left out.
            progress: Who watches.
            batch: Images, or tiles, at a time; the config's `inference_batch` if not given.

        Yields:
            Images whose maps can be asked for until the next one comes.

        Raises:
            DataError: If there is no sample, or none can be read.
        """
        tell_listing(source)
        if not len(source):
            raise nothing_readable(source)
        show_alpha(source, self.spec.shape)
        size = batch or self.batch
        with progress.bar("predict", len(source)) as advance:
            readable = Readable(source, advance)
            if self.tiles is None:
                images = self._resized(source, readable, size)
            else:
                images = self._tiled(source, readable, size, progress)
            with closing(images) as found:
                for one in found:
                    yield one
                    advance(1)

    def run(self, batches: Iterable[Batch], parts: InParts) -> Generator[tuple[Batch, Floats]]:
        """Average all models and views: each batch with its maps [B, K, H, W], 0-1.

        A batch of one model is what a thread works on: few images keep all cores busy too.
        """

        def one(work: tuple[Batch, Classifier]) -> tuple[Batch, Floats]:
            batch, model = work
            return batch, parts.run(lambda p: view_maps(model, images_of(p), self.views), batch)

        count = len(self.models)
        found = map_batches(one, ((batch, model) for batch in batches for model in self.models))
        with closing(found):
            for batch, first in found:
                if count == 1:
                    yield batch, first
                    continue
                total = first.astype(np.float64)
                for _, other in islice(found, count - 1):
                    total += other
                yield batch, (total / count).astype(np.float32)

    @property
    def batch(self) -> int:
        """How many images at a time, if nobody says it."""
        asked = self.config.inference_batch
        if asked != "auto":
            return asked
        pixels = self.spec.shape[0] * self.spec.shape[1]
        most = _PIXELS.get(accelerator().device.type, _PIXELS_ELSEWHERE)
        return max(1, min(_BATCH, most // pixels, _NUMBERS // (pixels * self.head.num_classes)))

    def _transform(self) -> Callable[[Image], Image]:
        return each_cell(build_transforms(self.spec.transforms), self.spec.crops)

    def _places(self) -> AnyArray | None:
        """Say where each pixel was before the transforms, which are the same for all images."""
        return traced(self.spec, np.zeros(self.spec.shape, np.uint8))

    def _resized(self, source: Source, readable: Readable, size: int) -> Generator[MappedImage]:
        """Predict images that were resized as in training."""
        incoming = read_batches(
            source,
            build_preprocess(self.spec.shape),
            batch=size,
            threads=_threads(self.config),
            transform=self._transform(),
            sized=True,
        )
        sizes: dict[int, tuple[int, int]] = {}
        places = self._places()
        with closing(incoming), closing(_remembered(incoming, sizes)) as known:
            for batch, maps in self.run(readable.batches(known), InParts(size)):
                for position, image, one in zip(batch.indices, batch.images, maps, strict=True):
                    found = whole_map(one, sizes.pop(int(position)), places)
                    yield MappedImage(int(position), image, found)

    def _tiled(
        self, source: Source, readable: Readable, size: int, progress: Progress
    ) -> Generator[MappedImage]:
        """Predict images in tiles, one image at a time: a large one may take all memory."""
        with closing(_one_by_one(source, self.spec.shape[2])) as images:
            for batch in readable.batches(images):
                yield self._tiled_one(int(batch.indices[0]), batch.images[0], size, progress)
                del batch  # before the next image is decoded

    def _tiled_one(self, position: int, image: Image, size: int, progress: Progress) -> MappedImage:
        whole = (image.shape[0], image.shape[1])
        overlap = USUAL_OVERLAP if self.tiles is None else self.tiles
        tiling = Tiling(whole, self.tile or self.spec.shape[:2], overlap)

        def rows() -> Iterator[Floats]:
            with (
                progress.bar("tiles", len(tiling)) as advance,
                closing(self._maps_of_tiles(tiling, image, size, advance)) as maps,
            ):
                yield from tiling.join(maps)

        return MappedImage(position, image, WholeMap(whole, self.head.num_classes, rows))

    def _maps_of_tiles(
        self, tiling: Tiling, image: Image, size: int, advance: Advance
    ) -> Generator[Floats]:
        transform, places = self._transform(), self._places()
        resized = build_preprocess(self.spec.shape)
        parts = (transform(resized(part, "tile")) for part in tiling.tiles(image))
        batches = iter(lambda: list(islice(parts, size)), [])
        made = (Batch(np.arange(len(some)), np.stack(some), None) for some in batches)
        with closing(self.run(made, InParts(size))) as found:
            for _, maps in found:
                for one in maps:
                    yield _over_tile(one, tiling.tile, places)
                    advance(1)


def load_mask_ensemble(
    folder: RunFolder,
    places: Sequence[tuple[int, int]],
    *,
    config: ExperimentConfig,
    views: Sequence[View],
    tiles: float | None = None,
) -> MaskEnsemble:
    """Load models that answer together.

    Args:
        folder: The experiment.
        places: Fold and stage of each model.
        config: Says the batch and the threads that decode.
        views: Flips to average over.
        tiles: As in `MaskEnsemble`; a tile covers as many pixels as a typical image trained on.

    Raises:
        ConfigError: If `tiles` is no overlap.
        StateError: If a model is not trained or damaged.
        ResourceError: If the models do not fit into memory all together.
    """
    models = load_models(folder, places)
    spec = load_bundle(folder.bundle(*places[0])).spec
    covered = None if tiles is None else typical_trained_on(folder)
    return MaskEnsemble(models, spec, config, views, tiles, covered)


def _threads(config: ExperimentConfig) -> int:
    given = "num_workers" in config.model_fields_set
    return config.num_workers if given else decoding_threads()


def _remembered(
    incoming: Iterator[Incoming], sizes: dict[int, tuple[int, int]]
) -> Generator[Incoming]:
    """Pass batches on, and keep the sizes of their whole images."""
    for one in incoming:
        sizes.update(zip(one.batch.indices.tolist(), one.sizes, strict=True))
        yield one


def _one_by_one(source: Source, channels: int) -> Generator[Incoming]:
    """Read images at their own size, each only when it is asked for."""
    for i in range(len(source)):
        try:
            image = to_channels(source.image(i), channels, source.name_of(i))
        except ImageProblem as problem:
            nothing = Batch(np.zeros(0, np.int64), np.zeros((0, 1, 1, channels), np.uint8), None)
            yield Incoming(nothing, ((i, problem),))
            continue
        yield Incoming(Batch(np.array([i]), image[None], None), ())
        del image


def _over_tile(maps: Floats, tile: tuple[int, int], places: AnyArray | None) -> Floats:
    """Bring the maps of a tile to its own pixels [K, height, width]; as they are if they fit."""
    if places is None and maps.shape[1:] == tile:
        return maps
    return np.moveaxis(whole_map(maps, tile, places).arr, 2, 0)
