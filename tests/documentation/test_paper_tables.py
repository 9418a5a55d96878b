"""What is committed of a table, and the page of all tables: made of a small sweep's files."""

import csv
import json
import re

import pytest

from documentation.paper_tables import MOST, PICTURE_BYTES, page_text, small_jpeg, take
from documentation.tutorials import ROOT
from pdloss.commands.sweeping import write_results
from pdloss.errors import UserError
from pdloss.report.paper_comparison import PaperRows
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.queue import QueuedJob
from pdloss.sweeps.reproduction import paper_plan
from tests.report.folders import IMAGES, write_log, write_picture, write_pictures, write_run
from tests.report.full_runs import textured

PLACES = {"no-perceptual": (30.0, 0.4), "PDL-w0.01": (29.0, 0.1), "PDL-w0.02": (28.0, 0.2)}
RECOMMENDED = (29.5, 0.15)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A finished table II of three runs, scored on two sets, as `pdloss reproduce` leaves it."""
    folder = tmp_path_factory.mktemp("sweep")
    sets = [folder / "valid" / name for name in ("kodak24", "set14")]
    plan = paper_plan("table2", "cpu", str(folder / "photos"), folder / "runs", sets)
    queue = []
    for job in jobs_of(plan):
        if job.name not in PLACES and not job.label.startswith("recommended"):
            queue += [QueuedJob(job, "waiting", why="0 of 300 steps trained")] if job.name == "L2-w0.05" else []
            continue
        (x, y), place = PLACES.get(job.name, RECOMMENDED), len(queue)
        for valid in sets:
            write_run(
                job.folder, {"psnr": [x - 1, x, x + 1], "lpips": [y] * 3}, set_name=valid.name,
                loss=job.options["loss"], targets=str(valid), machine={"threads": "1"},
                init=str(job.options["init"]), steps=300,
            )  # fmt: skip
            pictures = {name: textured(110, place + i) for i, name in enumerate(IMAGES)}
            write_pictures(job.folder, "restored", pictures, valid.name)
            for name in IMAGES:
                write_picture(valid / name, textured(120, 3))
        write_log(job.folder, ["l1"], lines=30)
        queue.append(QueuedJob(job, "done"))
    write_results(plan, queue, folder / "runs" / "table2", PaperRows("II"))
    return folder / "runs"


@pytest.fixture(scope="module")
def committed(out, tmp_path_factory):
    folder = tmp_path_factory.mktemp("committed")
    (folder / "table2").mkdir()
    (folder / "table2" / "verdict.md").write_text("The order *holds*.\n")
    take(out, "table2", folder)
    return folder


def test_what_is_taken_is_a_selection_of_the_sweeps_files_and_names_no_place_of_this_machine(out, committed):
    names = {str(file.relative_to(committed / "table2")) for file in (committed / "table2").rglob("*.*")}
    written = ["result.md", "table-1.csv", "scores.csv", "matched.csv", "plane-lpips.svg"]
    crops = {name for name in names if name.endswith(".jpg")}
    assert names - crops == {f"{name}/{file}" for name in ("kodak24", "set14") for file in written} | {
        "plan.json", "runs.csv", "verdict.md",
    }  # fmt: skip
    assert {name.partition("-")[0] for name in crops} == {"kodak24/crops"}
    for name in ("result.md", "scores.csv"):
        assert (committed / "table2/set14" / name).read_bytes() == (out / "table2/set14" / name).read_bytes()
    assert not any(str(out.parent).encode() in file.read_bytes() for file in committed.rglob("*.*"))
    plan = json.loads((committed / "table2" / "plan.json").read_text())
    assert (plan["train"]["data"], plan["out"]) == ("PHOTOS", "paper/denoise")
    assert plan["evaluate"]["data"] == ["kodak24", "set14"]
    with (committed / "table2" / "runs.csv").open(newline="") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert rows["PDL-w0.01"]["command"].endswith("--init paper/denoise/start --out paper/denoise/PDL-w0.01")
    assert rows["L2-w0.05"]["state"] == "waiting: 0 of 300 steps trained"


def test_the_page_shows_verdict_table_pictures_and_cost(committed):
    text = page_text(committed)
    assert "## Table II, denoising\n\nThe order *holds*.\n" in text
    assert (
        "| II | `edsr(blocks=8, width=32, unshuffle=2)` | 4,000 steps | 300 steps | 4 of 5 | 2 min | cpu, 1 thread |"
        in text
    )
    row = next(line for line in text.splitlines() if line.startswith("| ours | l1 + pdl | 0.01 |"))
    assert "| 29.00 \N{MINUS SIGN}1.00; [28.00, 30.00] |" in row
    assert text.index("### kodak24") < text.index("| paper | PDL |") < text.index("### set14")
    assert text.count("| paper | PDL | 0.010 |") == 1
    assert text.count("Recommended: ") == 2
    assert "- Training images: the paper's are the 800 of DIV2K; ours are 3." in text
    links = re.findall(r"\]\(\.\./experiments/paper/([^)]+)\)", text)
    assert len([link for link in links if link.endswith(".jpg")]) >= 1
    assert all((committed / link).is_file() for link in links if link != "README.md")


def test_crops_are_of_the_run_of_lowest_lpips_of_each_loss(out, committed, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("documentation.paper_tables.save_panel", lambda tiles, *_, **__: seen.append(tiles) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        take(out, "table2", tmp_path)
    assert [tile.label for tile in seen[0]] == ["no-perceptual", "PDL-w0.01", "recommended", "target"]


def test_a_path_that_has_no_name_and_a_result_that_is_not_there_are_refused(out, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="pdloss reproduce table7 --out .* --report writes it"):
        take(out, "table7", tmp_path)
    monkeypatch.setattr("documentation.paper_tables._names", lambda plan, out: {})
    with pytest.raises(UserError, match=r"plan.json names /.*, which is of this machine alone"):
        take(out, "table2", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_made_as_small_as_it_must_be():
    from PIL import Image

    noise = Image.effect_noise((512, 512), 80)
    large, small = small_jpeg(noise, 10**9), small_jpeg(noise, 60_000)
    assert len(small) < len(large)
    assert len(small_jpeg(Image.new("RGB", (64, 64)))) < PICTURE_BYTES


def test_the_committed_page_is_that_of_the_committed_files_and_they_are_small():
    committed = ROOT / "experiments" / "paper"
    assert (ROOT / "docs" / "paper_tables.md").read_text(encoding="utf-8") == page_text(committed)
    sizes = [file.stat().st_size for file in committed.rglob("*") if file.is_file()]
    assert sum(sizes) <= 5 * MOST
