"""Comparisons as rows and columns."""

import csv
import io
from pathlib import Path

import msgspec
import pytest

from pdloss.comparison import compare, compare_matched
from pdloss.comparison.tables import numbers_csv, remarks, tables
from pdloss.records import Metric, SetScore
from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown
from pdloss.tables.numerals import DASH, decimals, number, p_text
from tests.comparison.test_paired import FIRST, SECOND, two_runs
from tests.comparison.test_scored import changed
from tests.comparison.test_sweeps import run_folders
from tests.tables.reading import texts


def test_means_with_intervals_then_a_table_for_each_other_run(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    means, against = tables(comparison)
    assert means.headings == ("run", "PSNR (dB) ↑", "LPIPS ↓")
    assert means.title == "kodak, 24 images: means and 95 % intervals"
    one = comparison.means[0]
    assert texts(means)[0][:2] == ("a", f"{one.value:.2f}\n[{one.low:.2f}, {one.high:.2f}]")
    assert against.title == "b against a"
    psnr = comparison.differences[0]
    shown = f"\N{MINUS SIGN}{abs(psnr.value):.3f}"
    bounds = f"[\N{MINUS SIGN}{abs(psnr.low):.3f}, \N{MINUS SIGN}{abs(psnr.high):.3f}]"
    assert texts(against)[0] == ("PSNR (dB) ↑", shown, bounds, "<0.0001", "<0.0001", "worse")
    assert [row[-1] for row in texts(against)] == ["worse", "better"]


def test_one_image_has_dashes_for_what_it_cannot_have(tmp_path: Path) -> None:
    means, against = tables(compare(two_runs(tmp_path, {"psnr": [30.0]}, {"psnr": [31.0]})))
    assert texts(means) == [("a", "30.00"), ("b", "31.00")]
    assert texts(against) == [("PSNR (dB) ↑", "+1.0000", DASH, "1", DASH, "unclear")]


def test_scores_of_whole_sets_have_a_table_and_their_notes(tmp_path: Path) -> None:
    runs = two_runs(tmp_path, FIRST, SECOND)
    metric = Metric(label="FID", better="lower", protocol="768 features")
    changed(
        runs[0],
        set_metrics={"fid": metric},
        sets={"fid": SetScore(value=12.345, error=0.5, note="unreliable: 24 images")},
    )
    comparison = compare(runs)
    assert texts(tables(comparison)[-1]) == [("a", "12.35 ± 0.50"), ("b", DASH)]
    assert "FID of a: unreliable: 24 images." in remarks(comparison)
    rows = list(csv.DictReader(io.StringIO(numbers_csv(comparison))))
    assert rows[-1] | {"kind": "set", "name": "a", "value": "12.345", "error": "0.5"} == rows[-1]


@pytest.mark.parametrize(
    ("value", "digits"), [(29.83, 2), (-1.5, 3), (0.5, 4), (0.0179, 4), (0.00179, 5), (1.79e-4, 6), (1e-9, 6), (0.0, 4)]
)
def test_small_scores_keep_three_figures(value: float, digits: int) -> None:
    assert decimals(value) == digits


def test_the_protocol_is_said_in_words(tmp_path: Path) -> None:
    said = remarks(compare(two_runs(tmp_path, FIRST, SECOND), seed=7, resamples=500))
    assert "PSNR: RGB, rounded to 8 bits." in said
    for part in ("500 resamples", "seed 7", "Wilcoxon", "Bonferroni's rule for 2 comparisons", "another seed"):
        assert part in said[-1]


def test_what_near_zero_means_is_said_where_it_matters(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    assert not any("near zero" in remark for remark in remarks(comparison))
    metric = msgspec.structs.replace(comparison.metrics["psnr"], better="zero")
    nearest = msgspec.structs.replace(comparison, metrics=comparison.metrics | {"psnr": metric})
    assert any("near zero" in remark for remark in remarks(nearest))
    assert "PSNR (dB) →0" in tables(nearest)[0].headings


def test_equal_images_stand_beside_the_mean_in_every_format(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, {"psnr": [30.0, 120.0, 28.0]}, {"psnr": [31.0, 29.0, 27.0]}))
    means, against = tables(comparison)
    assert texts(means)[0][1].endswith("\n29.00 without 1 equal")
    assert "equal" not in texts(means)[1][1]
    assert texts(against)[0][1].endswith("\n0.0000 without 1 equal")
    assert "29.00 without 1 equal" in markdown(tables(comparison))
    assert "29.00 without 1 equal" in latex(tables(comparison))
    rows = list(csv.DictReader(io.StringIO(numbers_csv(comparison))))
    assert [(row["equal"], row["without_equal"]) for row in rows] == [("1", "29.0"), ("0", ""), ("1", "0.0")]
    assert any("counts 120 dB" in remark for remark in remarks(comparison))


def test_latex_is_booktabs_with_every_table_and_remark(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    comparison = msgspec.structs.replace(
        comparison, means=[msgspec.structs.replace(mean, name=f"x_{mean.name}&") for mean in comparison.means]
    )
    text = latex(tables(comparison))
    assert text.count(r"\begin{tabular}") == text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert r"run & PSNR (dB) $\uparrow$ & LPIPS $\downarrow$ \\" in text
    assert r"x\_a\& & " in text
    assert r"& worse \\" in text
    for remark in remarks(comparison):
        assert f"% {remark}\n" in text
    for line in text.splitlines():
        assert line.startswith(("%", "\\")) or line.endswith(r"\\") or not line


def test_csv_holds_every_number_unrounded(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    rows = list(csv.DictReader(io.StringIO(numbers_csv(comparison))))
    assert [row["kind"] for row in rows] == ["mean"] * 4 + ["difference"] * 2
    assert float(rows[0]["low"]) == comparison.means[0].low
    assert float(rows[4]["wilcoxon_corrected"]) == comparison.differences[0].wilcoxon_corrected
    assert (rows[4]["verdict"], rows[0]["against"]) == ("worse", "")


def test_markdown_tables_are_rectangular_and_names_cannot_break_them(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    comparison = msgspec.structs.replace(
        comparison, means=[msgspec.structs.replace(mean, name=f"x|{mean.name}") for mean in comparison.means]
    )
    lines = markdown(tables(comparison)).splitlines()
    assert "| run | PSNR (dB) ↑ | LPIPS ↓ |" in lines
    assert any(line.startswith("| x\\|a | ") for line in lines)
    assert lines[-1].startswith("- Intervals: bootstrap over images")


def test_a_matched_comparison_names_its_level_sweeps_and_frontier(tmp_path: Path) -> None:
    comparison = compare_matched(run_folders(tmp_path), "psnr")
    sweeps, means, against = tables(comparison)
    assert texts(sweeps)[0][0] == "l1 + pdl"
    assert [line.split()[0] for line in texts(sweeps)[0][1].splitlines()] == ["p2", "p1", "base"]
    assert f"at PSNR {comparison.level:.2f} dB" in means.title
    assert against.headings == ("metric", "difference", "interval", "bootstrap\np", "verdict")
    assert remarks(comparison)[0].startswith("Beaten by no other run in both PSNR and LPIPS: base, p1, p2, q1.")
    assert numbers_csv(comparison).count("\n") == 1 + 2 + 1


@pytest.mark.parametrize(("value", "text"), [(-0.00001, "0.000"), (1.2345, "1.234"), (-2.0, "\N{MINUS SIGN}2.000")])
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, text: str) -> None:
    assert number(value, 3) == text


def test_p_values_have_two_figures() -> None:
    assert [p_text(p) for p in (1.0, 0.0123, 0.000123, 9e-5)] == ["1", "0.012", "0.00012", "<0.0001"]
