"""What a fuzz found: how often something damaged was named, how often nothing changed, and every fault."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from pdloss.errors import UserError

SECONDS = 20
"""After which one try counts as a hang."""


class HangError(Exception):
    """One try took longer than `SECONDS`."""


@dataclass
class Findings:
    """Counts of tries by their outcome, and a line for each fault."""

    tried: int = 0
    refused: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)

    def attempt(self, what: str, read: Callable[[], object], same: Callable[[object], bool]) -> None:
        """Reads something damaged: it must be refused in a sentence of ours, or be what it was."""
        self.tried += 1
        try:
            with no_hang():
                found = read()
        except UserError:
            self.refused += 1
        except Exception as error:
            self.faults.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
        else:
            if same(found):
                self.unchanged += 1
            else:
                self.faults.append(f"{what}: taken as if it were sound")


@contextmanager
def no_hang() -> Iterator[None]:
    """Ends what takes longer than `SECONDS`, where the system has alarms."""

    def late(number: int, frame: FrameType | None) -> None:
        raise HangError(f"nothing after {SECONDS} seconds")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
