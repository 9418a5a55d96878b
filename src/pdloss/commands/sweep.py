"""``pdloss sweep``."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.sweeping import SlotOptions, carry_out, write_results
from pdloss.sweeps.plan import read_plan


@dataclass(frozen=True, kw_only=True)
class SweepOptions(SlotOptions):
    """Trains every run of a plan, and scores them all; the same command goes on where it was stopped."""

    plan: tyro.conf.Positional[Path]
    """TOML file: [train], [start], [[losses]], [axes], [evaluate]."""


def main(argv: list[str]) -> int:
    """Trains and scores; returns 0, 1 if a run failed, 130 if stopped.

    Raises:
        UserError: If the plan or its folder cannot be used.
    """
    options = tyro.cli(SweepOptions, args=argv, prog="pdloss sweep")
    plan = read_plan(options.plan)
    status, queue = carry_out(plan, options)
    if status in (0, 1) and queue:
        if plan.evaluate is not None and any(each.state == "done" and each.job.kind == "run" for each in queue):
            write_results(plan, queue, plan.out / "result")
        print(plan.out)
    return status
