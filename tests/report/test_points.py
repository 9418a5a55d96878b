"""Seeds as one point, every score with its interval and spread, and a recommendation that says why."""

from pathlib import Path

import pytest

from pdloss.report.points import points_of, points_table, recommendation
from pdloss.report.sources import Comparison, read_comparison
from tests.report.folders import write_run


def compared(folder: Path, places: dict[str, tuple[str, int, float, float]]) -> Comparison:
    """Runs by name: loss, seed, PSNR and LPIPS, which vary a little from image to image."""
    return read_comparison([
        write_run(folder / name, {"psnr": [x - 1, x, x + 1], "lpips": [y, y, y]}, loss=loss, seed=seed)
        for name, (loss, seed, x, y) in places.items()
    ])  # fmt: skip


PLACES = {
    "plain": ("l1", 0, 30.0, 0.4),
    "a": ("l1 + 0.1*pdl", 0, 29.0, 0.2),
    "a-again": ("l1 + 0.1*pdl", 1, 29.4, 0.24),
    "b": ("l1 + 0.2*pdl", 0, 26.0, 0.1),
    "beaten": ("l1 + 0.1*contextual", 0, 26.0, 0.39),
}


def test_seeds_are_one_point_in_the_order_of_weights(tmp_path: Path) -> None:
    comparison = compared(tmp_path, PLACES)
    points = points_of(comparison)
    assert [(p.loss, p.weight, p.names) for p in points] == [
        ("l1", "", ("plain",)),
        ("l1 + pdl", "0.1", ("a", "a-again")),
        ("l1 + pdl", "0.2", ("b",)),
        ("l1 + contextual", "0.1", ("beaten",)),
    ]
    assert points[1].mean(comparison, "psnr") == pytest.approx(29.2)
    assert points[1].spread(comparison, "psnr") == pytest.approx(0.4 / 2**0.5)
    assert points[0].spread(comparison, "psnr") is None
    table = points_table(comparison, points)
    row = table.cells[1]
    assert [cell.text for cell in row[:4]] == ["l1 + pdl", "0.1", "2", "29.20"]
    assert row[3].note.startswith("[28.")
    assert row[3].note.endswith("± 0.28")


def test_the_recommended_point_is_nearest_to_the_best_of_both_and_says_so(tmp_path: Path) -> None:
    comparison = compared(tmp_path, PLACES)
    first, second = recommendation(comparison, points_of(comparison))
    # Worst and best: 26 and 30 dB, 0.4 and 0.1. The point at 29.2 dB and 0.22 is 0.2 and 0.4 away, together 0.447.
    assert first.startswith(
        "Recommended: l1 + pdl at 0.1: of 4 points, 3 are beaten by no other in both PSNR and LPIPS"
    )
    assert "(distance 0.45; next l1" in first
    assert second.startswith("Against l1, over the same images: PSNR \N{MINUS SIGN}0.80\N{NO-BREAK SPACE}dB [")
    assert "LPIPS \N{MINUS SIGN}0.18" in second


def test_without_a_perceptual_score_nothing_is_recommended(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, {"psnr": [1.0, 2.0, 3.0]}, loss=name) for name in ("l1", "l2")]
    comparison = read_comparison(runs)
    assert recommendation(comparison, points_of(comparison)) == []
