"""How much may be decoded at once, however many threads there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class PixelBudget:
    """Lets threads take pixels while there are some left, and wait while there are none.

    A few small files may each hold an image of a hundred million pixels, so the memory of threads
    that decode must not grow with their number.

    Args:
        pixels: How many may be taken at a time, all threads together; at least 1.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._left = pixels
        self._given_back = Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold so many pixels; wait until they are there.

        Args:
            pixels: Height times width; what is above the whole budget waits for all of it.
        """
        wanted = min(pixels, self._pixels)
        with self._given_back:
            self._given_back.wait_for(lambda: self._left >= wanted)
            self._left -= wanted
        try:
            yield
        finally:
            with self._given_back:
                self._left += wanted
                self._given_back.notify_all()
