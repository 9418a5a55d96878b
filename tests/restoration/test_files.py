"""Restoring files: each result is what the network makes of the picture, and one bad file ends no batch."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pdloss.errors import ImageError, OutOfMemoryError, RunError, SpecError
from pdloss.evaluation import load_network
from pdloss.files.tensors import write_tensors
from pdloss.images import read_image, write_image
from pdloss.ops.bayer import bayer_masked, bayer_plane
from pdloss.restoration import Failed, Restored, restore_files
from pdloss.runs import RunFolder
from tests.runs_for_tests import photographs_in, trained_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny run and its photographs."""
    folder = tmp_path_factory.mktemp("restoration")
    data = photographs_in(folder / "photographs")
    return trained_run(folder / "run", data), data


def test_the_picture_is_the_networks_output(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    (done,) = restore_files(data / "photo0.png", run, tmp_path / "out", precision="float32")
    network = load_network(run, torch.device("cpu"))
    with torch.no_grad():
        expected = network(read_image(data / "photo0.png")[None])[0].clamp(0, 1)
    stored = read_image(done.written)
    assert (stored - expected).abs().max() <= 0.5 / 255 + 1e-6
    assert (stored - read_image(data / "photo0.png")).abs().max() > 1 / 255, "it does something"


def test_a_file_of_weights_is_enough(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    alone = tmp_path / "mine.safetensors"
    alone.write_bytes(RunFolder(run).latest_weights()[1].read_bytes())
    (done,) = restore_files(data / "photo0.png", alone, tmp_path / "out")
    (expected,) = restore_files(data / "photo0.png", run, tmp_path / "expected")
    assert done.written.read_bytes() == expected.written.read_bytes()


def test_a_file_that_names_no_network_is_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    _, data = made
    write_tensors(tmp_path / "bare.safetensors", {"weight": torch.zeros(1)})
    with pytest.raises(RunError, match="does not say to which network"):
        next(restore_files(data / "photo0.png", tmp_path / "bare.safetensors", tmp_path / "out"))


def test_a_folder_is_restored_picture_by_picture(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    done = list(restore_files(data, run, tmp_path / "out"))
    assert [one.written.name for one in done] == ["photo0.png", "photo1.png"]
    assert all(one.written.exists() and not one.note for one in done)


def test_conversions_are_said_and_alpha_is_kept(made: tuple[Path, Path], tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (31, 33, 4), np.uint8)
    Image.fromarray(values).quantize(8).save(tmp_path / "few.png")
    Image.fromarray(values).save(tmp_path / "clear.png")
    (few,) = restore_files(tmp_path / "few.png", made[0], tmp_path / "out")
    (clear,) = restore_files(tmp_path / "clear.png", made[0], tmp_path / "out")
    assert "palette" in few.note and clear.note == ""
    with Image.open(clear.written) as picture:
        assert picture.mode == "RGBA"
        assert np.array_equal(np.asarray(picture)[..., 3], values[..., 3])


def test_originals_are_never_replaced(made: tuple[Path, Path]) -> None:
    run, data = made
    before = (data / "photo0.png").read_bytes()
    with pytest.raises(ImageError, match="would replace the originals"):
        list(restore_files(data, run, data))
    assert (data / "photo0.png").read_bytes() == before


def test_what_cannot_be_read_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    with pytest.raises(ImageError, match="nowhere.png does not exist"):
        list(restore_files(tmp_path / "nowhere.png", run, tmp_path / "out"))
    (tmp_path / "text.txt").write_text("no picture")
    with pytest.raises(ImageError, match="not an image pdloss reads"):
        list(restore_files(tmp_path / "text.txt", run, tmp_path / "out"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match="broken.png"):
        list(restore_files(tmp_path / "broken.png", run, tmp_path / "out"))
    with pytest.raises(RunError, match="not a run folder"):
        list(restore_files(data / "photo0.png", data, tmp_path / "out"))


def test_one_bad_file_ends_no_batch(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    folder = tmp_path / "mixed"
    shutil.copytree(data, folder)
    (folder / "photo0a.png").write_bytes(b"no picture")
    good, bad, other = restore_files(folder, run, tmp_path / "out")
    assert isinstance(bad, Failed) and bad.source == folder / "photo0a.png" and "photo0a.png" in bad.problem
    assert [one.written.name for one in (good, other)] == ["photo0.png", "photo1.png"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["photo0.png", "photo1.png"]


def test_a_picture_of_the_user_s_in_the_way_stays_and_the_rest_goes_on(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    (tmp_path / "photo0.png").write_text("mine")
    failed, done = restore_files(data, run, tmp_path)
    assert isinstance(failed, Failed) and "--overwrite" in failed.problem
    assert (tmp_path / "photo0.png").read_text() == "mine"
    assert done.written == tmp_path / "photo1.png"
    assert [type(one) for one in restore_files(data, run, tmp_path, overwrite=True)] == [Restored, Restored]


def test_names_that_differ_in_the_suffix_or_the_case_only_are_no_conflict(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.bmp", "a.tif", "A.png", "b.png"):
        Image.fromarray(np.full((31, 33, 3), 128, np.uint8)).save(folder / name)
    done = list(restore_files(folder, made[0], tmp_path / "out"))
    assert sorted(one.written.name for one in done) == sorted(["a.bmp.png", "a.tif", "A.png", "b.png"])
    assert len(list((tmp_path / "out").glob("[aAb].*"))) == 4


def test_one_picture_may_be_written_to_a_file_of_its_own_name(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    (done,) = restore_files(data / "photo0.png", run, tmp_path / "new" / "result.png")
    assert done.written == tmp_path / "new" / "result.png"
    assert read_image(done.written).shape == (3, 40, 50)


def test_a_file_of_a_format_that_is_not_written_is_refused_and_no_folder_of_that_name_made(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    run, data = made
    with pytest.raises(ImageError, match=r"end the name with \.jpg, \.png, \.tif, \.webp"):
        next(restore_files(data / "photo0.png", run, tmp_path / "result.bmp"))
    with pytest.raises(ImageError, match="name a folder"):
        next(restore_files(data, run, tmp_path / "result.png"))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def demosaicer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network trained for a step on mosaics."""
    folder = tmp_path_factory.mktemp("demosaicer")
    return trained_run(
        folder / "run", photographs_in(folder / "photographs"), task="demosaic", degradation=None, steps=1
    )


def test_a_gray_picture_stays_gray(made: tuple[Path, Path], tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 26), np.uint8)).save(tmp_path / "gray.png")
    (done,) = restore_files(tmp_path / "gray.png", made[0], tmp_path / "out", precision="float32")
    with torch.no_grad():
        output = load_network(made[0], torch.device("cpu"))(read_image(tmp_path / "gray.png")[None])[0].clamp(0, 1)
    assert (output - output[:1]).abs().max() > 1 / 255, "the network itself makes colours of it"
    stored = read_image(done.written)
    assert torch.equal(stored, stored[:1].expand(3, -1, -1))
    assert (stored - output.mean(0)).abs().max() <= 0.5 / 255 + 1e-6


def test_a_model_that_demosaics_complains_of_an_ordinary_picture(
    demosaicer: Path, made: tuple[Path, Path], tmp_path: Path
) -> None:
    picture = made[1] / "photo0.png"
    with pytest.raises(SpecError, match=r"was trained to demosaic: it expects what mosaic.*--mosaic makes a mosaic"):
        next(restore_files(picture, demosaicer, tmp_path / "out"))
    (done,) = restore_files(picture, demosaicer, tmp_path / "made", mosaic=True)
    masked = bayer_masked(bayer_plane(read_image(picture)))
    write_image(tmp_path / "mosaic.png", masked)
    (from_mosaic,) = restore_files(tmp_path / "mosaic.png", demosaicer, tmp_path / "out")
    assert done.written.read_bytes() == from_mosaic.written.read_bytes(), "what is a mosaic is taken as such"
    Image.fromarray((masked.sum(0) * 255).round().byte().numpy()).save(tmp_path / "plane.png")
    (from_plane,) = restore_files(tmp_path / "plane.png", demosaicer, tmp_path / "out")
    assert done.written.read_bytes() == from_plane.written.read_bytes(), "and so is one value at each pixel"
    with pytest.raises(SpecError, match=r"--mosaic: .* takes no mosaics; it was trained for noise\(sigma=0.1"):
        next(restore_files(picture, made[0], tmp_path / "out", mosaic=True))


def test_a_file_of_weights_tells_what_it_was_trained_for(demosaicer: Path, made: tuple[Path, Path]) -> None:
    file = RunFolder(demosaicer).latest_weights()[1]
    with pytest.raises(SpecError, match="was trained to demosaic"):
        next(restore_files(made[1] / "photo0.png", file, made[1] / "out"))


def test_memory_that_runs_out_names_the_picture_and_keeps_those_before_it(
    made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, data = made
    restored = restore_files(data, run, tmp_path / "out")
    done = next(restored)

    def runs_out(*_: object) -> None:
        torch.empty(1 << 50)

    monkeypatch.setattr("pdloss.restoration.engine.restore_tiles", runs_out)
    with pytest.raises(OutOfMemoryError, match=r"\Amemory ran out while restoring [^\n]*photo1.png of 50 x 40 pixels"):
        next(restored)
    assert done.written.exists()


def test_a_damaged_picture_leaves_no_file_and_what_is_no_picture_is_passed_over(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    run, data = made
    folder = tmp_path / "users"
    shutil.copytree(data, folder / "2024" / "trip")
    whole = (data / "photo0.png").read_bytes()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "really.jpeg", "JPEG")
    (folder / "really.jpeg").rename(folder / "wrong.png")
    for name, content in {
        ".DS_Store": b"\0\0\0\1Bud1",
        "Thumbs.db": b"\xd0\xcf\x11\xe0",
        "._photo.jpg": b"\0\5\x16\7",
        "phone.HEIC": b"\0\0\0\x18ftypheic",
        "raw.NEF": b"MM\0*",
        "zero.png": b"",
        "cut.png": whole[: len(whole) // 2],
    }.items():
        (folder / name).write_bytes(content)
    found = list(restore_files(folder, run, folder / "restored"))
    assert sorted(one.source.name for one in found if isinstance(one, Failed)) == ["cut.png", "zero.png"]
    written = sorted(path.relative_to(folder / "restored").as_posix() for path in (folder / "restored").rglob("*.*g"))
    assert written == ["2024/trip/photo0.png", "2024/trip/photo1.png", "wrong.png"]
    again = list(restore_files(folder, run, folder / "restored"))
    assert [one.source for one in again] == [one.source for one in found], "results are not restored in turn"


def test_progress_counts_pixels_of_all_files_and_ends_at_their_sum(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    told: list[tuple[int, int, str]] = []
    list(restore_files(data, run, tmp_path / "out", tile=32, progress=lambda *said: told.append(said)))
    assert told[-1][:2] == (4, 4) and told == sorted(told, key=lambda each: each[0])
    assert told[0][2] == "photo0.png, tile 1 of 4"


def test_a_format_asked_for_is_written_with_a_suffix_of_its_own(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    (tiff, _) = restore_files(data, run, tmp_path / "out", form="tiff")
    (jpeg, _) = restore_files(data, run, tmp_path / "out", form="jpeg")
    assert tiff.written.name == "photo0.tif" and tiff.note == ""
    assert jpeg.written.name == "photo0.jpg" and "quality 95, 4:4:4" in jpeg.note
    with Image.open(jpeg.written) as picture:
        assert picture.format == "JPEG" and picture.layer[0][1:3] == (1, 1) == picture.layer[1][1:3]
