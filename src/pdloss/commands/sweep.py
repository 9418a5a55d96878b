"""``pdloss sweep``."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.sweeping import SlotOptions, carry_out, write_results
from pdloss.errors import SpecError
from pdloss.sweeps.plan import Plan, read_plan
from pdloss.sweeps.typed import AxisOptions, split, typed_plan


@dataclass(frozen=True, kw_only=True)
class SweepOptions(SlotOptions, AxisOptions):
    """Trains every run of a plan, and scores them all; the same command goes on where it was stopped.

    The plan is a file; or options: those of the axes, and any of `pdloss train` for what is the same in every run.
    """

    plan: tyro.conf.Positional[Path | None] = None
    """TOML file: [train], [start], [[losses]], [axes], [evaluate]."""


def main(argv: list[str]) -> int:
    """Trains, scores and writes the result; returns 0, 1 if a run failed, 130 if stopped.

    Raises:
        UserError: If the plan or its folder cannot be used.
    """
    own, base = split(argv, [field.name for field in dataclasses.fields(SweepOptions)])
    options = tyro.cli(SweepOptions, args=own, prog="pdloss sweep")
    plan = _plan(options, base)
    status, queue = carry_out(plan, options)
    if status in (0, 1) and queue:
        if plan.evaluate is not None and any(each.state == "done" and each.job.kind == "run" for each in queue):
            write_results(plan, queue, plan.out / "result")
        print(plan.out)
    return status


def _plan(options: SweepOptions, base: dict[str, object]) -> Plan:
    if options.plan is None:
        return typed_plan(options, base)
    axes = [field.name for field in dataclasses.fields(AxisOptions) if getattr(options, field.name)]
    if given := [*axes, *base]:
        raise SpecError(
            f"--{given[0].replace('_', '-')} and the plan {options.plan} exclude each other: write it into the plan, "
            "or leave the plan out"
        )
    return read_plan(options.plan)
