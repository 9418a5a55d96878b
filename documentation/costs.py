"""What parts cost, in words, out of what `benchmarks/part_costs.py` measured."""

import functools
from pathlib import Path

from pdloss.benchmarking.part_costs import PartCosts
from pdloss.records import read_record
from pdloss.tables.numerals import DASH

FILE = Path(__file__).parent.parent / "benchmarks" / "results" / "part_costs.json"
NOT_MEASURED = "Not measured: `python benchmarks/part_costs.py` does, with its weights at hand."


class Costs:
    """What every part of the library costs.

    Args:
        file: Where it was written.
    """

    def __init__(self, file: Path = FILE) -> None:
        self.found = _read(file)

    def how(self) -> str:
        """Returns how all was measured."""
        found = self.found
        threads = "one thread" if found.threads == 1 else f"{found.threads} threads"
        return (
            "Costs: multiply-adds are counted, of convolutions and matrix products, with default options, for each "
            "pixel of the input. Times are medians of ratios within one repeat, in which every part had its turn; they "
            f"hold for machines of the kind: {found.device}, {threads}, torch {found.versions['torch']}, {found.date}. "
            f"In detail: {found.protocol}."
        )

    def of_network(self, name: str) -> str:
        """Returns a sentence of a network."""
        cost = self.found.networks.get(name)
        if cost is None:
            return NOT_MEASURED
        return f"{cost.parameters:,} parameters; {cost.multiply_adds:,} multiply-adds for each pixel of the input."

    def of_features(self, name: str) -> str:
        """Returns a sentence of a feature set, and a table of its layers."""
        cost = self.found.features.get(name)
        if cost is None:
            return NOT_MEASURED
        said = []
        if cost.time is not None and cost.timed != self.found.beside["features"]:
            said.append(f"`{cost.timed}` takes {times(cost.time)} the time of `{self.found.beside['features']}`.")
        if not cost.multiply_adds:
            said.append("Its filters are applied by Fourier transforms, without multiply-adds of convolutions.")
            return " ".join(said)
        rows = [f"| `{layer}` | {count:,} |" for layer, count in cost.multiply_adds.items()]
        said.append("Multiply-adds for each pixel of the image, up to each layer:")
        return " ".join(said) + "\n\n" + "\n".join(["| layer | multiply-adds |", "|---|---:|", *rows])

    def of_loss(self, name: str) -> str:
        """Returns a sentence of a loss."""
        cost = self.found.losses.get(name)
        if cost is None or cost.step is None:
            return NOT_MEASURED
        if name == self.found.beside["losses"]:
            return "The one that the others are measured beside."
        first = self.found.beside["losses"]
        said = f"A training step with it beside `{first}` takes {times(cost.step)} the time of one without."
        if cost.beside_features is not None:
            said += f" The loss alone takes {times(cost.beside_features)} the time of its features."
        return said

    def of_degradation(self, name: str) -> str:
        """Returns a sentence of a degradation."""
        cost = self.found.degradations.get(name)
        if cost is None or cost.time is None or cost.milliseconds is None:
            return NOT_MEASURED
        first = self.found.beside["degradations"]
        beside = "" if name == first else f"; {times(cost.time)} the time of `{first}`"
        return f"{cost.milliseconds:.0f} ms for a million pixels{beside}."

    def of_metric(self, name: str) -> str:
        """Returns two cells of a metric: its time beside another's, and for a million pixels."""
        cost = self.found.metrics.get(name)
        if cost is None or cost.time is None or cost.milliseconds is None:
            return f"{DASH} | {DASH}"
        return f"{cost.time:.3g} | {cost.milliseconds:,.0f}"


def times(ratio: float) -> str:
    """Returns a ratio in words.

    Example:
        >>> times(2.731), times(0.38), times(41.7)
        ('2.7 times', '0.38 times', '42 times')
    """
    return f"{ratio:.0f} times" if ratio >= 9.95 else f"{ratio:.2g} times"


@functools.cache
def _read(file: Path) -> PartCosts:
    return read_record(file, PartCosts)
