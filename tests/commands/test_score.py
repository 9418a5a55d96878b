"""``pdloss score`` as a user types it."""

import csv
from pathlib import Path

import pytest

from pdloss.commands.score import main
from pdloss.errors import ImageError, SpecError
from pdloss.images import read_image, write_image
from pdloss.metrics import psnr
from pdloss.records import Scores, read_record
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
