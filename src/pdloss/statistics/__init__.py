"""Is the difference more than chance? Bootstrap, ranks, shares, agreement and models of choice; formulas only."""

from pdloss.statistics.bootstrap import (
    RESAMPLES,
    Interval,
    bootstrap_p_value,
    percentile_interval,
    resample_shares,
    resampled_means,
)
from pdloss.statistics.choice_models import Fit, bradley_terry, davidson, thurstone
from pdloss.statistics.frontier import hypervolume, lower_is_better, undominated
from pdloss.statistics.holm import holm
from pdloss.statistics.kendall import kendall_tau
from pdloss.statistics.krippendorff import Disagreement, disagreement, either_way, krippendorff_alpha
from pdloss.statistics.matching import Matched, at_level, common_range
from pdloss.statistics.shares import share_error, sign_test, wilson_interval
from pdloss.statistics.signed_ranks import SignedRanks, signed_ranks
from pdloss.statistics.student import NORMAL, student_quantile, student_tails
from pdloss.statistics.triads import circular_triads, consistence

__all__ = [
    "NORMAL",
    "RESAMPLES",
    "Disagreement",
    "Fit",
    "Interval",
    "Matched",
    "SignedRanks",
    "at_level",
    "bootstrap_p_value",
    "bradley_terry",
    "circular_triads",
    "common_range",
    "consistence",
    "davidson",
    "disagreement",
    "either_way",
    "holm",
    "hypervolume",
    "kendall_tau",
    "krippendorff_alpha",
    "lower_is_better",
    "percentile_interval",
    "resample_shares",
    "resampled_means",
    "share_error",
    "sign_test",
    "signed_ranks",
    "student_quantile",
    "student_tails",
    "thurstone",
    "undominated",
    "wilson_interval",
]
