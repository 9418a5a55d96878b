"""Progress with time left, on stderr: a bar in a terminal, a line now and then elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pdloss.files.spelling import printable


class Bar:
    """A progress bar that a loop feeds through `update`.

    Args:
        label: What is going on.
        seconds: Where stderr is no terminal, how long between two lines.
    """

    def __init__(self, label: str, seconds: float = 30.0) -> None:
        self.console = Console(stderr=True)
        label = printable(label)
        self.label, self.seconds = label, seconds
        self.said = self.began = time.monotonic()
        self.first, self.begun = 0, False
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.progress.add_task(label, total=None, text="", rate="")

    def __enter__(self) -> "Bar":
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.progress.stop()

    def begin(self, label: str, done: int, total: int) -> None:
        """Starts anew at `done`, as a resumed run does."""
        self.label, self.first, self.began, self.begun = label, done, time.monotonic(), True
        self.progress.reset(self.task, description=label, completed=done, total=total, text="", rate="")

    def update(self, done: int, total: int, text: str | Callable[[], str] = "") -> None:
        """Shows that `done` of `total` are done; `text` is asked for only when shown."""
        now = time.monotonic()
        rate = (done - self.first) / max(now - self.began, 1e-9)
        speed = "" if rate <= 0 else f"{rate:.3g}/s" if rate >= 1 else f"{1 / rate:.3g} s each"
        if self.console.is_terminal:
            # Ten times a second is as often as the bar is drawn.
            if now - self.said > 0.1 or done == total:
                self.said = now
                self.progress.update(self.task, completed=done, total=total, text=_said(text), rate=speed)
        elif now - self.said >= self.seconds or (done == total and now - self.began > 2):
            self.said = now
            left = f", {speed}, {(total - done) / rate / 60:.1f} min left" if speed else ""
            said = f"{self.label}: {done}/{total}{left} {_said(text)}".rstrip()
            with contextlib.suppress(OSError):
                print(said, file=sys.stderr, flush=True)

    def stage(self, label: str, done: int, total: int) -> None:
        """Shows that `done` of `total` are done of what is going on; another label than before starts anew."""
        if label != self.label:
            self.begin(label, done, total)
        else:
            self.update(done, total)

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        with contextlib.suppress(OSError):  # a terminal closed meanwhile must not end what goes on
            self.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)


def _said(text: str | Callable[[], str]) -> str:
    return text() if callable(text) else text
