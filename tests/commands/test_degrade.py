"""``pdloss degrade`` as a user types it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pdloss.cli import main
from pdloss.evaluation.frozen_sets import MANIFEST, Manifest
from pdloss.images import write_image
from pdloss.records import Scores, read_record
from tests.runs_for_tests import photographs_in, trained_run


def test_freezes_a_set_that_evaluation_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = photographs_in(tmp_path / "photographs"), tmp_path / "frozen"
    options = ["--data", str(data), "--out", str(out), "--seed", "5"]
    assert main(["degrade", *options, "--degradation", "noise(sigma=0..0.2)"]) == 0
    assert "2 images, noise(sigma=0..0.2, clip=True), seed 5" in capsys.readouterr().out
    run = trained_run(tmp_path / "run", data)
    assert main(["evaluate", str(run), "--data", str(data), "--degraded", str(out), "--metrics", "psnr"]) == 0
    assert "frozen as" in " ".join(capsys.readouterr().out.split())


def test_takes_the_degradation_of_the_task(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs")
    assert main(["degrade", "--task", "jpeg", "--data", str(data), "--out", str(tmp_path / "frozen")]) == 0
    assert read_record(tmp_path / "frozen" / MANIFEST, Manifest).degradation.startswith("jpeg(quality=20")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--degradation", "noize"], "did you mean 'noise'"),
        (["--degradation", ""], "cannot read the degradation ''"),
        (["--task", "sharpen"], "unknown task 'sharpen'"),
        (["--degradation", "jpeg(quality=101)"], "<= 100"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    data = photographs_in(tmp_path / "photographs")
    assert main(["degrade", "--data", str(data), "--out", str(tmp_path / "frozen"), *options]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "frozen").exists()


def test_damaged_images_are_named_or_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = photographs_in(tmp_path / "photographs")
    (data / "broken.png").write_bytes(b"no picture")
    command = ["degrade", "--data", str(data), "--out", str(tmp_path / "frozen")]
    assert main(command) == 1
    assert "broken.png" in capsys.readouterr().err
    assert main([*command, "--skip-damaged"]) == 0
    assert len(read_record(tmp_path / "frozen" / MANIFEST, Manifest).images) == 2


SIZE = r"photo0\.png is 50x40 pixels, too small for .*: each side needs at least 64; leave it out, or choose"


@pytest.mark.parametrize(
    ("degradation", "message"),
    [
        ("mosaic | downscale(factor=2)", r"only noise can be added to it; write downscale before mosaic"),
        ("mosaic | noise | mosaic", r"mosaic cannot follow mosaic: .*; leave one out"),
        ("mosaic | jpeg", r"write jpeg before mosaic"),
        ("downscale(factor=8) | downscale(factor=8)", SIZE),
        ("downscale(factor=5)", r"downscale\(factor=5\): expected one of 2, 3, 4, 8"),
        ("jpeg(quality=0)", r"jpeg\(quality=0\): expected `int` >= 1"),
        ("jpeg(quality=101)", r"jpeg\(quality=101\): expected `int` <= 100"),
        ("noise(sigma=50/255..0)", r"runs downwards; write the smaller bound first"),
        ("noise(sigma=log(0..50/255))", r"has no logarithm at its lower bound, which must be above 0"),
        ("noise(sigma=25)", r"noise\(sigma=25\.0\): sigma is for values in \[0, 1\]; grey levels are 25/255"),
        ("blur(kernel='even.npz')", r"even\.npz:k is 4x3 .* has no middle: add a row .* to make it 5x3"),
        ("blur(kernel='negative.npz')", r"negative\.npz:k holds negative values, down to -1: .*; set them to 0"),
        ("blur(kernel='wide.npz')", r"an image of 40x50 .* smaller than the kernel of 3x51 .*: take larger images"),
        ("blur(kernel='none.npz')", r"cannot read the kernel none\.npz: No such file or directory"),
        ("blur(support=100, seed=0)", r"an image of 40x50 .* is smaller than the kernel of .*, or a smaller kernel"),
        ("mosaic(layout='plane')", r"makes 1 planes, but a frozen set holds RGB images"),
        ("os:getcwd", r"os:getcwd is of the type builtin_function_or_method, and not a degradation: a class"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_the_cure_and_nothing_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    degradation: str,
    message: str,
) -> None:
    data = photographs_in(tmp_path / "photographs")
    for name, kernel in (("even", np.ones((4, 3))), ("negative", -np.eye(3)), ("wide", np.ones((3, 51)))):
        np.savez(tmp_path / f"{name}.npz", k=kernel)
    monkeypatch.chdir(tmp_path)
    command = ["degrade", "--data", str(data), "--out", str(tmp_path / "frozen"), "--degradation", degradation]
    assert main(command) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pdloss: ")]
    assert len(said) == 1
    assert re.search(message, said[0]), said[0]
    assert not (tmp_path / "frozen").exists()


def test_the_folder_of_the_photographs_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = photographs_in(tmp_path / "photographs")
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    assert main(["degrade", "--data", str(data), "--out", str(data)]) == 1
    assert "holds other files (photo0.png, photo1.png); choose another --out" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: (folder / "photo1.png").unlink(),
            r"photo1\.png is missing: make the set anew, or fetch it again",
        ),
        (lambda folder: (folder / "photo1.png").write_bytes(b"other"), r"photo1\.png is changed: make the set anew"),
        (
            lambda folder: shutil.copy(folder / "photo1.png", folder / "more.png"),
            r"does not name: more\.png; take them out",
        ),
        (lambda folder: (folder / MANIFEST).rename(folder / ".unfinished.json"), r"manifest\.json does not exist"),
        (lambda folder: (folder / MANIFEST).write_text("{"), r"manifest\.json is not a Manifest"),
    ],
)
def test_evaluation_refuses_a_set_that_does_not_match_before_it_restores_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], object], message: str
) -> None:
    data, out = photographs_in(tmp_path / "photographs"), tmp_path / "frozen"
    run = trained_run(tmp_path / "run", data, steps=1)
    assert main(["degrade", "--data", str(data), "--out", str(out), "--degradation", "noise(sigma=0.1)"]) == 0
    capsys.readouterr()
    damage(out)
    assert main(["evaluate", str(run), "--data", str(data), "--degraded", str(out), "--metrics", "psnr"]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pdloss: ")]
    assert len(said) == 1
    assert re.search(message, said[0]), said[0]
    assert not (run / "restored").exists()


def test_a_full_disk_is_one_sentence_and_the_same_command_goes_on_with_room(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are POSIX")
    data, out = photographs_in(tmp_path / "photographs", count=3), tmp_path / "frozen"
    # Noise makes each file about 6 KB large; those before it, of one colour, and the marker fit.
    write_image(data / "flat.png", torch.zeros(3, 8, 8))
    command = [sys.executable, "-m", "pdloss", "degrade", "--data", str(data), "--out", str(out)]
    full = subprocess.run(
        command,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in full.stderr.splitlines() if line.startswith("pdloss: ")]
    assert full.returncode == 1, full.stderr
    assert said == [f"pdloss: File too large: {out / 'photo0.png'}"], full.stderr
    assert "Traceback" not in full.stderr
    assert sorted(path.name for path in out.iterdir()) == [".unfinished.json", "flat.png"]
    assert main(command[3:]) == 0
    assert [path.name for path in sorted(out.iterdir())] == ["flat.png", MANIFEST, *(f"photo{i}.png" for i in range(3))]


def test_a_mark_of_unfinished_work_that_names_foreign_files_removes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = photographs_in(tmp_path / "photographs"), tmp_path / "set"
    out.mkdir()
    foreign = [tmp_path / "thesis.tex", data / "photo0.png"]
    foreign[0].write_text("years of work")
    (out / ".unfinished.json").write_text(json.dumps(["../thesis.tex", str(foreign[1])]))
    assert main(["degrade", "--data", str(data), "--out", str(out)]) == 1
    assert "is not" in capsys.readouterr().err
    assert all(path.exists() for path in foreign)


def test_what_is_converted_or_passed_over_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photographs_in(tmp_path / "photographs", 1)
    (tmp_path / "photographs" / "phone.HEIC").touch()
    assert main(["degrade", "--data", str(tmp_path / "photographs"), "--out", str(tmp_path / "frozen")]) == 0
    assert "1 picture passed over: phone.HEIC (HEIC is not read" in capsys.readouterr().err


def test_degraded_pictures_without_a_manifest_are_taken_for_what_they_are(tmp_path: Path) -> None:
    data, out = photographs_in(tmp_path / "photographs"), tmp_path / "frozen"
    run = trained_run(tmp_path / "run", data, steps=1)
    assert main(["degrade", "--data", str(data), "--out", str(out)]) == 0
    (out / MANIFEST).unlink()
    assert main(["evaluate", str(run), "--data", str(data), "--degraded", str(out), "--metrics", "psnr"]) == 0
    scores = read_record(run / "scores" / "photographs.json", Scores)
    assert scores.degradation.startswith("as given in frozen, contents ")
