"""How far a sweep is, as a table for a terminal and as lines for a log file."""

from collections import Counter
from collections.abc import Callable, Sequence

from pdloss.sweeps.jobs import Job
from pdloss.sweeps.progress import Progress
from pdloss.sweeps.queue import QueuedJob
from pdloss.tables.table import Cell, Table

_STYLE = {"running": "bold", "failed": "bold red", "done": "green", "waiting": "dim", "stopped": "yellow"}


def table(queue: Sequence[QueuedJob], progress_of: Callable[[Job], Progress], jobs_at_once: int) -> Table:
    """Returns a row for each job, and below how long all of them take."""
    rows: list[tuple[str | Cell, ...]] = []
    for each in queue:
        so_far = progress_of(each.job)
        left = "" if each.state != "running" or so_far.seconds_left is None else duration(so_far.seconds_left)
        step = f"{so_far.step}/{so_far.steps}" if each.job.kind != "calibration" else ""
        why = f" {each.why}" if each.state == "failed" else ""
        rows.append((each.job.name, Cell(each.state + why, style=_STYLE[each.state]), step, left, so_far.last))
    said = summary(queue, progress_of, jobs_at_once)
    return Table("", ("run", "state", "step", "left", "last"), tuple(rows), left=2, remarks=(said,))


def summary(queue: Sequence[QueuedJob], progress_of: Callable[[Job], Progress], jobs_at_once: int) -> str:
    """Returns one line: how many are done, at work, to come or failed, and the time left."""
    counts = Counter(each.state for each in queue)
    said = ", ".join(
        f"{counts[state]} {state}" for state in ("done", "running", "waiting", "stopped", "failed") if counts[state]
    )
    left = seconds_left(queue, progress_of)
    return said if left is None else f"{said}; about {duration(left / jobs_at_once)} left"


def seconds_left(queue: Sequence[QueuedJob], progress_of: Callable[[Job], Progress]) -> float | None:
    """Returns the training time to come if one ran after the other; None before anything is known of the speed."""
    open_jobs = [progress_of(p.job) for p in queue if p.state in ("waiting", "running") and p.job.kind != "calibration"]
    known = [progress_of(p.job) for p in queue if p.job.kind != "calibration"]
    steps = sum(s.step for s in known if s.seconds)
    seconds = sum(s.seconds for s in known)
    if not open_jobs or not steps:
        return None
    return seconds / steps * sum(s.steps - s.step for s in open_jobs)


def duration(seconds: float) -> str:
    """Returns a time as people say it.

    Example:
        >>> duration(75), duration(3720), duration(200_000)
        ('1 min', '1 h 2 min', '2 d 7 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
