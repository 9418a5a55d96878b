"""How far each run of a sweep is, read from its folder alone: there is no other state that could be lost."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdloss.sweeps.jobs import Job


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    step: int
    steps: int
    seconds: float = 0.0
    """Training time so far, over all sessions."""
    last: str = ""
    """What was last measured: PSNR on ``--valid`` where there is one, else the loss."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.step >= self.steps

    @property
    def seconds_left(self) -> float | None:
        """Training time to come, at the speed so far; None before the first logged step."""
        if not self.step or not self.seconds:
            return None
        return self.seconds / self.step * (self.steps - self.step)


def progress(job: Job, steps: int) -> Progress:
    """Returns how far a job is.

    Args:
        job: A training, or a calibration, which is done or not.
        steps: How many steps the training takes.
    """
    if job.kind == "calibration":
        return Progress(int(job.folder.is_file()), 1)
    line = _last_line(job.folder)
    seconds, last = float(line.get("seconds", 0.0)), _measured(line)
    if (job.folder / "weights" / f"{steps:09d}.safetensors").is_file():
        return Progress(steps, steps, seconds, last)
    # The last line may be older than the stop, or younger than what was saved: this is for show only.
    return Progress(min(int(line.get("step", 0)), steps - 1), steps, seconds, last)


def _measured(line: dict[str, Any]) -> str:
    psnr = (line.get("valid") or {}).get("psnr")
    if psnr is not None:
        return f"{psnr:.2f} dB"
    return f"loss {line['total']:.4g}" if "total" in line else ""


def _last_line(folder: Path) -> dict[str, Any]:
    """Returns the last whole line of a run's log; none where there is none yet, or it is being written."""
    try:
        with (folder / "log.jsonl").open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - 65536))
            lines = log.read().splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict):
            return values
    return {}
