"""Made-up raters, with known preferences and known vices."""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.study.simulation.raters import CHEATERS as CHEATERS
    from pdloss.study.simulation.raters import Population as Population
    from pdloss.study.simulation.raters import simulate as simulate
else:
    __getattr__, __dir__ = lazy_names(__name__, {"raters": ["CHEATERS", "Population", "simulate"]})
