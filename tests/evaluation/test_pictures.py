"""Pictures of a run: made by its network and written, or read back as they were."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pdloss.assets import sha256
from pdloss.datasets import Photographs
from pdloss.datasets.prefetch import ThreadedCalls
from pdloss.errors import RunError
from pdloss.evaluation import evaluate
from pdloss.evaluation.inputs import Inputs
from pdloss.evaluation.pictures import Restored, Stored, load_network, restore_batch
from pdloss.images import read_image, to_bytes
from pdloss.ops.color import quantize
from pdloss.runs import RunFolder
from pdloss.specs.trust import trusting
from tests.runs_for_tests import photographs_in, trained_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Photographs]:
    """A tiny run and its photographs."""
    folder = tmp_path_factory.mktemp("pictures")
    data = photographs_in(folder / "photographs")
    return RunFolder(trained_run(folder / "run", data, steps=2)), Photographs(data)


def pixels(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)


def test_what_was_restored_is_written_and_read_back_as_it_was(made: tuple[RunFolder, Photographs]) -> None:
    folder, photographs = made
    inputs = Inputs(photographs, "noise(sigma=0.1)")
    network = load_network(folder.path, CPU)
    with ThreadedCalls() as behind:
        restored = Restored(folder, "kodak", photographs.names, CPU, behind)
        found = [restored(inputs[index]) for index in range(2)]
    stored = Stored(folder, "kodak", photographs.names, CPU)
    for index, picture in enumerate(found):
        item, name = inputs[index], f"photo{index}.png"
        written = folder.path / "restored" / "kodak" / name
        wanted = to_bytes(network(item.degraded[None]).detach())
        assert torch.equal(pixels(written), wanted[0])
        assert torch.equal(to_bytes(picture), wanted)
        assert torch.equal(stored(item), picture)
        assert restored.sha256(name) == stored.sha256(name) == sha256(written)
        assert torch.equal(pixels(folder.path / "degraded" / "kodak" / name), to_bytes(item.degraded))


def test_a_degradation_that_does_not_fit_the_network_is_refused_by_name(made: tuple[RunFolder, Photographs]) -> None:
    folder, photographs = made
    with ThreadedCalls() as behind:
        restored = Restored(folder, "kodak", photographs.names, CPU, behind)
        with pytest.raises(
            RunError, match=r"photo0\.png is \(3, 40, 50\): downscale\(factor=2\) does not fit this netw"
        ):
            restored(Inputs(photographs, "downscale(factor=2)")[0])


def test_restored_batches_are_finite_and_clipped() -> None:
    batch = torch.linspace(-1, 2, 48).view(1, 3, 4, 4)
    assert torch.equal(restore_batch(torch.nn.Identity(), batch), batch.clamp(0, 1))
    with pytest.raises(RunError, match="not finite"):
        restore_batch(torch.nn.Identity(), batch / 0)


class FromPlanes(torch.nn.Module):
    """Makes a picture of the four planes of a mosaic."""

    def __init__(self) -> None:
        super().__init__()
        self.to_colours = torch.nn.Conv2d(4, 12, 1)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pixel_shuffle(self.to_colours(planes), 2)


def test_of_a_mosaic_in_planes_the_plain_demosaicing_is_written(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs", count=1)
    packed = "mosaic(layout='packed', noise=0.0)"
    run = trained_run(tmp_path / "run", data, network=f"{__name__}:FromPlanes", degradation=packed, steps=1, typed=True)
    scores = evaluate(run, data, metric_names=["psnr"], trusted=trusting(__name__)).scores
    degraded = read_image(run / "degraded" / "photographs" / "photo0.png")
    target = read_image(data / "photo0.png")
    error = (quantize(degraded) - target).square().mean()
    assert scores.images[0].degraded["psnr"] == pytest.approx(-10 * error.log10().item(), abs=1e-3)
