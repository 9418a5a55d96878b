"""Work done beside a loop: items made ready ahead of it, and results put away behind it, a few at a time."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


def ahead(item: Callable[[int], T], count: int, waiting: int = 1) -> Iterator[T]:
    """Yields ``item(0)`` to ``item(count - 1)``; while one is in use, a thread makes the next.

    Args:
        item: What takes time, such as reading a file.
        count: How many there are.
        waiting: How many to hold that are not in use yet.

    Raises:
        Exception: What `item` raised, when its turn comes.

    Example:
        >>> list(ahead("abc".__getitem__, 3))
        ['a', 'b', 'c']
    """
    thread = ThreadPoolExecutor(1)
    begun: deque[Future[T]] = deque()
    try:
        for index in range(count):
            begun.append(thread.submit(item, index))
            if len(begun) > waiting:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)


class ThreadedCalls:
    """Calls functions in threads, and makes the loop wait when it gets too far ahead of them.

    As a context it waits for all at its end, and raises the first error of any; of calls that have not begun when the
    loop itself fails, none is made.

    Args:
        threads: How many calls run at once.
        waiting: How many may be unfinished before `call` waits.

    Example:
        >>> with ThreadedCalls() as behind:
        ...     results = [behind.call(abs, number) for number in (-1, 2)]
        >>> [result.result() for result in results]
        [1, 2]
    """

    def __init__(self, threads: int = 2, waiting: int = 4) -> None:
        self._pool, self._limit = ThreadPoolExecutor(threads), waiting
        self._unfinished: deque[Future[Any]] = deque()

    def call(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Has ``function(*arguments)`` called in a thread.

        Raises:
            Exception: What an earlier call raised.
        """
        while len(self._unfinished) >= self._limit:
            self._unfinished.popleft().result()
        future = self._pool.submit(function, *arguments)
        self._unfinished.append(future)
        return future

    def __enter__(self) -> "ThreadedCalls":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        while kind is None and self._unfinished:
            self._unfinished.popleft().result()
