"""Shares with their errors, intervals and tests: against SciPy, closed forms and the paper's tables."""

import math

import numpy as np
import pytest
from scipy import stats

from pdloss.statistics import NORMAL, wilson_interval
from pdloss.study.analysis.preferences import Spread, preferences, shares_matrix
from pdloss.study.analysis.tally import tally
from tests.statistics.test_choice_models import TABLE_III, TABLE_V
from tests.study.made_up import choices


def votes(first: int, second: int, pair: str = "ab", ties: int = 0) -> str:
    """Returns so many answers for each of two methods, each by a rater and about an image of their own."""
    signs = ">" * first + "<" * second + "=" * ties
    return "\n".join(f"{pair}{i} {pair}{i} {pair[0]}{sign}{pair[1]}" for i, sign in enumerate(signs))


@pytest.mark.parametrize(("table", "worst"), [(TABLE_III, 0.47), (TABLE_V, 0.5)])
def test_the_papers_tables_come_out_as_printed(table: list, worst: float) -> None:
    names = [f"m{i}" for i in range(len(table))]
    lines = []
    for i, first in enumerate(names):
        for j, second in enumerate(names[i + 1 :], start=i + 1):
            wins = round(500 * table[i][j])
            lines += [f"r{n} i{n} {first}{'>' if n < wins else '<'}{second}" for n in range(500)]
    found = preferences(tally(choices("\n".join(lines)), names), resamples=10)
    for row, shares in zip(table, shares_matrix(names, found), strict=True):
        assert [share or 0.0 for share in shares] == pytest.approx(row)
    assert max(one.error for one in found) == pytest.approx(math.sqrt(worst * (1 - worst) / 500))
    assert max(one.error for one in found) < 0.0224
    # 0.57 is clear by itself (z = 3.1) and after the correction; 0.53 and 0.50 are not.
    verdicts = {round(max(one.share, 1 - one.share), 2): one.verdict for one in found}
    assert verdicts[0.57] != "unclear"
    assert verdicts[0.53] == "unclear"


def test_without_clusters_the_interval_is_wilsons_and_the_test_the_sign_test() -> None:
    (one,) = preferences(tally(choices(votes(61, 39))))
    reference = stats.binomtest(61, 100)
    assert one.p_value == one.p_holm == pytest.approx(reference.pvalue)
    low, high = wilson_interval(0.61, 100)
    assert (low, high) == pytest.approx(tuple(reference.proportion_ci(method="wilson")), rel=1e-12)
    assert one.error == pytest.approx(math.sqrt(0.61 * 0.39 / 100))
    # Each answer is a rater and an image of its own: clusters of one.
    assert one.error_raters == pytest.approx(one.error, rel=0.04)
    t = 2 * 10 * 0.11 * one.error / one.error_clustered
    freedom = 99 if one.error_clustered > one.error else NORMAL
    assert one.p_clustered == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-9)


def test_p_values_are_corrected_by_holm() -> None:
    text = "\n".join([votes(70, 30), votes(64, 36, "ac"), votes(55, 45, "bc")])
    found = preferences(tally(choices(text)), resamples=200)
    single = [stats.binomtest(wins, 100).pvalue for wins in (70, 64, 55)]
    assert [one.p_holm for one in found] == pytest.approx([3 * single[0], 2 * single[1], single[2]])
    assert [one.verdict for one in found] == ["first", "first", "unclear"]


def test_raters_of_one_mind_have_the_error_of_their_number() -> None:
    """Twelve raters of ten equal answers each: the error is that of twelve answers, and the verdict fades."""
    signs = ">>>>>>>>><<<"
    text = "\n".join(f"r{i} {k} a{sign}b" for i, sign in enumerate(signs) for k in range(10))
    (one,) = preferences(tally(choices(text)))
    assert one.p_value < 1e-6
    assert one.error_raters == pytest.approx(math.sqrt(0.75 * 0.25 / 11), rel=0.03)  # 10,000 resamples: 0.7 %
    assert one.error_images == pytest.approx(0, abs=1e-9)
    # Over raters, and over images, where nothing varies, less what single answers vary: counted twice.
    assert one.error_clustered**2 == pytest.approx(one.error_raters**2 - one.error**2)
    assert one.p_clustered > 0.05
    assert one.verdict == "unclear"
    assert one.low < 0.5 < one.high


def test_interval_and_clustered_p_value_always_agree() -> None:
    stream = np.random.default_rng(0)
    for _ in range(30):
        chance = stream.uniform(0.3, 0.9)
        signs = np.where(stream.random((8, 6)) < chance, ">", "<")
        text = "\n".join(f"r{i} {k} a{signs[i, k]}b" for i in range(8) for k in range(6))
        (one,) = preferences(tally(choices(text)), resamples=200)
        assert (one.p_clustered < 0.05) == (not one.low <= 0.5 <= one.high)


def test_ties_count_half() -> None:
    (one,) = preferences(tally(choices(votes(30, 10, ties=40))), resamples=200)
    assert (one.wins, one.losses, one.ties, one.share) == (30, 10, 40, 0.625)
    assert one.p_value == pytest.approx(stats.binomtest(30, 40).pvalue)
    values = [1.0] * 30 + [0.0] * 10 + [0.5] * 40
    assert one.error == pytest.approx(np.std(values) / math.sqrt(80))


def test_pairs_nobody_was_asked_about_stay_empty() -> None:
    found = preferences(tally(choices("x 1 a>b\ny 2 a<b"), ["a", "b", "c"]), resamples=50)
    assert shares_matrix(["a", "b", "c"], found) == [[None, 0.5, None], [0.5, None, None], [None, None, None]]


def test_both_clusters_add_up_and_never_help() -> None:
    assert Spread(1.0, 3.0, 2.0).clustered == 4.0
    assert Spread(1.0, 3.0, 2.0, 1.5).clustered == 3.5
    assert Spread(1.0, None, 2.0).clustered == 2.0
    assert Spread(1.0, 0.9, 0.8).clustered == 1.0
    assert Spread(1.0, None, None).clustered == 1.0


def test_few_groups_count_where_answers_hang_together() -> None:
    assert Spread(1.0, 3.0, 2.0).freedom([25, 20]) == 19
    assert Spread(1.0, 3.0, None).freedom([25, 1]) == 24
    assert Spread(1.0, 0.9, 0.8).freedom([25, 20]) == NORMAL
    assert Spread(1.0, None, None).freedom([1, 1]) == NORMAL


def test_one_answer_has_an_interval() -> None:
    (one,) = preferences(tally(choices("x 1 a>b")), resamples=10)
    assert (one.error_raters, one.error_images) == (None, None)
    assert (one.low, one.high) == pytest.approx(tuple(stats.binomtest(1, 1).proportion_ci(method="wilson")), rel=1e-12)
