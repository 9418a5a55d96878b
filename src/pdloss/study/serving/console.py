"""What the server says on the console while it runs: bounded, whatever is done to it."""

import logging
from collections.abc import Callable

from pdloss.study.serving.guard import RateLimit

LOGGER = logging.getLogger("pdloss.study")
"""For what the researcher should know."""

OTHERS = ("uvicorn.error", "asyncio")
"""Loggers that requests make speak."""


class LogRateLimit(logging.Filter):
    """Lets twenty messages through at once and then one in ten seconds, with the number of those left out.

    Args:
        limit: Of the messages; by default as said above.
    """

    def __init__(self, limit: RateLimit | None = None) -> None:
        super().__init__()
        self._limit, self._left_out = limit or RateLimit(0.1, 20), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a message is said."""
        if self._limit.wait(""):
            self._left_out += 1
            return False
        if self._left_out:
            record.msg, record.args = f"{record.getMessage()} ({self._left_out} messages before it left out)", ()
            self._left_out = 0
        return True


def limit_log_rate() -> Callable[[], None]:
    """Bounds what is said from now on; returns the function that ends it."""
    filters = {logging.getLogger(name): LogRateLimit() for name in (*OTHERS, LOGGER.name)}
    for logger, sparing in filters.items():
        logger.addFilter(sparing)

    def end() -> None:
        for logger, sparing in filters.items():
            logger.removeFilter(sparing)

    return end
