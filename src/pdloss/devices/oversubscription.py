"""Whether other processes take the cores that a training computes on."""

import time
from collections.abc import Callable

_SECONDS = 10.0
"""Seconds of steps to look at."""
_FIRST = 3
"""Steps that are not looked at: they set things up."""
_SHARE = 0.7
"""The share of its time that the main thread computes for at least, where it has its cores for itself."""


class Oversubscription:
    """Measures how much of its steps a process's main thread computes; the rest it waits for cores.

    Threads that wait for each other while some of them have no core lose far more than their share: two trainings of
    two threads each on two cores can run ten times slower than two of one thread each.

    Args:
        threads: How many threads compute; 0 looks at nothing.
        wall: Seconds that pass.
        computed: Seconds that this thread computed.
    """

    def __init__(
        self,
        threads: int,
        wall: Callable[[], float] = time.monotonic,
        computed: Callable[[], float] = time.thread_time,
    ) -> None:
        self.threads, self._wall, self._computed = threads, wall, computed
        self._steps, self._passed, self._busy, self._done = 0, 0.0, 0.0, False
        self._began = (0.0, 0.0)

    def begin(self) -> None:
        """Is told that a step begins, in which nothing happens but computing."""
        self._began = self._wall(), self._computed()

    def end(self) -> str:
        """Is told that it ended; returns what to say, once, when enough was seen; else nothing."""
        self._steps += 1
        if self._done or not self.threads or self._steps <= _FIRST:
            return ""
        self._passed += self._wall() - self._began[0]
        self._busy += self._computed() - self._began[1]
        if self._passed < _SECONDS:
            return ""
        self._done = True
        share = self._busy / self._passed
        if share >= _SHARE:
            return ""
        fewer = max(1, self.threads // 2)
        cure = f", or give each fewer threads, such as OMP_NUM_THREADS={fewer} before the command" * (self.threads > 1)
        return (
            "other processes, or a container's limit, take the cores that this training computes on, which waited for "
            f"them {1 - share:.0%} of its time; run fewer at once{cure}"
        )
