"""Names of files that are no text, or text that steers a terminal, go through every verb."""

import os
from pathlib import Path

import pytest

from pdloss.commands import degrade, evaluate, report, restore, score, train
from pdloss.evaluation.frozen_sets import MANIFEST, Manifest
from pdloss.images import write_image
from pdloss.records import Scores, read_record
from pdloss.runs import RunFolder
from tests.runs_for_tests import photographs_in

NAMES = [
    b"caf\xe9.png",
    b"two\nlines.png",
    b"100% #1 [bold].png",
    b"tail .png",
    b"sc\xe8ne/\xff.png",
    "naïve.png".encode(),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Photographs of odd names, in a folder of an odd name."""
    plain, odd = photographs_in(tmp_path / "plain", len(NAMES)), tmp_path / os.fsdecode(b"d\xe9p\xf4t [x]")
    for number, name in enumerate(NAMES):
        path = odd / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        (plain / f"photo{number}.png").rename(path)
    return odd


def options(data: Path, out: Path) -> list[str]:
    network = ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--loss", "l1", "--device", "cpu"]
    steps = ["--steps", "2", "--batch", "2", "--crop", "16", "--save-every", "1", "--precision", "float32"]
    return ["--data", str(data), "--out", str(out), "--valid", str(data), *network, *steps]


def test_names_that_are_no_text_go_through_every_verb(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, frozen = tmp_path / "run", tmp_path / "frozen"
    assert train.main(options(data, run)) == 0
    assert train.main(options(data, run)) == 0  # goes on
    assert len(RunFolder(run).photographs()) == len(NAMES)
    repeated = ["--config", str(run / "config.json"), "--out", str(tmp_path / "again"), "--steps", "1"]
    assert train.main(repeated) == 0
    assert degrade.main(["--data", str(data), "--out", str(frozen)]) == 0
    names = [image.target for image in read_record(frozen / MANIFEST, Manifest).images]
    assert sorted(names) == sorted(
        [r"caf\xe9.png", r"two\x0alines.png", "100% #1 [bold].png", "tail .png", r"sc\xe8ne/\xff.png", "naïve.png"]
    )
    given = ["--data", str(data), "--metrics", "psnr", "--set", "odd"]
    assert evaluate.main([str(run), *given]) == 0
    assert evaluate.main([str(run), *given, "--degraded", str(frozen)]) == 0
    scores = read_record(run / "scores" / "odd.json", Scores)
    assert sorted(image.name for image in scores.images) == sorted(names)
    assert score.main([str(run / "restored" / "odd"), str(data), "--metrics", "psnr"]) == 0
    assert report.main([str(run), "--out", str(tmp_path / "report")]) == 0
    page = next((tmp_path / "report").glob("*.html")).read_text(encoding="utf-8")
    assert r"caf\xe9" in page
    assert restore.main([str(data), "--model", str(run), "--out", str(tmp_path / "restored")]) == 0
    restored = [path for path in (tmp_path / "restored").rglob("*.png") if path.is_file()]
    assert len(restored) == len(NAMES)
    out, err = capsys.readouterr()
    assert "two\nlines" not in out + err


def test_damage_in_a_file_of_such_a_name_is_said_in_one_line(data: Path, tmp_path: Path) -> None:
    from pdloss.datasets import Photographs

    (data / os.fsdecode(b"bad\xe9\n.png")).write_bytes(b"no picture")
    for _ in range(2):
        photographs = Photographs(data, cached=True, skip_damaged=True)
        assert list(photographs.skipped) == [r"bad\xe9\x0a.png"]
        assert r"bad\xe9\x0a.png: not an image" in photographs.skipped[r"bad\xe9\x0a.png"]


def test_odd_names_of_pairs_find_their_partners(tmp_path: Path) -> None:
    import torch

    from pdloss.datasets import OwnPairs

    for kind in ("sharp", "blur"):
        write_image(tmp_path / os.fsdecode(b"sc\xe8ne") / kind / os.fsdecode(b"\xe9.png"), torch.rand(3, 8, 8))
    assert OwnPairs(tmp_path / "*" / "sharp", tmp_path / "*" / "blur").names == [r"sc\xe8ne/sharp/\xe9.png"]
