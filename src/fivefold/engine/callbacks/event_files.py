"""TensorBoard's files of events: what lies beyond a resume is taken out of them."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fivefold.core.durable import remove, write_bytes


def drop_from(folder: Path, step: int) -> None:
    """Take the events of a step and of all later ones out of a folder's own files.

    TensorBoard hides scalars and pictures that come again after a resume, but no curves, and other
    readers hide nothing.

    Args:
        folder: With files of events, or without, or not there.
        step: The first that is not to be there.

    Raises:
        ResourceError: If a file cannot be written.
    """
    from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415  a second

    for path in sorted(folder.glob("*tfevents*")):
        events = list(_events(path))
        kept = [record for record, event in events if event.step < step]
        # the first event says the version of the file, as step 0
        if not any(event.step < step and event.HasField("summary") for _, event in events):
            remove(path)
        elif len(kept) < len(events):
            file = io.BytesIO()
            writer = RecordWriter(file)
            for record in kept:
                writer.write(record)
            write_bytes(path, file.getvalue())


def _events(path: Path) -> Iterator[tuple[bytes, Any]]:
    """Read the whole events of a file; one that a kill has cut off is its last."""
    from tensorboard.backend.event_processing.event_file_loader import (  # noqa: PLC0415  see above
        RawEventFileLoader,
    )
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415  see above

    for record in RawEventFileLoader(str(path)).Load():
        yield record, Event.FromString(record)
