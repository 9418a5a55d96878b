"""Figure 2's page: words, tables, pictures and files agree."""

import csv
import math
import re
from pathlib import Path

import pytest
import torch

from pdloss.probing.histogram_page import page, sections, write_result
from pdloss.probing.histograms import Seen, seen


@pytest.fixture(scope="module")
def photographs() -> list[Seen]:
    drawn = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    return [seen(f"set/{name}", image, "steerable.scale1", 2) for name, image in zip("ab", drawn, strict=True)]


def test_one_photograph_has_no_table_of_all(photographs: list[Seen]):
    parts = sections(photographs[:1], "steerable.scale1", 2)
    assert [part.heading for part in parts] == ["A toy that moves", "A photograph's features"]
    text = page("the command", parts, {"toy": "t.svg", "channels": "c.svg"})
    assert re.findall(r"\]\((.+?)\)", text) == ["t.svg", "c.svg"]
    assert "\n    the command\n" in text
    assert "The middle 64 x 48 pixels of `set/a`, against the same made 2 times smaller" in text


def test_the_toys_plateau_is_the_floors_and_w1_is_the_shift(photographs: list[Seen]):
    table = sections(photographs, "steerable.scale1", 2)[0].table
    assert [float(row[4]) for row in table.rows] == [float(row[0]) for row in table.rows]
    assert float(table.rows[-1][3]) == pytest.approx(math.log(2), abs=1e-6)
    assert "12.05 with 1e-06, 4.84 with 0.001" in table.remarks[1]


def test_the_result_is_a_page_text_tables_and_pictures_and_says_every_number(photographs: list[Seen], tmp_path: Path):
    files = write_result(tmp_path / "figure2", photographs, "steerable.scale1", 2, "pdloss reproduce figure2")
    kinds = {f"{stem}.{kind}" for stem in ("toy", "channels") for kind in ("svg", "png", "csv")}
    assert {file.name for file in files} == kinds | {"result.md", "result.tex", "index.html"}
    with (tmp_path / "figure2" / "channels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [(each.name, row) for each in photographs for row in each.rows]
    assert [(row["photograph"], float(row["w1"]), float(row["kl"])) for row in rows] == [
        (name, row.w1, row.kl) for name, row in expected
    ]
    html = (tmp_path / "figure2" / "index.html").read_text(encoding="utf-8")
    text = (tmp_path / "figure2" / "result.md").read_text(encoding="utf-8")
    assert html.count("data:image/svg+xml;base64,") == 2
    for name in ("set/a", "set/b"):
        assert f"| {name} | {len(photographs['set/ab'.index(name[-1]) - 4].rows)} |" in text
        assert f"<td>{name}</td>" in html
    assert "pdloss reproduce figure2" in html
