"""The plane of two scores: where every result lies in it, which ones nobody beats, and the area that some win."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pdloss.records import Metric
from pdloss.statistics import hypervolume, lower_is_better, undominated


@dataclass(frozen=True)
class Plane:
    """Two scores of every result."""

    x: Metric
    y: Metric
    points: tuple[tuple[float, float], ...]
    """Of each result, in the order of the comparison."""

    @property
    def better(self) -> list[str]:
        """Which way each score is good."""
        return [self.x.better, self.y.better]

    @property
    def reference(self) -> tuple[float, float]:
        """The corner at which areas begin: the worst of both scores among all results."""
        x, y = lower_is_better(np.array(self.points), self.better).argmax(axis=0).tolist()
        return self.points[x][0], self.points[y][1]

    def hypervolume(self, runs: Sequence[int]) -> float:
        """Returns the area that some of the results win, in the units of both scores."""
        return hypervolume(np.array([self.points[run] for run in runs]), self.reference, self.better)

    def frontier(self) -> list[int]:
        """Returns the results that no other one beats in both scores."""
        return [i for i, free in enumerate(undominated(np.array(self.points), self.better).tolist()) if free]
