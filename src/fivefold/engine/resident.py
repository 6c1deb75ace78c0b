"""Pixels on a GPU: sent there once, gathered there for every batch.

Only what has the same bits there: images as they are, and mirrored ones. What an augmentation
makes in any other way is made in threads on the CPU, and sent batch by batch.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from fivefold.augment import build_mixing
from fivefold.augment.mirrors import Mirrors, find_mirrors
from fivefold.build import build_prepare
from fivefold.config import ResolvedStage
from fivefold.core.progress import Progress
from fivefold.core.seeding import SampleGenerators
from fivefold.core.types import Indices
from fivefold.data.batches import Batch, Batches
from fivefold.data.images import ResizedImages
from fivefold.engine.device import DeviceBatch, accelerator
from fivefold.engine.memory import is_out_of_memory

logger = logging.getLogger(__name__)

PART = 4
"""Pixels may take one in so many bytes of what is free: the rest is for the network."""

_BATCH = 256
_GB = 1e9

Room: TypeAlias = Callable[[], int]


def room_on_device() -> int:
    """Count the bytes that are free on the accelerator; 0 where it has no memory of its own."""
    device = accelerator().device
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    # What torch keeps for later tensors is free for these too.
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


class Resident:
    """The pixels of all samples on the device, once somebody wants them and if there is room.

    Args:
        images: Where they come from.
        stage: Any of the experiment: what every image goes through is the same in all.
        threads: How many prepare them.
        progress: Who watches.
        room: Counts the free bytes of the device; 0 means that pixels have no place there, and
            nothing is said.
    """

    def __init__(
        self,
        images: ResizedImages,
        stage: ResolvedStage,
        threads: int,
        progress: Progress,
        room: Room = room_on_device,
    ) -> None:
        self._images, self._stage, self._threads = images, stage, threads
        self._progress, self._room = progress, room
        self._pixels: Tensor | None = None
        self._masks: Tensor | None = None
        self._tried = False
        self._making = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process empty: it has a device of its own."""
        given = (self._images, self._stage, self._threads, self._progress, self._room)
        return Resident, given

    def told_to(self, progress: Progress) -> "Resident":
        """Make the same, empty, for who is watched by another."""
        return Resident(self._images, self._stage, self._threads, progress, self._room)

    def forget(self) -> None:
        """Make room; who wants the pixels again sends them again."""
        self._pixels, self._masks, self._tried = None, None, False

    def pixels(self) -> Tensor | None:
        """Give all samples' pixels on the device, uint8 [N, H, W, C]; None without room."""
        with self._making:
            if not self._tried:
                self._tried = True
                sent = self._sent()
                self._pixels, self._masks = sent or (None, None)
        return self._pixels

    def masks(self) -> Tensor | None:
        """Give all samples' masks on the device, uint8 [N, H, W, P]; None without any or room."""
        self.pixels()
        return self._masks

    def _sent(self) -> tuple[Tensor, Tensor | None] | None:
        height, width, channels = self._images.shape
        planes = self._images.masks.planes if self._images.masks else 0
        needed = len(self._images.table) * height * width * (channels + planes)
        free = self._room()
        if not free:
            return None
        name = f"{len(self._images.table)} images, {needed / _GB:.3g} GB"
        if needed * PART > free:
            text = "%s do not stay on %s: %.3g GB are free, and a quarter is for images"
            logger.warning(text, name, accelerator().device, free / _GB)
            return None
        try:
            sent = self._copied()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            logger.warning("%s do not stay on %s: %s", name, accelerator().device, error)
            return None
        self._progress.line(f"{name}, stay on {accelerator().device}")
        return sent

    def _copied(self) -> tuple[Tensor, Tensor | None]:
        count, kind = len(self._images.table), self._images.masks
        device = accelerator().device
        pixels = torch.empty((count, *self._images.shape), dtype=torch.uint8, device=device)
        size = (count, *self._images.shape[:2], kind.planes if kind else 0)
        masks = torch.empty(size, dtype=torch.uint8, device=device) if kind else None
        batches = Batches(
            self._images,
            self._images.table,
            np.arange(count),
            batch=_BATCH,
            prepare=build_prepare(self._stage),
            threads=self._threads,
        )
        with self._progress.bar(f"images to {device}", count) as advance:
            for batch in batches:
                first = int(batch.indices[0])
                places = slice(first, first + len(batch.indices))
                pixels[places] = torch.from_numpy(batch.images)
                if masks is not None and batch.masks is not None:
                    masks[places] = torch.from_numpy(batch.masks)
                advance(len(batch.indices))
        return pixels, masks


@dataclass(frozen=True)
class Draws:
    """How the samples of a pass are mirrored.

    Attributes:
        mirrors: Draws it for one image.
        seed: The experiment's seed.
        place: Fold, stage and epoch, or the number of a view.
    """

    mirrors: Mirrors
    seed: int
    place: tuple[int, ...]

    def of(self, ids: list[str]) -> tuple[Tensor, Tensor]:
        """Say of samples whether rows and columns come in reverse [B], [B]."""
        generators = SampleGenerators(self.seed, "augment", *self.place)
        drawn = torch.tensor([self.mirrors(generators.of(name)) for name in ids])
        return drawn[:, 0], drawn[:, 1]


class ResidentBatches:
    """Batches whose pixels are gathered on the device, or come from memory where it has no room.

    Args:
        batches: What they are: order, size and truth.
        resident: The pixels.
        draws: How they are mirrored; None where nothing is drawn.
    """

    def __init__(self, batches: Batches, resident: Resident, draws: Draws | None) -> None:
        self._batches, self._resident, self._draws = batches, resident, draws

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def parts(self) -> list[Indices]:
        """The rows of each batch, in the order of the batches."""
        return self._batches.parts

    def __iter__(self) -> Iterator[Batch | DeviceBatch]:
        pixels = self._resident.pixels()
        if pixels is None:
            yield from self._batches
            return
        table, masks = self._batches.table, self._resident.masks()
        for number, rows in enumerate(self.parts):
            chosen = torch.from_numpy(np.asarray(rows)).to(pixels.device)
            found = [part.index_select(0, chosen) for part in (pixels, masks) if part is not None]
            if self._draws is not None:
                drawn = self._draws.of(self._batches.names(number))
                found = [_mirrored(part, *drawn) for part in found]
            images, *rest = (part.permute(0, 3, 1, 2) for part in found)
            targets = None if table.targets is None else table.targets[rows]
            yield DeviceBatch(rows, images, targets, *rest)


AnyBatches: TypeAlias = Batches | ResidentBatches


def from_device(
    batches: Batches,
    resident: Resident | None,
    stage: ResolvedStage,
    drawn: tuple[int, tuple[int, ...]] | None = None,
) -> AnyBatches:
    """Give a pass its pixels from the device where they would be the same there.

    Args:
        batches: The pass.
        resident: The pixels; None leaves the batches as they are.
        stage: Whose.
        drawn: Seed and place of what is drawn for the images; None for images as they are.
    """
    if resident is None or drawn is None:
        return batches if resident is None else ResidentBatches(batches, resident, None)
    mirrors = find_mirrors(stage.augmentation)
    # Transforms see the mirrored image; cells and mixtures are no images of the data set.
    changed = bool(stage.augmentation and stage.transforms)
    if mirrors is None or changed or stage.crops > 1 or build_mixing(stage.augmentation):
        return batches
    draws = Draws(mirrors, *drawn) if stage.augmentation else None
    return ResidentBatches(batches, resident, draws)


def _mirrored(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Mirror those of images [B, H, W, C] that are said to be [B], [B]."""
    for flips, axis in ((rows, 1), (columns, 2)):
        chosen = flips.to(images.device)[:, None, None, None]
        images = torch.where(chosen, images.flip(axis), images)
    return images
