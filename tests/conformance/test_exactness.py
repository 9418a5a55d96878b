"""The reference costs that losses are held to, against SciPy, POT and closed forms."""

import math

import ot
import pytest
from scipy.stats import wasserstein_distance
from torch import Tensor

from pdloss.conformance import conformance
from pdloss.conformance.exactness import pairs_on_a_line, sorted_cost
from pdloss.conformance.probe import Probe
from pdloss.ops import wasserstein_1d
from tests.conformance.losses import failed, marginals


def test_the_reference_on_a_line_is_scipys_distance_and_the_gaussians_closed_form() -> None:
    pairs = pairs_on_a_line(Probe(marginals))
    for u, v in pairs.values():
        expected = wasserstein_distance(u.flatten().numpy(), v.flatten().numpy())
        assert sorted_cost(u, v, 1) == pytest.approx(expected, rel=1e-6)
        expected = float(ot.wasserstein_1d(u.flatten().double().numpy(), v.flatten().double().numpy(), p=2))
        assert sorted_cost(u, v, 2) == pytest.approx(expected, rel=1e-6)
    assert sorted_cost(*pairs["shifted by 0.7"], 1) == pytest.approx(0.7, rel=1e-6)
    # |s - 1| E|Z| = 0.5 sqrt(2/pi), up to what 140 quantiles cut off of the tails.
    assert sorted_cost(*pairs["scaled by 1.5"], 1) == pytest.approx(0.5 * math.sqrt(2 / math.pi), rel=0.01)


def test_ours_equals_the_reference_on_a_line() -> None:
    for u, v in pairs_on_a_line(Probe(marginals, seed=3)).values():
        assert wasserstein_1d(u.flatten(), v.flatten()).item() == pytest.approx(sorted_cost(u, v, 1), rel=1e-6)


def test_a_loss_for_several_channels_only_is_not_judged_on_a_line() -> None:
    def in_pairs(u: Tensor, v: Tensor) -> Tensor:
        if u.shape[1] < 2:
            raise ValueError("pairs need two channels")
        return marginals(u + u.roll(1, 1), v + v.roll(1, 1))

    verdicts = {verdict.name: verdict for verdict in conformance(in_pairs)}
    for name in ("equals the 1-D cost", "gradient follows ranks"):
        assert verdicts[name].passed is None
        assert "pairs need two channels" in verdicts[name].said
    assert not failed(list(verdicts.values()))
