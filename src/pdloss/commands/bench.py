"""``pdloss bench losses``."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pdloss.benchmarking.options import LossBenchConfig
from pdloss.commands.progress import Bar
from pdloss.files import output
from pdloss.records import write_record

if TYPE_CHECKING:
    from pdloss.benchmarking.loss_costs import LossCost


@dataclass(frozen=True)
class BenchOptions:
    """Measures what training with each loss costs on this machine, beside the paper's table I."""

    what: tyro.conf.Positional[Literal["losses"]]
    """What to measure."""
    config: Annotated[LossBenchConfig, tyro.conf.arg(name="")] = dataclasses.field(default_factory=LossBenchConfig)
    out: Path | None = None
    """JSON file to write the numbers to."""
    overwrite: bool = False
    """Replace a file that stand there already and were not written by pdloss."""


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
    console = Console()
    console.print(table(benchmark.losses))
    for cost in benchmark.losses:
        if cost.problem:
            console.print(f"{cost.loss}: {cost.problem}", highlight=False, markup=False, soft_wrap=True)
    said = f"{benchmark.device}, {benchmark.threads} threads: {benchmark.protocol}"
    console.print(said, style="dim", highlight=False, markup=False)
    if options.out:
        write_record(options.out, benchmark)
        print(options.out)


def table(costs: list["LossCost"]) -> Table:
    """Returns a row for each loss; what could not be measured is a dash."""
    result = Table(title="training with each loss", box=SIMPLE)
    result.add_column("loss", overflow="fold")
    for heading in ("steps/s", "paper's\nsteps/s", "loss\nms", "step\nms", "loss\nMiB", "step\nMiB", "bf16\ngap"):
        result.add_column(heading, justify="right", no_wrap=True)
    for cost in costs:
        result.add_row(
            cost.loss,
            _number(cost.speed, "{:.2f}"),
            " ".join(f"{speed:.2f}" for speed in (cost.paper or {}).values()),
            *(_number(value, "{:.1f}") for value in (cost.loss_ms, cost.step_ms)),
            *(_number(value, "{:.0f}") for value in (cost.loss_mib, cost.step_mib)),
            _number(cost.bf16_gap, "{:.2%}"),
        )
    return result


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)  # noqa: RUF001
