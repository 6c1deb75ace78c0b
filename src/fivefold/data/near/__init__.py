"""Near duplicates: pictures that show the same, though their files differ."""

from fivefold.data.near.hashing import DISTANCE, NO_HASH, hash_of, look_alike, thumbnail_of
from fivefold.data.near.search import near_firsts, near_pairs

__all__ = [
    "DISTANCE",
    "NO_HASH",
    "hash_of",
    "look_alike",
    "near_firsts",
    "near_pairs",
    "thumbnail_of",
]
