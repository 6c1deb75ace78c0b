import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fivefold.data.pixel_budget import PixelBudget


def test_never_more_is_taken_than_there_is():
    budget, lock, held, most = PixelBudget(10), threading.Lock(), [0], [0]

    def work(pixels):
        with budget.take(pixels):
            with lock:
                held[0] += pixels
                most[0] = max(most[0], held[0])
            time.sleep(0.001)
            with lock:
                held[0] -= pixels

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [1, 9, 3, 7, 10, 2, 5, 5, 4, 6] * 3))
    assert 0 < most[0] <= 10
    assert held == [0]


def test_what_is_larger_than_all_goes_alone():
    budget = PixelBudget(10)
    with budget.take(1000):
        pass
    with budget.take(10):
        pass


def test_an_error_gives_the_pixels_back():
    budget = PixelBudget(10)
    with pytest.raises(ZeroDivisionError, match="division"), budget.take(10):
        _ = 1 / 0
    with budget.take(10):
        pass
