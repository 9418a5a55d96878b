"""Scored runs side by side: who is better, by how much, and how sure is that; from files alone, without torch."""

from pdloss.comparison.paired import Comparison, Difference, Mean, compare
from pdloss.comparison.scored import Scored, comparable
from pdloss.comparison.sweeps import MatchedComparison, Sweep, SweepPoint, compare_matched

__all__ = [
    "Comparison",
    "Difference",
    "MatchedComparison",
    "Mean",
    "Scored",
    "Sweep",
    "SweepPoint",
    "comparable",
    "compare",
    "compare_matched",
]
