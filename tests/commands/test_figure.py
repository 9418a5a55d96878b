"""``pdloss figure`` as typed."""

import re
from pathlib import Path

import pytest
import torch

from pdloss.commands.figure import main
from pdloss.errors import SpecError, UserError
from pdloss.images import write_image
from tests.report.folders import write_run
from tests.report.full_runs import write_full_runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [str(run) for run in write_full_runs(tmp_path_factory.mktemp("runs"))]


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    write_image(tmp_path / "photo.png", torch.rand(3, 80, 96, generator=torch.Generator().manual_seed(0)))
    return tmp_path / "photo.png"


def test_crops_of_a_box_are_written_and_their_paths_printed(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "panel"
    assert main(["crops", *runs, "--image", "3", "--box", "100,60,32,24", "--out", str(out), "--zoom", "1"]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert paths == [tmp_path / f"panel.{kind}" for kind in ("png", "pdf", "svg")]
    assert all(path.is_file() for path in paths)


def test_without_a_box_the_window_is_found_and_without_an_image_so_are_they(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crops", *runs, "--image", "3", "--out", str(tmp_path / "one")]) == 0
    assert (tmp_path / "one.png").is_file()
    assert main(["crops", *runs, "--out", str(tmp_path / "all")]) == 0
    found = list((tmp_path / "all").glob("*.png"))
    assert len(found) >= 4
    assert str(found[0]) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--box", "1,2,3"], "needs an image"),
        (["--image", "3", "--box", "1,2,3"], "is not left,top,width,height in whole pixels, such as 120,80,96,96"),
        (["--image", "3", "--box", "a,2,3,4"], "is not left,top,width,height"),
        (["--zoom", "0"], "must be at least 1"),
    ],
)
def test_a_slip_is_one_sentence(runs: list[str], tmp_path: Path, options: list[str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        main(["crops", *runs, "--out", str(tmp_path / "x"), *options])


def test_runs_without_pictures_cannot_be_cut(tmp_path: Path) -> None:
    run = write_run(tmp_path / "bare", {"psnr": [1.0, 2.0, 3.0]})
    with pytest.raises(UserError, match="no crops: restored pictures are no longer"):
        main(["crops", str(run), "--out", str(tmp_path / "x")])


def test_the_framework_is_drawn_from_a_photograph(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--image", str(photograph), "--features", "distilled.relu4_3", "--channels", "2"]
    assert main(["framework", *options, "--out", str(tmp_path / "method")]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.suffix for path in paths] == [".png", ".pdf", ".svg"]
    assert "distilled.relu4_3" in paths[2].read_text(encoding="utf-8")
    # The stand-in is the photograph degraded; a restored picture that equals the target has no loss.
    assert main(["framework", *options, "--restored", str(photograph), "--out", str(tmp_path / "same")]) == 0
    lossless = re.compile(r"over all \d+ channels = 0<")
    assert lossless.search((tmp_path / "same.svg").read_text(encoding="utf-8"))
    assert not lossless.search(paths[2].read_text(encoding="utf-8"))


def test_the_framework_refuses_what_cannot_be_compared(photograph: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "small.png", torch.rand(3, 40, 40))
    options = ["framework", "--image", str(photograph), "--out", str(tmp_path / "x"), "--features", "distilled.relu4_3"]
    with pytest.raises(UserError, match="has 40 x 40 pixels, .* 96 x 80; give equal sizes"):
        main([*options, "--restored", str(tmp_path / "small.png")])
    with pytest.raises(SpecError, match="changes the size"):
        main([*options, "--degradation", "downscale(factor=2)"])
    for many in ("0", "25"):
        with pytest.raises(SpecError, match=f"--channels {many} must be from 1 to 24"):
            main([*options, "--channels", many])


@pytest.mark.parametrize("zoom", ["1000", "100000", str(10**30)])
def test_a_picture_that_nobody_could_open_is_not_begun(runs: list[str], tmp_path: Path, zoom: str) -> None:
    words = ["crops", *runs, "--image", "3", "--box", "100,60,64,48", "--out", str(tmp_path / "panel")]
    with pytest.raises(SpecError, match=rf"--zoom {zoom} makes .* more than 30000 pixels along a side; choose at most"):
        main([*words, "--zoom", zoom])
    assert not list(tmp_path.glob("panel*"))
