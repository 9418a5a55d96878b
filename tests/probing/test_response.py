"""Responses: losses whose answer is known."""

import pytest
import torch
import torch.nn.functional as F

from pdloss.probing import BLIND, PATTERNS, loss_responses

SOME = [p for p in PATTERNS if p.name in ("grating 1/16 at 0°", "checkerboard 1 px", "shuffle 2x2", "chroma noise")]


@pytest.fixture
def pictures(generator):
    return F.avg_pool2d(torch.rand(2, 3, 34, 34, generator=generator), 3, 1)


def test_squared_error_sees_all_patterns_alike(pictures):
    found = loss_responses(F.mse_loss, "l2", pictures)
    assert list(found.values) == list(PATTERNS)
    assert list(found.values.values()) == pytest.approx([1] * len(PATTERNS), rel=1e-4)
    assert found.blind_spots == []


def test_what_averages_two_pixels_is_blind_to_a_checkerboard(pictures):
    def pooled(restored, target):
        return F.mse_loss(F.avg_pool2d(restored, 2, 1), F.avg_pool2d(target, 2, 1))

    found = loss_responses(pooled, "pooled", pictures, patterns=SOME)
    by_name = {pattern.name: value for pattern, value in found.values.items()}
    assert by_name["checkerboard 1 px"] == pytest.approx(0, abs=1e-6)
    # The mean of 2x2 values keeps a quarter of white noise's energy, and nearly all of a long wave's.
    assert by_name["grating 1/16 at 0°"] == pytest.approx(4, rel=0.15)
    assert by_name["chroma noise"] == pytest.approx(1, rel=0.15)
    assert "checkerboard 1 px" in [p.name for p in found.blind_spots]
    assert all(found.values[p] < BLIND for p in found.blind_spots)


def test_what_sees_only_luma_is_blind_to_colour(pictures):
    from pdloss.ops.color import luma

    found = loss_responses(lambda x, y: F.mse_loss(luma(x), luma(y)), "luma", pictures, patterns=SOME)
    assert [p.name for p in found.blind_spots] == ["chroma noise"]


def test_nothing_is_pushed_out_of_range_and_pictures_are_what_was_given(pictures):
    seen = []

    def loss(restored, target):
        seen.append((restored.min().item(), restored.max().item()))
        assert len(target) == len(restored) == 4
        return F.l1_loss(restored, target)

    loss_responses(loss, "l1", torch.cat([pictures[:1].clone().fill_(0), pictures[:1].clone().fill_(1)]))
    assert min(low for low, _ in seen) >= 0 - 0.02
    assert max(high for _, high in seen) <= 1 + 0.02


def test_tells_how_far_it_is(pictures):
    told = []
    loss_responses(F.l1_loss, "l1", pictures, patterns=SOME, progress=lambda *at: told.append(at))
    assert told == [(i, len(SOME) + 1) for i in range(1, len(SOME) + 2)]


def test_refuses_a_loss_that_answers_nothing(pictures):
    with pytest.raises(ValueError, match="zero does not respond to white noise"):
        loss_responses(lambda x, y: (x - x).mean(), "zero", pictures, patterns=SOME)
