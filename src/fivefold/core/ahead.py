"""Work done ahead in threads, its results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_ahead(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    threads: int,
    ahead: int,
    begin: Callable[[], None] | None = None,
    end: Callable[[], None] | None = None,
) -> Generator[_Result]:
    """Call a function for each item in threads; results come in the items' order.

    Items are taken in the caller's thread, and only as many as are worked on ahead: neither items
    nor results pile up. An exception comes out where its result would have; then, and when the
    caller stops early or is interrupted, nothing new is begun, and what runs is waited for.

    Args:
        function: Called from several threads at once.
        items: Closed at the end where it is a generator.
        threads: How many call it; at least 1.
        ahead: How many items may be begun or waiting beside the one whose result comes next.
        begin: Called once in each thread before its first item.
        end: Called once before what still runs is waited for, so that it can be told to break off.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="ahead", initializer=begin)
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in source:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        if end:
            end()
        pool.shutdown(wait=True, cancel_futures=True)
        if isinstance(source, Generator):
            source.close()
