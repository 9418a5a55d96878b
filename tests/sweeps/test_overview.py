"""How far a sweep is, in words."""

import io
from pathlib import Path

from rich.console import Console

from pdloss.sweeps.jobs import Job
from pdloss.sweeps.overview import seconds_left, summary, table
from pdloss.sweeps.progress import Progress
from pdloss.sweeps.queue import QueuedJob
from pdloss.tables.terminal import show

PROGRESS = {
    "a": Progress(100, 100, 50.0),
    "b": Progress(40, 100, 20.0, "28.12 dB"),
    "c": Progress(0, 100),
    "d": Progress(0, 100),
}


def queue():
    states = {"a": "done", "b": "running", "c": "waiting", "d": "failed"}
    return [
        QueuedJob(Job(name, "run", {}, Path(name)), state, why="no disk" if name == "d" else "")
        for name, state in states.items()
    ]


def progress_of(job):
    return PROGRESS[job.name]


def test_time_left_is_that_of_all_open_steps_at_the_speed_so_far():
    assert seconds_left(queue(), progress_of) == 0.5 * (60 + 100)
    assert summary(queue(), progress_of, 2) == "1 done, 1 running, 1 waiting, 1 failed; about 40 s left"
    assert summary(queue()[2:], progress_of, 1) == "1 waiting, 1 failed"


def test_the_table_says_step_and_why():
    written = io.StringIO()
    show([table(queue(), progress_of, 1)], Console(width=100, file=written))
    text = written.getvalue()
    for words in ("40/100", "28.12 dB", "1 done, 1 running", "failed no disk"):
        assert words in text
