"""Which mask belongs to which image: the one of the same name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from fivefold.core.errors import DataError
from fivefold.data.files import list_files

SUFFIX = "_mask"
"""What a mask's name may have behind its image's."""
NO_MASK, NO_IMAGE = "no-mask", "mask-without-image"
"""The rules that leave out an image without a mask, and a mask without an image."""

_SHOWN = 3


@dataclass(frozen=True)
class Pairs:
    """Images and their masks.

    Attributes:
        images: Ids of the images: paths relative to their folder, sorted.
        masks: Path of the mask of each, relative to the folder of the masks.
        excluded: What rules leave out, each with the rule.
        warnings: What a user should know of what has no partner.
    """

    images: Sequence[str]
    masks: Sequence[str]
    excluded: Sequence[tuple[str, str]]
    warnings: Sequence[str]


def find_pairs(images: Path, masks: Path) -> Pairs:
    """Find the mask of each image below a folder: of the same name, whatever both end in.

    A mask of `a/cat.jpg` is `a/cat.png` or `a/cat_mask.png`, or such with another ending. Both may
    lie in one folder, where the second form tells which is which; a folder of masks may lie below
    that of the images.

    Raises:
        DataError: If a folder is missing or unreadable, no image has a mask, or one has two.
        UnsafeInputError: If a link leads out of a folder.
    """
    places = _Places(images, masks)
    listed, found = places.listings()
    by_stem = places.by_stem(found.files)
    chosen, lonely = dict[str, str](), list[str]()
    for name in listed.files:
        mask = by_stem.get(_stem(name)) or by_stem.get(_stem(name) + SUFFIX)
        if mask is None:
            lonely.append(name)
        else:
            chosen[name] = mask
    if not chosen:
        raise places.nothing(listed.files, found.files)
    places.refuse_shared(chosen)
    taken = set(chosen.values())
    left = [name for name in found.files if name not in taken]
    outside = [*((name, NO_IMAGE) for name in left), *found.excluded]
    excluded = [*listed.excluded, *((name, NO_MASK) for name in lonely)]
    excluded += [(f"{masks.name}/{name}", rule) for name, rule in outside]
    told = (*places.told_images(lonely), *places.told_masks(left))
    return Pairs(tuple(chosen), tuple(chosen.values()), tuple(sorted(excluded)), told)


@dataclass(frozen=True)
class _Listed:
    """What lies in a folder; see `Listing`."""

    files: Sequence[str]
    excluded: Sequence[tuple[str, str]]

    def without(self, inside: str) -> "_Listed":
        """Leave out what lies below a folder in it."""
        files = tuple(name for name in self.files if not name.startswith(inside))
        rest = tuple(pair for pair in self.excluded if not pair[0].startswith(inside))
        return _Listed(files, rest)


@dataclass(frozen=True)
class _Places:
    """The folders of images and of masks."""

    images: Path
    masks: Path

    def listings(self) -> tuple[_Listed, _Listed]:
        """List both; where one lies in the other, its files are not the other's."""
        folders = (self.images, self.masks)
        listed, found = (_Listed(own.files, own.excluded) for own in map(list_files, folders))
        images, masks = (folder.resolve() for folder in folders)
        if images == masks:
            stems = {_stem(name) for name in listed.files}
            are_masks = {n for n in listed.files if _image_of(_stem(n)) in stems}
            rest = tuple(name for name in listed.files if name not in are_masks)
            own = tuple(name for name in listed.files if name in are_masks)
            return _Listed(rest, listed.excluded), _Listed(own, ())
        if masks.is_relative_to(images):
            return listed.without(f"{masks.relative_to(images).as_posix()}/"), found
        if images.is_relative_to(masks):
            return listed, found.without(f"{images.relative_to(masks).as_posix()}/")
        return listed, found

    def by_stem(self, names: Sequence[str]) -> dict[str, str]:
        """Find masks by their names without endings.

        Raises:
            DataError: If two have the same.
        """
        found: dict[str, str] = {}
        for name in names:
            other = found.setdefault(_stem(name), name)
            if other != name:
                msg = f"{self.masks / name}: expected one mask of that name, got {other!r} too"
                raise DataError(msg, hint="move one of them away", slug="data/mask-pairs")
        return found

    def refuse_shared(self, chosen: dict[str, str]) -> None:
        """Refuse images that would share a mask."""
        first: dict[str, str] = {}
        for name, mask in chosen.items():
            other = first.setdefault(mask, name)
            if other != name:
                msg = f"{self.masks / mask}: expected one image of that name in {self.images}, "
                msg += f"got {other!r} and {name!r}"
                hint = "give each image a name of its own, and its mask the same one"
                raise DataError(msg, hint=hint, slug="data/mask-pairs")

    def nothing(self, images: Sequence[str], masks: Sequence[str]) -> DataError:
        """Word the error of folders that have nothing in common."""
        msg = f"{self.images}: expected images whose masks lie in {self.masks}, got none: "
        msg += f"{len(images):,} images{_first(images)}, {len(masks):,} masks{_first(masks)}"
        hint = "an image and its mask have the same name, whatever they end in"
        if images:
            hint += f"; that of {images[0]!r} would be {self._expected(images[0])}"
        return DataError(msg, hint=hint, slug="data/mask-pairs")

    def told_images(self, names: Sequence[str]) -> Iterator[str]:
        """Word a warning about images without a mask."""
        if names:
            count = f"{len(names):,} image{'s' * (len(names) > 1)} without a mask"
            named, expected = _all(self.images, names), self._expected(names[0])
            yield f"{count}, left out: {named}; expected {expected}"

    def told_masks(self, names: Sequence[str]) -> Iterator[str]:
        """Word a warning about masks without an image."""
        if names:
            count = f"{len(names):,} mask{'s' * (len(names) > 1)} without an image"
            stem = _image_of(_stem(names[0])) or _stem(names[0])
            expected = self.images / f"{stem}.*"
            yield f"{count}, left out: {_all(self.masks, names)}; expected {expected}"

    def _expected(self, name: str) -> str:
        path = self.masks / _stem(name)
        return f"{path}.* or {path.name}{SUFFIX}.*"


def _stem(name: str) -> str:
    """Take the ending off a path; letters with accents are one, however a system writes them."""
    folder, slash, last = normalize("NFC", name).rpartition("/")
    return folder + slash + (last.rpartition(".")[0] or last)


def _image_of(stem: str) -> str:
    """Name the image that a mask's name without ending speaks of; nothing where it is no such."""
    return stem.removesuffix(SUFFIX) if stem.endswith(SUFFIX) else ""


def _first(names: Sequence[str]) -> str:
    return f" such as {names[0]!r}" if names else ""


def _all(folder: Path, names: Sequence[str]) -> str:
    more = ", …" * (len(names) > _SHOWN)
    return ", ".join(str(folder / name) for name in names[:_SHOWN]) + more
