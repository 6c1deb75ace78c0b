"""Samples in tar files as WebDataset writes them, read in place and in any order."""

from fivefold.data.tars.source import ShardSource

__all__ = ["ShardSource"]
