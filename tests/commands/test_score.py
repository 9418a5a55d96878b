"""``pdloss score`` as a user types it."""

import csv
from pathlib import Path

import pytest
import torch
from msgspec import structs

from pdloss.assets import sha256
from pdloss.commands.compare import main as compare
from pdloss.commands.figure import main as figure
from pdloss.commands.report import main as report
from pdloss.commands.score import main
from pdloss.commands.study import main as study
from pdloss.comparison import Comparison, MatchedComparison
from pdloss.errors import ImageError, SpecError
from pdloss.evaluation import score
from pdloss.images import read_image, write_image
from pdloss.metrics import psnr
from pdloss.records import Method, Scores, read_record, write_record
from pdloss.study.records import StudyDesign
from tests.report.folders import run_record
from tests.runs_for_tests import photographs_in


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Somebody's pictures, and what they should be."""
    target = photographs_in(tmp_path / "photographs")
    for index in range(2):
        image = read_image(target / f"photo{index}.png")
        write_image(tmp_path / "mine" / f"photo{index}.png", image.flip(1) if index else (image + 0.1).clamp(0, 1))
    return tmp_path / "mine", target


def test_scores_and_writes_what_is_asked_for(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(tmp_path / f"scores.{kind}") for kind in ("csv", "json", "md", "tex")]
    options = ["--csv", files[0], "--json", files[1], "--markdown", files[2], "--latex", files[3]]
    assert main([*map(str, folders), "--metrics", "psnr, psnr_y", "--device", "cpu", *options]) == 0
    wanted = [
        psnr(*(read_image(folder / f"photo{index}.png")[None] for folder in folders)).item() for index in range(2)
    ]
    scores = read_record(Path(files[1]), Scores)
    assert [image.restored["psnr"] for image in scores.images] == pytest.approx(wanted)
    lines = list(csv.DictReader(Path(files[0]).read_text().splitlines()))
    assert [float(line["psnr"]) for line in lines] == [image.restored["psnr"] for image in scores.images]
    mean = f"{sum(wanted) / 2:.2f}"
    assert f"| mine | {mean} |" in Path(files[2]).read_text()
    assert f"mine & {mean} & " in Path(files[3]).read_text()
    said = capsys.readouterr().out
    assert mean in said
    assert "photographs, 2 images, means" in said


def test_what_was_converted_or_left_out_is_said(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    assert main([*map(str, folders), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "lpips left out: " in said
    assert "ms_ssim left out: it needs 161 pixels a side, the smallest image has 40" in said


def test_mistakes_are_named_before_anything_is_written(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    with pytest.raises(SpecError, match=r"--json .*mine is a folder"):
        main([*map(str, folders), "--json", str(folders[0])])
    with pytest.raises(SpecError, match="did you mean 'psnr'"):
        main([*map(str, folders), "--metrics", "psnrr", "--json", str(out)])
    (folders[1] / "photo1.png").unlink()
    with pytest.raises(ImageError, match=r"mine alone has photo1\.png"):
        main([*map(str, folders), "--json", str(out)])
    assert not out.exists()


def as_runs_keep_them(folders: tuple[Path, Path], run: Path, set_name: str) -> Path:
    """Writes a run that restored the same targets under other file names, scored by the same rule."""
    _, target = folders
    for index in range(2):
        image = read_image(target / f"photo{index}.png")
        write_image(run.parent / "renamed" / f"{1 - index:02}.png", image)
        write_image(run / "restored" / set_name / f"{1 - index:02}.png", (image - 0.05).clamp(0, 1))
    scores = score(run / "restored" / set_name, run.parent / "renamed", metric_names=["psnr", "ssim"], device="cpu")
    write_record(run / "config.json", run_record(loss="l1 + 0.1*pdl(p=1)"))
    known = structs.replace(
        scores.scores, method=None, set=set_name, run=run.name, step=100, degradation="noise(sigma=0.1), seed 0"
    )
    write_record(run / "scores" / f"{set_name}.json", known)
    return run


@pytest.fixture
def beside(folders: tuple[Path, Path], tmp_path: Path) -> list[str]:
    """A run on the set ``kodak``, and somebody's pictures of the same targets, scored by the verb."""
    out = tmp_path / "bsrgan"
    words = ["--name", "BSRGAN", "--loss", "GAN, see their paper", "--degradation", "noise(sigma=0.1)"]
    assert main([*map(str, folders), "--metrics", "psnr,ssim", "--device", "cpu", "--out", str(out), *words]) == 0
    return [str(as_runs_keep_them(folders, tmp_path / "ours", "kodak")), str(out)]


def test_writes_a_folder_that_says_what_is_known_and_nothing_else(beside: list[str], tmp_path: Path) -> None:
    scores = read_record(Path(beside[1]) / "scores" / "photographs.json", Scores)
    assert scores.method == Method(name="BSRGAN", loss="GAN, see their paper", degradation="noise(sigma=0.1)")
    assert (scores.run, scores.degradation, scores.weights_sha256) == ("BSRGAN", "noise(sigma=0.1)", None)
    for image in scores.images:
        kept = Path(beside[1]) / "restored" / "photographs" / image.name
        assert image.restored_sha256 == sha256(kept)
        assert torch.equal(read_image(kept), read_image(tmp_path / "mine" / image.name))


def test_stands_beside_runs_in_compare_report_figure_and_study_by_the_targets_content(
    beside: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run calls the set and its images otherwise: what both have in common are the pixels of the targets."""
    assert compare([*beside, "--json", str(tmp_path / "c.json")]) == 0
    comparison = read_record(tmp_path / "c.json", Comparison)
    assert comparison.runs == ["ours", "BSRGAN"]
    assert comparison.images == 2
    assert not any("degradation" in note or "restore" in note for note in comparison.notes)
    assert report([*beside, "--out", str(tmp_path / "page")]) == 0
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert "GAN, see their paper" in page
    assert "how they were made is not recorded" in page
    assert page.count('data-label="BSRGAN"') == page.count('data-label="ours"') >= 2
    assert figure(["crops", *beside, "--image", "01", "--box", "0,0,8,8", "--out", str(tmp_path / "crops")]) == 0
    plan = ["--crop", "16", "--questions", "2", "--catch", "1", "--repeats", "0", "--training", "0", "--raters", "2"]
    assert study(["design", *beside, "--out", str(tmp_path / "study"), *plan]) == 0
    design = read_record(tmp_path / "study" / "design.json", StudyDesign)
    assert (design.methods, len(design.images)) == (["ours", "BSRGAN"], 2)
    capsys.readouterr()


def test_is_one_point_of_a_matched_comparison(
    beside: list[str], folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = as_runs_keep_them(folders, tmp_path / "more" / "weaker", "kodak")
    write_record(second / "config.json", run_record(loss="l1 + 0.2*pdl(p=1)"))
    level = sum(i.restored["psnr"] for i in read_record(Path(beside[1]) / "scores/photographs.json", Scores).images) / 2
    file = second / "scores" / "kodak.json"
    scores = read_record(file, Scores)
    lower = [structs.replace(i, restored={"psnr": level - 5, "ssim": 0.5}) for i in scores.images]
    write_record(file, structs.replace(scores, images=lower))
    assert compare([*beside, str(second), "--matched", "psnr", "--json", str(tmp_path / "m.json")]) == 0
    matched = read_record(tmp_path / "m.json", MatchedComparison)
    assert [(sweep.name, len(sweep.points)) for sweep in matched.sweeps] == [("l1 + pdl", 2), ("BSRGAN", 1)]
    assert matched.level == pytest.approx(level)
    assert "BSRGAN against l1 + pdl" in capsys.readouterr().out


def test_what_nobody_said_is_shown_as_unknown(folders: tuple[Path, Path], beside: list[str], tmp_path: Path) -> None:
    out = tmp_path / "nameless"
    assert main([*map(str, folders), "--metrics", "psnr,ssim", "--device", "cpu", "--out", str(out)]) == 0
    assert report([beside[0], str(out), "--out", str(tmp_path / "page")]) == 0
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert "The loss that mine was trained with is not known." in page
    assert "What mine restored from is not known" in page
    row = next(row for row in page.split("<tr>") if "mine</th>" in row and "<td><code>" in row)
    assert row.count("\N{EM DASH}") >= 4


def test_a_folder_of_a_run_or_of_another_method_is_not_written_into(
    folders: tuple[Path, Path], beside: list[str]
) -> None:
    options = [*map(str, folders), "--metrics", "psnr", "--device", "cpu", "--out"]
    with pytest.raises(SpecError, match=r"--out .*ours is the folder of a run"):
        main([*options, beside[0]])
    with pytest.raises(SpecError, match=r"holds the scores of BSRGAN on photographs; .* for those of SwinIR"):
        main([*options, beside[1], "--name", "SwinIR"])
    assert main([*options, beside[1], "--name", "BSRGAN"]) == 0
    with pytest.raises(SpecError, match="--name is empty"):
        main([*options, beside[1], "--name", " "])
