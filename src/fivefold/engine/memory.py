"""What to do when a device has not enough memory."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from fivefold.core.errors import ResourceError
from fivefold.core.types import Floats
from fivefold.data.batches import Batch

logger = logging.getLogger(__name__)

_ON_CPUS = ("allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception of torch or Python means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # On a CPU torch has no class of its own for it; on Windows it words it in its own way.
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _ON_CPUS)


def out_of_memory(error: BaseException, where: str, images: int, hint: str) -> ResourceError:
    """Word that some images do not fit into memory.

    Args:
        error: Of torch or Python.
        where: What was at work.
        images: How many of them were to be computed at a time.
        hint: The way out.
    """
    batch = "1 image" if images == 1 else f"a batch of {images}"
    msg = f"{where}: expected enough memory for {batch}, got {error}"
    return ResourceError(msg, hint=hint, slug="resource/memory")


class InParts:
    """Runs batches in parts that fit into memory: where one does not, in halves from then on.

    Args:
        batch: How many samples are tried first.
    """

    def __init__(self, batch: int) -> None:
        self.most = batch
        self._turn = threading.Lock()

    def run(self, function: Callable[[Batch], Floats], batch: Batch) -> Floats:
        """Call a function for a batch, or for its parts, and put their results together.

        Args:
            function: From a batch to one row for each sample [B, C].
            batch: At least one sample.

        Raises:
            ResourceError: If not even one sample fits.
        """
        parts: list[Floats] = []
        start, total = 0, len(batch.indices)
        while start < total:
            size = min(self.most, total - start)
            try:
                parts.append(function(_part(batch, start, start + size)))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(size, error)
                continue
            start += size
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _halve(self, size: int, error: BaseException) -> None:
        if size == 1:
            hint = "close other programs, or predict on a device with more memory"
            raise out_of_memory(error, "prediction", size, hint) from error
        with self._turn:
            if self.most >= size:  # another thread may have done so already
                self.most = size // 2
                text = "a batch of %d does not fit into memory; going on with %d"
                logger.warning(text, size, self.most)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _part(batch: Batch, start: int, end: int) -> Batch:
    if (start, end) == (0, len(batch.indices)):
        return batch
    return replace(batch, indices=batch.indices[start:end], images=batch.images[start:end])
