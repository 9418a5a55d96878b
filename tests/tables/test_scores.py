"""Scores as tables: what stands in which row, what is bold, and that every format can be read again."""

import csv
import io
import re

from msgspec import structs

from pdloss.records import ImageScores, Metric, Scores, SetScore
from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown
from pdloss.tables.numerals import DASH
from pdloss.tables.scores import tables, values_csv
from tests.tables.reading import texts

PSNR = Metric(label="PSNR", unit="dB", better="higher", protocol="RGB, 8 bits")
LPIPS = Metric(label="LPIPS", better="lower", protocol="Alex", weights={"alex": "sha256 0123456789abcdef; torchvision"})
FID = Metric(label="FID", better="lower", protocol="whole_images | 299")


def scores(
    run: str,
    psnr: list[float],
    lpips: list[float] | None = None,
    *,
    set_name: str = "kodak",
    degradation: str = "noise(sigma=0.1), seed 0",
    inputs: list[float] | None = None,
    sets: dict[str, SetScore] | None = None,
) -> Scores:
    images = [
        ImageScores(
            name=f"{index}.png",
            restored={"psnr": value} | ({} if lpips is None else {"lpips": lpips[index]}),
            degraded={} if inputs is None else {"psnr": inputs[index]},
        )
        for index, value in enumerate(psnr)
    ]
    return Scores(
        run=run, set=set_name, targets="/t", step=7, degradation=degradation, seconds=1.0, images=images,
        metrics={"psnr": PSNR} | ({} if lpips is None else {"lpips": LPIPS}),
        set_metrics={"fid": FID} if sets else {}, sets=sets or {}, weights_sha256="fedcba9876543210",
    )  # fmt: skip


def test_rows_are_the_input_s_then_the_runs_on_it() -> None:
    (table,) = tables(
        [
            scores("a", [30.0, 31.0], [0.1, 0.3], inputs=[20.0, 22.0]),
            scores("other", [25.0, 26.0], degradation="jpeg, seed 0", inputs=[24.0, 24.0]),
            scores("b", [32.0, 33.0], [0.3, 0.3], inputs=[20.0, 22.0]),
        ]
    )
    assert table.title == "kodak, 2 images, means"
    assert table.headings == ("", "PSNR (dB) ↑", "LPIPS ↓")
    assert texts(table) == [
        ("input 1", "21.00", DASH),
        ("a", "30.50", "0.2000"),
        ("b", "32.50", "0.3000"),
        ("input 2", "24.00", DASH),
        ("other", "25.50", DASH),
    ]
    assert table.remarks[:2] == ("input 1: noise(sigma=0.1), seed 0", "input 2: jpeg, seed 0")
    assert [[cell.bold for cell in row[1:]] for row in table.cells] == [
        [False, False], [False, True], [True, False], [False, False], [False, False]
    ]  # fmt: skip


def test_the_input_is_in_no_contest_and_a_tie_has_two_winners() -> None:
    (table,) = tables([scores("a", [30.0], inputs=[40.0]), scores("b", [30.001]), scores("c", [29.0])])
    assert [row[1].bold for row in table.cells] == [False, True, True, False]


def test_where_zero_is_best_the_nearest_to_it_is_bold() -> None:
    bias = Metric(label="Bias", better="zero", protocol="mean difference")
    runs = [scores("a", [-0.25]), scores("b", [0.5]), scores("c", [-1.0])]
    (table,) = tables([structs.replace(run, metrics={"psnr": bias}) for run in runs])
    assert table.headings == ("", "Bias →0")
    assert [(row[1].text, row[1].bold) for row in table.cells] == [
        ("\N{MINUS SIGN}0.2500", True), ("0.5000", False), ("\N{MINUS SIGN}1.0000", False)
    ]  # fmt: skip
    assert r"Bias $\to$0" in latex([table])


def test_runs_without_scores_of_inputs_have_no_such_row() -> None:
    (table,) = tables([scores("mine", [30.0])])
    assert [name for name, *_ in texts(table)] == ["mine"]
    assert table.title == "kodak, 1 image, means"


def test_each_set_has_its_table_and_metrics_can_be_chosen_in_order() -> None:
    both = tables(
        [scores("a", [30.0], [0.1]), scores("a", [31.0], [0.2], set_name="set5")], ["lpips", "psnr", "lpips", "other"]
    )
    assert [table.title for table in both] == ["kodak, 1 image, means", "set5, 1 image, means"]
    assert [table.headings for table in both] == [("", "LPIPS ↓", "PSNR (dB) ↑")] * 2
    assert texts(both[1]) == [("a", "0.2000", "31.00")]


def test_scores_of_sets_show_their_error_and_their_doubts() -> None:
    doubtful = SetScore(value=12.345, error=0.256, note="unreliable: 24 images")
    (table,) = tables([scores("a", [30.0], sets={"fid": doubtful}), scores("b", [31.0], sets={"fid": doubtful})])
    assert [row[2] for row in texts(table)] == ["12.35 ± 0.26*"] * 2
    assert table.remarks.count("* FID: unreliable: 24 images") == 1


def test_remarks_say_how_to_read_each_number_and_whose_it_is() -> None:
    (table,) = tables([scores("a", [30.0], [0.1])])
    assert table.remarks == (
        "PSNR: RGB, 8 bits",
        "LPIPS: Alex; alex, sha256 01234567",
        "weights, sha256: a fedcba98 (step 7)",
    )


def test_equal_pairs_are_counted_beside_the_mean_and_left_out_of_a_second_one() -> None:
    """Three pairs of which one is equal: the mean alone would say 60 dB."""
    one, all_equal = scores("a", [120.0, 29.0, 31.0], [0.0, 0.1, 0.2]), scores("b", [120.0] * 3, [0.0] * 3)
    (table,) = tables([one, all_equal])
    assert [row[1] for row in texts(table)] == ["60.00 (30.00 without 1 equal)", "120.00 (3 equal)"]
    assert texts(table)[0][2] == "0.1000"  # no ratio in decibels, and nothing infinite
    assert "60.00 (30.00 without 1 equal)" in markdown([table])
    assert "60.00 (30.00 without 1 equal)" in latex([table])
    lines = list(csv.DictReader(io.StringIO(values_csv([one]))))
    assert [line["equal"] for line in lines] == ["yes", "", ""]


RESULTS = [
    scores("a_1", [30.0, 31.25], [0.1, 0.3], inputs=[20.0, 22.0], sets={"fid": SetScore(value=2.5)}),
    scores("b|2", [29.0, 29.0], [0.2, 0.4], inputs=[20.0, 22.0], degradation="noise(sigma=0.1), seed 0"),
]


def test_csv_holds_every_value_in_full() -> None:
    lines = list(csv.DictReader(io.StringIO(values_csv(RESULTS))))
    assert list(lines[0]) == ["set", "run", "picture", "image", "psnr", "lpips", "fid", "equal"]
    found = {(line["run"], line["picture"], line["image"]): line for line in lines}
    assert len(found) == len(lines) == 9
    for result in RESULTS:
        for image in result.images:
            line = found[result.run, "restored", image.name]
            assert {name: float(line[name]) for name in image.restored} == image.restored
            assert float(found[result.run, "degraded", image.name]["psnr"]) == image.degraded["psnr"]
            assert line["fid"] == found[result.run, "degraded", image.name]["lpips"] == ""
    assert float(found["a_1", "restored", ""]["fid"]) == 2.5
    assert found["a_1", "restored", ""]["psnr"] == ""


def test_markdown_is_one_table_with_the_best_in_bold() -> None:
    lines = markdown(tables(RESULTS)).splitlines()
    assert lines[0] == "**kodak, 2 images, means**"
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("|")]
    assert cells == [
        ["", "PSNR (dB) ↑", "LPIPS ↓", "FID ↓"],
        ["---", "---:", "---:", "---:"],
        ["input", "21.00", DASH, DASH],
        [r"a\_1", "**30.62**", "**0.2000**", "2.500"],
        [r"b\|2", "29.00", "0.3000", DASH],
    ]
    assert r"- FID: whole\_images \| 299" in lines


def test_latex_is_one_tabular_with_the_best_in_bold_and_nothing_unescaped() -> None:
    text = latex(tables([*RESULTS, scores(r"50% & {x}^2 #1 ~ $\a", [20.0, 20.0])]))
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert r"a\_1 & \textbf{30.62} & \textbf{0.2000} & 2.500 \\" in body
    assert r"b\textbar{}2 & 29.00 & 0.3000 & -- \\" in body
    escaped = r"50\% \& \{x\}\textasciicircum{}2 \#1 \textasciitilde{} \$\textbackslash{}a & 20.00 & -- & -- \\"
    assert escaped in body
    assert r"\begin{tabular}{lrrr}" in text
    assert r" & PSNR (dB) $\uparrow$ & LPIPS $\downarrow$ & FID $\downarrow$ \\" in text
    assert all(line.startswith("%") for line in text[: text.index(r"\begin")].splitlines() if line)
    assert text.isascii()
