"""What the server says on the console: bounded, whatever is done to it."""

import logging

from pdloss.study.serving.console import LogRateLimit
from pdloss.study.serving.guard import RateLimit


def test_messages_beyond_measure_are_counted_and_not_said() -> None:
    now = [0.0]
    sparing = LogRateLimit(RateLimit(0.1, 3, clock=lambda: now[0]))
    said = []
    for k in range(10_000):
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "number %d", (k,), None)
        if sparing.filter(record):
            said.append(record.getMessage())
        now[0] += 0.001
    assert said == ["number 0", "number 1", "number 2"]
    now[0] += 20
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "100 %", (), None)
    assert sparing.filter(record)
    assert record.getMessage() == "100 % (9997 messages before it left out)"
