"""``pdloss niqe fit`` as a user types it."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from safetensors.numpy import load_file

from pdloss import assets
from pdloss.assets import sha256
from pdloss.commands import score
from pdloss.commands.niqe import main
from pdloss.errors import AssetError, ImageError, SpecError
from pdloss.images import read_pixels
from pdloss.metrics.niqe import NIQE
from pdloss.records import Scores, read_record
from tests.oracles import niqe as oracle


@pytest.fixture
def folder(tmp_path):
    """Ten images of noise on waves, of which about half of the blocks are sharp."""
    stream = np.random.default_rng(4)
    (tmp_path / "good").mkdir()
    for number in range(10):
        height, width = 192 + 3 * number, 480 - 7 * number
        waves = 120 + 60 * np.sin(np.arange(height)[:, None] / 7 + np.arange(width) / (9 + number))[..., None]
        noise = stream.normal(size=(height, width, 3)) * np.linspace(5, 30, width)[:, None]
        pixels = (waves + noise).clip(0, 255).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "good" / f"{number}.png")
    return tmp_path / "good"


def test_fits_the_model_of_the_port_and_says_to_what(folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "own" / "model.safetensors"
    assert main(["fit", str(folder), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "fitted to 10 photographs" in said and str(out) in said
    images = [oracle.gray(np.asarray(PIL.Image.open(path))) for path in sorted(folder.iterdir())]
    mean, covariance = oracle.fit(images)
    written = load_file(out)
    np.testing.assert_allclose(written["mu"], mean, atol=1e-8)
    np.testing.assert_allclose(written["cov"], covariance, atol=1e-8)
    assert "10 photographs of good, fingerprint" in assets.metadata(out)["source"]


def test_images_of_that_kind_are_natural_to_the_model(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.safetensors"
    main(["fit", str(folder), "--out", str(out)])
    image = read_pixels(folder / "0.png").pixels[None].float() / 255
    measure = NIQE(out)
    assert measure(image).item() + 5 < measure(image[..., :3].repeat(1, 1, 1, 160)).item()


def test_pictures_are_scored_by_the_model_and_it_is_named(folder: Path, tmp_path: Path) -> None:
    model, scores = tmp_path / "model.safetensors", tmp_path / "scores.json"
    main(["fit", str(folder), "--out", str(model)])
    command = [str(folder), str(folder), "--metrics", "niqe", "--niqe-model", str(model), "--json", str(scores)]
    assert score.main(command) == 0
    written = read_record(scores, Scores)
    assert written.metrics["niqe"].label == "NIQE (own model)"
    assert "its authors" not in written.metrics["niqe"].protocol
    assert sha256(model) in written.metrics["niqe"].weights["model"]
    image = read_pixels(folder / "0.png").pixels[None].float() / 255
    assert written.images[0].restored["niqe"] == pytest.approx(NIQE(model)(image).item())


def test_a_model_that_is_none_or_that_no_metric_asks_for_is_refused(folder: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.safetensors"
    with pytest.raises(SpecError, match="is for niqe, which is not among the metrics psnr"):
        score.main([str(folder), str(folder), "--metrics", "psnr", "--niqe-model", str(missing)])
    with pytest.raises(AssetError, match="missing"):
        score.main([str(folder), str(folder), "--metrics", "niqe", "--niqe-model", str(missing)])


def test_another_fit_gives_the_same_model(folder: Path, tmp_path: Path) -> None:
    models = []
    for name in ("a.safetensors", "b.safetensors"):
        main(["fit", str(folder), "--out", str(tmp_path / name)])
        models.append(load_file(tmp_path / name))
    for key in ("mu", "cov"):
        np.testing.assert_array_equal(models[0][key], models[1][key])


def test_damaged_and_small_images_are_named_or_left_out(folder: Path, tmp_path: Path, capsys) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    PIL.Image.new("RGB", (191, 300)).save(folder / "small.png")
    command = ["fit", str(folder), "--out", str(tmp_path / "model.safetensors")]
    with pytest.raises(ImageError, match="broken.png"):
        main(command)
    assert main([*command, "--skip-damaged"]) == 0
    said = capsys.readouterr().out
    assert "broken.png left out" in said and "small.png left out" in said and "fitted to 10 photographs" in said


def test_too_few_photographs_are_refused_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    out = tmp_path / "model.safetensors"
    with pytest.raises(ImageError, match=r"good: the images give \d+ sharp blocks"):
        main(["fit", str(folder), "--out", str(out)])
    assert not out.exists()


def test_another_suffix_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="end the name with .safetensors"):
        main(["fit", str(tmp_path / "nowhere"), "--out", str(tmp_path / "model.npz")])


@pytest.mark.parametrize("arguments", [[], ["fit"], ["score", "x"]])
def test_wrong_usage_says_so(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: pdloss niqe" in capsys.readouterr().err
