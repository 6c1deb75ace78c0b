"""Images in tar files as samples."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fivefold.core.cache_home import CacheHome
from fivefold.core.errors import DataError
from fivefold.core.progress import Progress, Silent
from fivefold.core.types import Floats, Image
from fivefold.data.decode import (
    DEFAULT_LIMITS,
    Decoded,
    Header,
    decode,
    decode_sized,
    header_within,
)
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.quick_headers import Read
from fivefold.data.reasons import by_reason, counted, first_of
from fivefold.data.source import Fetched, Sample, Source, sources
from fivefold.data.tars.kept import index_of, stamp_of
from fivefold.data.tars.listing import IMAGES, Listing, Wanted
from fivefold.data.tars.names import shard_paths


@sources.add(name="shards")
class ShardSource(Source):
    """Images in tar files, beside members with the same name and another ending for the labels.

    Nothing is unpacked: an index says where members lie. Their names are never paths.

    Args:
        pattern: The tar files: `train-{000..009}.tar`, `*.tar`.
        home: The cache, which keeps the index.
        progress: Who watches the headers being read.
        image_ending: Which members are the images, where samples have several.
        label: The ending of the members with labels, or the key of a JSON member; by default
            found: `cls`, `json` or `txt`.
        separator: What stands between several classes in one text.

    Raises:
        DataError: If a tar file is missing, compressed or without an image, or labels are none.
    """

    def __init__(
        self,
        pattern: Path,
        home: CacheHome | None = None,
        progress: Progress | None = None,
        *,
        image_ending: str | None = None,
        label: str | None = None,
        separator: str | None = None,
    ) -> None:
        self._paths = shard_paths(pattern)
        listing = Listing(Wanted(image_ending, label, separator))
        with (progress or Silent()).bar("index", len(self._paths)) as advance:
            for number, name in enumerate(_names(self._paths)):
                path = self._paths[number]
                listing.add(number, name, path, index_of(path, home))
                advance(1)
        listed = listing.done()
        if not len(listed.ids):
            raise _nothing(pattern, len(self._paths), listed.excluded)
        self.sample_ids = listed.ids
        self.labels = listed.labels
        self.excluded = listed.excluded
        self._targets = listed.targets
        self._shards, self._starts, self._sizes = listed.shards, listed.starts, listed.sizes

    def sample(self, i: int) -> Sample:
        """Read and decode a member."""
        return Sample(self.sample_ids[i], self.image(i), self.target(i))

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read and decode a member, a large JPEG smaller."""
        return decode(self._read(i), draft_size=at_least)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C]."""
        return None if self._targets is None else self._targets[i]

    def fetch(self, i: int) -> Fetched:
        """Read a member once, for the SHA-256 of its bytes and for its pixels."""
        data = self._read(i)

        def decode_it(at_least: tuple[int, int] | None) -> Decoded:
            return decode_sized(data, draft_size=at_least)

        return Fetched(hashlib.sha256(data).hexdigest(), decode_it)

    def header(self, i: int) -> Header:
        """Read how a member begins.

        Raises:
            ImageProblem: If that tells that it cannot be used.
        """
        with self._member(i) as read:
            return header_within(read, int(self._sizes[i]), self.stamp(i))

    def stamp(self, i: int) -> str:
        """Tell size and modification time of the tar file."""
        return stamp_of(self._path(i))

    def path(self, i: int) -> str:
        """Tell where the tar file lies."""
        return str(self._path(i))

    def _path(self, i: int) -> Path:
        return self._paths[int(self._shards[i])]

    def _read(self, i: int) -> bytes:
        with self._member(i) as read:
            return read(0, int(self._sizes[i]))

    @contextmanager
    def _member(self, i: int) -> Iterator[Read]:
        """Open a member, which is whole; gives what reads bytes of it."""
        size, start = int(self._sizes[i]), int(self._starts[i])
        if size > DEFAULT_LIMITS.max_bytes:
            detail = f"{size:,} bytes, at most {DEFAULT_LIMITS.max_bytes:,} are read"
            raise ImageProblem(Reason.TOO_LARGE, detail)
        try:
            with self._path(i).open("rb", buffering=0) as file:
                lacking = start + size - os.fstat(file.fileno()).st_size
                if lacking > 0:
                    detail = f"its tar file ends {lacking:,} bytes before the image does"
                    raise ImageProblem(Reason.TRUNCATED, detail)

                def read(place: int, count: int) -> bytes:
                    file.seek(start + place)
                    return file.read(max(min(count, size - place), 0))

                yield read
        except FileNotFoundError as error:
            raise ImageProblem(Reason.MISSING, "there is no such tar file any more") from error
        except OSError as error:
            raise ImageProblem(Reason.UNREADABLE, f"{type(error).__name__}: {error}") from error


def _nothing(pattern: Path, files: int, excluded: Sequence[tuple[str, str]]) -> DataError:
    """Say that there is no sample, and why what there is counts for none."""
    found = f"none in {files:,} tar file{'s' * (files != 1)}"
    if excluded:
        found += f": {counted(by_reason(excluded))}; {first_of([name for name, _ in excluded])}"
    msg = f"{pattern}: expected at least 1 image, got {found}"
    hint = f"members are taken for images if their names end in {', '.join(IMAGES)}"
    return DataError(msg, hint=hint, slug="data/bad-shard")


def _names(paths: Sequence[Path]) -> list[str]:
    """Name tar files: by their own names, or from the folder that all of them are in."""
    names = [path.name for path in paths]
    if len(set(names)) == len(names):
        return names
    common = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(common).as_posix() for path in paths]
