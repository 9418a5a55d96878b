"""Is the difference more than chance? Bootstrap, signed ranks, Holm, frontiers; numpy alone, formulas only."""

from pdloss.statistics.bootstrap import (
    RESAMPLES,
    Interval,
    bootstrap_p_value,
    percentile_interval,
    resample_shares,
    resampled_means,
)
from pdloss.statistics.frontier import hypervolume, lower_is_better, undominated
from pdloss.statistics.holm import holm
from pdloss.statistics.matching import Matched, at_level, common_range
from pdloss.statistics.signed_ranks import SignedRanks, signed_ranks
from pdloss.statistics.student import student_quantile, student_tails

__all__ = [
    "RESAMPLES",
    "Interval",
    "Matched",
    "SignedRanks",
    "at_level",
    "bootstrap_p_value",
    "common_range",
    "holm",
    "hypervolume",
    "lower_is_better",
    "percentile_interval",
    "resample_shares",
    "resampled_means",
    "signed_ranks",
    "student_quantile",
    "student_tails",
    "undominated",
]
