"""``pdloss bench losses``."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from pdloss.benchmarking.options import LossBenchConfig
from pdloss.commands.progress import Bar
from pdloss.files import output
from pdloss.files.options import OverwriteOptions
from pdloss.records import write_record
from pdloss.tables import terminal
from pdloss.tables.numerals import DASH
from pdloss.tables.table import Table

if TYPE_CHECKING:
    from pdloss.benchmarking.loss_costs import LossCost


@dataclass(frozen=True)
class BenchOptions(OverwriteOptions):
    """Measures what training with each loss costs on this machine, beside the paper's table I."""

    what: tyro.conf.Positional[Literal["losses"]]
    """What to measure."""
    config: Annotated[LossBenchConfig, tyro.conf.arg(name="")] = dataclasses.field(default_factory=LossBenchConfig)
    out: Path | None = None
    """JSON file to write the numbers to."""


def main(argv: list[str]) -> int:
    """Measures, prints a table and returns 0.

    Raises:
        UserError: If an option is wrong, or the network cannot be trained at all.
    """
    options = tyro.cli(BenchOptions, args=argv, prog="pdloss bench")
    with output(options.out, overwrite=options.overwrite):
        _measure(options)
    return 0


def _measure(options: BenchOptions) -> None:
    from pdloss.benchmarking.loss_costs import loss_costs

    with Bar("measuring") as bar:
        benchmark = loss_costs(dataclasses.replace(options.config, typed=True), bar.stage)
    terminal.show([table(benchmark.losses)])
    terminal.say(f"{cost.loss}: {cost.problem}" for cost in benchmark.losses if cost.problem)
    terminal.say([f"{benchmark.device}, {benchmark.threads} threads: {benchmark.protocol}"], "dim")
    if options.out:
        write_record(options.out, benchmark)
        print(options.out)


def table(costs: list["LossCost"]) -> Table:
    """Returns a row for each loss; what could not be measured is a dash."""
    headings = ("steps/s", "paper's\nsteps/s", "loss\nms", "step\nms", "loss\nMiB", "step\nMiB", "bf16\ngap")
    rows = tuple(
        (
            cost.loss,
            _number(cost.speed, "{:.2f}"),
            " ".join(f"{speed:.2f}" for speed in (cost.paper or {}).values()),
            *(_number(value, "{:.1f}") for value in (cost.loss_ms, cost.step_ms)),
            *(_number(value, "{:.0f}") for value in (cost.loss_mib, cost.step_mib)),
            _number(cost.bf16_gap, "{:.2%}"),
        )
        for cost in costs
    )
    return Table("training with each loss", ("loss", *headings), rows)


def _number(value: float | None, form: str) -> str:
    return DASH if value is None else form.format(value)
