"""Tables for the screen, for LaTeX and for spreadsheets say what the analysis found."""

import csv
import io

import pytest

from pdloss.study.analysis.result import Analysis, Scale, analyse
from pdloss.study.analysis.tables import (
    CSV_COLUMNS,
    fit_words,
    numbers_csv,
    pair_table,
    rater_table,
    remarks,
    tables,
)
from pdloss.study.simulation.raters import Population, simulate
from pdloss.tables.latex import latex
from pdloss.tables.numerals import DASH
from tests.study.made_up import METHODS, SCORES, choices, made_up_design, metric_scores

DESIGN = made_up_design()
CHEATERS = ["clicker-001", "one-sided-002", "guesser-003"]


@pytest.fixture(scope="module")
def found() -> Analysis:
    return analyse(
        simulate(DESIGN, Population(SCORES), cheaters=3, seed=1),
        DESIGN.rules,
        methods=METHODS,
        title="10_% & more",
        scores=metric_scores({name: [score + i % 3 for i in range(20)] for name, score in SCORES.items()}),
        targets={image.id: image.target for image in DESIGN.images},
        resamples=200,
    )


def test_the_matrix_is_the_papers(found: Analysis) -> None:
    matrix = tables(found)[0]
    assert matrix.headings == ("", *METHODS)
    assert [row[0] for row in matrix.rows] == METHODS
    for i in range(4):
        assert matrix.rows[i][i + 1] == DASH
        for j in range(i):
            # Both are rounded to two digits.
            assert float(matrix.rows[i][j + 1]) + float(matrix.rows[j][i + 1]) == pytest.approx(1, abs=0.011)
    pdl_none = next(one for one in found.preferences if (one.first, one.second) == ("none", "pdl"))
    assert matrix.rows[3][1] == f"{1 - pdl_none.share:.2f}"


def test_every_pair_says_who_is_preferred(found: Analysis) -> None:
    table = pair_table(found)
    assert len(table.rows) == 6
    assert table.rows[2][0] == "none or pdl"
    assert table.rows[2][-1] == "pdl"
    shares, tests = tables(found)[2:4]
    assert [shares.headings[-1], *tests.headings] == ["95 % interval", "pair", "p", "p clustered", "preferred"]
    assert [row[1:] for row in tests.rows] == [row[6:] for row in table.rows]


def test_scores_have_their_errors(found: Analysis) -> None:
    first = found.scales[0].scores[0]
    row = tables(found)[1].rows[0]
    assert row[1] == f"{first.score:.3f} ± {first.error_clustered:.3f}".replace("-", "\N{MINUS SIGN}")


def test_raters_who_are_left_out_are_named_with_the_reason(found: Analysis) -> None:
    said = remarks(found)
    assert said[0].startswith("25 of 28 raters count; of 700 answers 500 are their comparisons")
    assert [text.split(" (")[0] for text in said[1:4]] == [f"Left out: {name}" for name in CHEATERS]
    assert "median time 0." in said[1]
    counts = {row[0]: row[-1] for row in rater_table(found.raters).rows}
    assert [name for name, text in counts.items() if text == "no"] == CHEATERS
    assert any(text.startswith("One scale explains the answers (Bradley-Terry: deviance ") for text in said)


@pytest.mark.parametrize(
    ("freedom", "p_value", "words"),
    [
        (6, 0.0345, "deviance 3.5 on 6 degrees of freedom, p = 0.035"),
        (1, 3e-7, "deviance 3.5 on 1 degree of freedom, p < 0.0001"),
    ],
)
def test_a_fit_in_words(freedom: int, p_value: float, words: str) -> None:
    scale = Scale(model="Thurstone", scores=[], deviance=3.5, freedom=freedom, p_value=p_value)
    assert fit_words(scale) == words


def test_csv_holds_every_number_unrounded(found: Analysis) -> None:
    rows = [*csv.DictReader(io.StringIO(numbers_csv(found)))]
    assert tuple(rows[0]) == CSV_COLUMNS
    kinds = [row["kind"] for row in rows]
    assert [kinds.count(kind) for kind in ("preference", "score", "agreement, answers", "agreement, tau")] == [
        6,
        8,
        1,
        1,
    ]
    assert float(rows[2]["value"]) == found.preferences[2].share
    assert int(rows[2]["answers"]) == found.preferences[2].wins + found.preferences[2].losses
    score = next(row for row in rows if (row["kind"], row["model"], row["first"]) == ("score", "Thurstone", "pdl"))
    assert float(score["high"]) == found.scales[1].scores[3].high


def test_latex_is_escaped_and_every_row_has_its_cells(found: Analysis) -> None:
    text = latex(tables(found))
    assert "% 10_% & more: share of answers" in text
    assert "\N{MINUS SIGN}" not in text
    assert "τ" not in text
    for part in text.split(r"\begin{tabular}")[1:]:
        columns = part[1 : part.index("}")]
        rows = [line for line in part.splitlines() if line.endswith(r"\\")]
        assert {line.replace(r"\&", "").count("&") for line in rows} == {len(columns) - 1}
    assert text.count(r"\bottomrule") == len(tables(found)) == 5


def test_without_scores_there_is_no_table_of_them() -> None:
    bare = analyse(choices("x 1 a>b\ny 2 a>b"), resamples=50)
    assert [table.title.split(",")[0] for table in tables(bare)] == [
        "Which picture looks better?: share of answers that prefer the row to the column",
        "Every pair: share of the first",
        "Two-sided tests of every pair",
    ]
    assert remarks(bare)[0].endswith("on 2 images.")
