"""Our runs under the paper's names, and whether its order holds among them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pdloss.comparison.losses import terms_of
from pdloss.report.paper import PaperTable, paper_tables
from pdloss.report.paper_order import labels, paper_label, verdict
from pdloss.report.points import points_of
from pdloss.report.sources import Comparison, read_comparison
from tests.report.folders import write_run

TWO = ["a.png", "b.png"]
FEATURES = "features='vgg16.relu4_3'"


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        ("l1", "no-perceptual"),
        ("l1 + 0.1*perceptual(p=1)", "L1"),
        ("l1 + 0.1*perceptual(p=2)", "L2"),
        ("l1 + 0.1*contextual(distance='dot')", "CTXDP"),
        ("l1 + 0.1*contextual(distance='l2')", "CTXL2"),
        ("l1 + 0.1*pdl(projection='identity')", "PDL"),
        ("l1 + 0.1*pdl(projection='sphere')", "PDL-sphere"),
        ("l1 + 0.1*pdl(projection='max')", ""),
        ("l1 + 0.1*perceptual(p=2) + 0.1*adversarial(critic='unet')", "SRGAN"),
        ("l1 + 0.1*perceptual(p=2) + 0.1*pdl", ""),
        ("l1 + 0.1*fdl", ""),
    ],
)
def test_losses_have_the_papers_names(loss: str, label: str) -> None:
    assert paper_label(terms_of(loss)) == label
    assert paper_label(()) == ""


def written(folder: Path, lpips: dict[str, float]) -> list[Path]:
    """Runs whose PSNR rises with LPIPS, as in the paper."""
    losses = {"plain": "l1", "L1": f"l1 + 0.005*perceptual({FEATURES}, p=1)", "PDL": f"l1 + 0.01*pdl({FEATURES})",
              "CTXL2": f"l1 + 0.1*contextual({FEATURES}, distance='l2')"}  # fmt: skip
    return [
        write_run(
            folder / name, {"psnr": [20 + value, 21 + value], "lpips": [value, value]}, images=TWO, loss=losses[name]
        )
        for name, value in lpips.items()
    ]


def ordered(table: PaperTable, runs: Comparison, apart: Sequence[str] = ()) -> list[str]:
    points = points_of(runs)
    return verdict(table, runs, points, labels(points, apart))


def test_the_papers_order_holds_or_the_losses_are_named_in_both(tmp_path: Path) -> None:
    (two, _) = paper_tables("denoise")
    # Table II has LPIPS 0.233 for PDL 0.010, 0.239 for CTXL2 0.100, 0.264 for L1 0.005 and 0.311 without.
    same = read_comparison(written(tmp_path / "same", {"plain": 0.4, "L1": 0.3, "CTXL2": 0.2, "PDL": 0.1}))
    (psnr, lpips) = ordered(two, same)
    assert lpips == (
        "LPIPS: Kendall's tau between the paper's 4 rows and ours is 1.00; the order of the losses, each at its best, "
        "is the paper's."
    )
    assert "tau between the paper's 4 rows and ours is 0.67" in psnr  # CTXL2 26.44 and PDL 26.62 change places
    other = read_comparison(written(tmp_path / "other", {"plain": 0.4, "L1": 0.1, "CTXL2": 0.2, "PDL": 0.3}))
    (_, lpips) = ordered(two, other)
    assert (
        "is 0.00; the paper's order of the losses, each at its best, is PDL, CTXL2, L1, no-perceptual; ours is "
        in lpips
    )
    assert lpips.endswith("ours is L1, CTXL2, PDL, no-perceptual.")


def test_a_run_set_apart_takes_no_part_in_the_order(tmp_path: Path) -> None:
    runs = read_comparison(written(tmp_path, {"plain": 0.4, "L1": 0.3, "PDL": 0.1}))
    (two, _) = paper_tables("denoise")
    assert len(ordered(two, runs)) == 2
    assert labels(points_of(runs), ["PDL"]) == ["no-perceptual", "L1", ""]
    assert ordered(two, runs, ["PDL"]) == []


def test_where_weights_are_lost_rows_are_taken_in_rising_order(tmp_path: Path) -> None:
    (four,) = paper_tables("sr")
    weights = {"pdl-b": (2e-3, 0.1), "pdl-a": (1e-3, 0.2), "l1": (None, 0.3)}
    runs = [
        write_run(tmp_path / name, {"lpips": [value, value], "psnr": [20 + value] * 2}, images=TWO, task="sr",
                  loss="l1" if weight is None else f"l1 + {weight}*pdl({FEATURES})")
        for name, (weight, value) in weights.items()
    ]  # fmt: skip
    comparison = read_comparison(runs)
    said = ordered(four, comparison)
    assert all("tau between the paper's 3 rows and ours is 1.00" in sentence for sentence in said)
