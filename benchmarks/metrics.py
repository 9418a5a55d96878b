"""How fast the metrics of single images are on a CPU, beside torchmetrics' and a port of NIQE to SciPy; and what
`pdloss score` adds to them.

    python benchmarks/metrics.py [--images FOLDER] [--repeats 5] [--threads 1] [--out FILE]

Needs torchmetrics and scipy (``pip install 'pdloss[test]'``), the weights of LPIPS and NIQE, and photographs: by
default those of Kodak24 in the folder that PDLOSS_IMAGES names. Each image is scored with noise against itself by both
of a pair, one after the other; medians of the ratios over images and repeats are printed and written to
``benchmarks/results/metrics.json``, with the largest difference in value.

torchmetrics' SSIM keeps a reflected border and its MS-SSIM averages channels before the product, so that values
differ. Its LPIPS gets the same AlexNet as ours. The port of NIQE is that of the tests; as in the release of the
metric's authors it makes its table of gamma functions anew for every fit, or, in the last line, keeps it.

Then the photographs with noise are written as PNGs and scored from these files with all metrics of `SCORED`: checking,
reading and hashing files, loading weights and all. The time is divided by that of the same metrics on images in memory,
called one by one. The peak of memory is taken again with four links to every file.
"""

import json
import os
import runpy
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
import torchmetrics.functional.image as theirs
import torchmetrics.functional.image.lpips as their_lpips
import tyro
from torch import Tensor, nn

from pdloss import assets, metrics
from pdloss.benchmarking import environment, interleaved, median_ratio, peak_memory
from pdloss.evaluation import score
from pdloss.features.frozen import read_weights
from pdloss.files import write_atomically
from pdloss.images import list_images, read_image, to_bytes, write_image
from pdloss.metrics.niqe import NIQE

CPU = torch.device("cpu")
HERE = Path(__file__).parent
SCORED = ("psnr", "ssim", "ms_ssim", "lpips", "niqe")

Measure = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Options:
    """How to measure."""

    images: Path | None = None
    """Folder of photographs."""
    repeats: int = 5
    """How often each image is scored."""
    threads: int = 1
    """Of torch."""
    out: Path = HERE / "results" / "metrics.json"


def main(options: Options) -> None:
    """Measures, prints and writes."""
    torch.set_num_threads(options.threads)
    folder = options.images or Path(os.environ.get("PDLOSS_IMAGES", ".")) / "valid" / "kodak24"
    photographs = [read_image(path)[None] for path in list_images(folder)]
    lines = []
    with torch.no_grad():
        for name, (ours, other) in pairs().items():
            lines.append({"metric": name, **comparison(ours, other, photographs, options.repeats)})
            print("  ".join(f"{key} {value}" for key, value in lines[-1].items()), flush=True)
        whole = evaluation(photographs, options.repeats)
        print("  ".join(f"{key} {value}" for key, value in whole.items()), flush=True)
    record = {
        **environment(CPU),
        "protocol": f"{len(photographs)} images of {folder.name}, one at a time, medians of the ratios of "
        f"{options.repeats} interleaved repeats of each",
        "results": lines,
        "evaluation": whole,
    }
    write_atomically(options.out, lambda path: path.write_text(json.dumps(record, indent=2) + "\n"))


def pairs() -> dict[str, tuple[Measure, Measure]]:
    """Returns of each metric our measure, and the other."""
    return {
        "ssim beside torchmetrics": (
            lambda r, t: metrics.ssim(r, t).item(),
            lambda r, t: theirs.structural_similarity_index_measure(r, t, data_range=1.0).item(),  # type: ignore[union-attr]
        ),
        "ms_ssim beside torchmetrics": (
            lambda r, t: metrics.ms_ssim(r, t).item(),
            lambda r, t: theirs.multiscale_structural_similarity_index_measure(r, t, data_range=1.0).item(),
        ),
        "lpips beside torchmetrics": lpips_pair(),
        "niqe beside the port": niqe_pair(keep_table=False),
        "niqe beside the port with its table kept": niqe_pair(keep_table=True),
    }


def lpips_pair() -> tuple[Measure, Measure]:
    """Returns our LPIPS and torchmetrics', which is given the AlexNet that it would ask torchvision for."""
    network = nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
    )
    weights = read_weights(assets.path("alexnet-torchvision"))
    network.load_state_dict({key.removeprefix("features."): value for key, value in weights.items()})
    their_lpips._get_tv_model_features = lambda *_: network
    other = their_lpips._LPIPS(net="alex", pnet_rand=True).eval()
    ours = metrics.LPIPS("alex")
    return lambda r, t: ours(r, t).item(), lambda r, t: float(other(r, t, normalize=True))


def niqe_pair(keep_table: bool) -> tuple[Measure, Measure]:
    """Returns our NIQE and the port."""
    port = _port()
    table = port.moment_ratios() if keep_table else None
    ours = NIQE()
    mean, covariance = ours.frozen("mu").numpy(), ours.frozen("cov").numpy()

    def ported(restored: Tensor, _: Tensor) -> float:
        pixels = to_bytes(restored[0]).permute(1, 2, 0).numpy()
        value: float = port.niqe(port.gray(pixels), mean, covariance, table)
        return value

    return lambda r, t: ours(r, t).item(), ported


def comparison(ours: Measure, other: Measure, photographs: list[Tensor], repeats: int) -> dict[str, object]:
    """Returns the ratio of times and the difference in value."""
    taken: dict[str, list[float]] = {"ours": [], "other": []}
    differences = []
    for restored, target in zip(noisy(photographs), photographs, strict=True):
        calls = {"ours": lambda r=restored, t=target: ours(r, t), "other": lambda r=restored, t=target: other(r, t)}
        for name, seconds in interleaved(calls, repeats, CPU).items():
            taken[name] += seconds
        differences.append(abs(ours(restored, target) - other(restored, target)))
    return {
        "times_faster": round(median_ratio(taken["other"], taken["ours"]), 2),
        "milliseconds": round(1000 * sorted(taken["ours"])[len(taken["ours"]) // 2], 1),
        "largest_difference": max(differences),
    }


def evaluation(photographs: list[Tensor], repeats: int) -> dict[str, object]:
    """Returns the time of scoring files over that of the metrics alone, and the memory it takes as the set grows."""
    with tempfile.TemporaryDirectory() as name:
        few, many = ([Path(name) / size / kind for kind in ("restored", "target")] for size in ("few", "many"))
        for index, pair in enumerate(zip(noisy(photographs), photographs, strict=True)):
            for folder, links, image in zip(few, many, pair, strict=True):
                write_image(folder / f"{index:03}.png", image[0])
                links.mkdir(parents=True, exist_ok=True)
                for copy in range(4):
                    (links / f"{index:03}-{copy}.png").symlink_to(folder / f"{index:03}.png")
        pairs = [[read_image(folder / f"{index:03}.png")[None] for folder in few] for index in range(len(photographs))]
        alone = metrics.build(SCORED)
        calls: dict[str, Callable[[], object]] = {
            "whole": partial(score, *few, metric_names=SCORED, device="cpu"),
            "alone": lambda: [[measure(*pair).item() for measure in alone.values()] for pair in pairs],
        }
        seconds = interleaved(calls, repeats, CPU)
        peaks = [
            peak_memory(partial(score, *folders, metric_names=SCORED, device="cpu"), CPU) for folders in (few, many)
        ]
    return {
        "metrics": ",".join(SCORED),
        "times_the_metrics_alone": round(median_ratio(seconds["whole"], seconds["alone"]), 3),
        "seconds": round(sorted(seconds["whole"])[repeats // 2], 2),
        **{
            f"peak_mib_of_{count}": None if peak is None else round(peak)
            for count, peak in zip((len(photographs), 4 * len(photographs)), peaks, strict=True)
        },
    }


def noisy(photographs: list[Tensor]) -> Iterator[Tensor]:
    """Yields each photograph with noise, the same every time."""
    noise = torch.Generator().manual_seed(0)
    for target in photographs:
        yield (target + 0.05 * torch.randn(target.shape, generator=noise)).clamp(0, 1)


def _port() -> SimpleNamespace:
    """Returns the module of the tests, which are not installed."""
    return SimpleNamespace(**runpy.run_path(str(HERE.parent / "tests" / "oracles" / "niqe.py")))


if __name__ == "__main__":
    main(tyro.cli(Options))
