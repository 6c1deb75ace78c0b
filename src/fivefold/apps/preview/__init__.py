"""`fivefold preview`: training samples beside their augmented selves, drawn without torch."""

from fivefold.apps.preview.preview import Preview, draw_preview

__all__ = ["Preview", "draw_preview"]
