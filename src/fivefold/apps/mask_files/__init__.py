"""Predicted masks as files: pictures, a table of run lengths, probabilities, overlays."""

from fivefold.apps.mask_files.naming import file_stems
from fivefold.apps.mask_files.writing import MapFormat, Wanted, Written, write_masks

__all__ = ["MapFormat", "Wanted", "Written", "file_stems", "write_masks"]
