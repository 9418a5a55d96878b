"""Holm's correction: known examples, and what it must hold to."""

import numpy as np
import pytest

from pdloss.statistics import holm

# Benjamini and Hochberg (1995), section 4.1: fifteen hypotheses of a thrombolysis trial.
TRIAL = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528]
TRIAL += [0.7590, 1.0]


def test_the_textbook_example() -> None:
    """Four tests with 0.01, 0.04, 0.03, 0.005: H1 and H4 are rejected at 0.05, the other two are not."""
    assert np.allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


def test_a_published_trial_has_three_rejections() -> None:
    adjusted = holm(np.array(TRIAL))
    assert np.allclose(adjusted[:5], [0.0015, 0.0056, 0.0247, 0.1140, 0.2211])
    assert (adjusted < 0.05).sum() == 3
    assert (adjusted[9:] == 1.0).all()


def test_lies_between_no_correction_and_bonferronis() -> None:
    p_values = np.random.default_rng(0).random(20) ** 3
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1, 20 * p_values)).all()
    assert adjusted[p_values.argmin()] == min(1.0, 20 * p_values.min())


def test_order_and_equal_values_do_not_matter() -> None:
    p_values = np.array([0.02, 0.3, 0.02, 0.001])
    shuffled = np.array([1, 3, 0, 2])
    assert np.array_equal(holm(p_values)[shuffled], holm(p_values[shuffled]))
    assert holm(p_values)[0] == holm(p_values)[2] == pytest.approx(0.06)


def test_one_test_stays_and_none_is_none() -> None:
    assert holm(np.array([0.04])).tolist() == [0.04]
    assert holm(np.array([])).tolist() == []


def test_any_of_independent_true_hypotheses_is_rejected_in_five_percent() -> None:
    stream = np.random.default_rng(0)
    wrong = np.mean([(holm(stream.random(5)) < 0.05).any() for _ in range(2000)])
    assert wrong == pytest.approx(1 - 0.99**5, abs=3 * 0.0049)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_refuses_what_is_no_probability(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(np.array([0.5, wrong]))
