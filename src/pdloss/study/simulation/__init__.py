"""Made-up raters, with known preferences and known vices."""

from pdloss.study.simulation.raters import CHEATERS, Population, simulate

__all__ = ["CHEATERS", "Population", "simulate"]
