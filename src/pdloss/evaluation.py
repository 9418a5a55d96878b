"""Evaluation: restores a folder of photographs with a run's network, and scores it; only files remain."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pdloss import degradations, metrics, networks, runs
from pdloss.datasets import Pairs, Photographs
from pdloss.degradations import BayerMosaic, Chain
from pdloss.errors import AssetError, RunError, SpecError
from pdloss.frozen_sets import FrozenPairs
from pdloss.images import check_stems, write_image
from pdloss.ops.bayer import bayer_plane, bayer_unpacked, demosaic_malvar
from pdloss.ops.color import quantize
from pdloss.ops.resize import resize
from pdloss.precision import channels_last, chosen_device
from pdloss.records import ImageScores, Scores, write_record

DEFAULT_METRICS = ("psnr", "psnr_y", "ms_ssim", "lpips")


class Evaluation(NamedTuple):
    """The scores, and what was left out of them and why."""

    scores: Scores
    notes: list[str]


def load_network(run: Path, device: torch.device) -> tuple[nn.Module, int]:
    """Returns a run's network with its newest weights, in eval mode, and their step.

    Raises:
        RunError: If the folder is not a run, has no weights, or they do not fit its network.
    """
    folder = runs.RunFolder(run)
    network = networks.network(folder.record().network)
    step, weights = folder.latest_weights()
    runs.load_weights(weights, network)
    return channels_last(network).to(device).eval(), step


def evaluate(
    run: Path,
    data: Path,
    *,
    metric_names: Sequence[str] = DEFAULT_METRICS,
    name: str | None = None,
    degradation: str | None = None,
    degraded: Path | None = None,
    seed: int = 0,
    device: str = "auto",
    skip_damaged: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Evaluation:
    """Restores every photograph of a folder and writes ``scores/<set>.json``, the restored and the degraded PNGs.

    The network runs in float32. Scores are taken after rounding to 8 bits, as the PNGs hold them.

    Args:
        run: Run folder.
        data: Folder of clean photographs.
        metric_names: Names from `pdloss.metrics.METRICS`.
        name: Name of the set in the run folder; by default the folder's.
        degradation: By default the run's own.
        degraded: A frozen set of the same photographs (``pdloss degrade``) to restore instead.
        seed: With each file's name, chooses its noise.
        device: As in training.
        skip_damaged: Leave out damaged images instead of refusing the folder.
        progress: Told of every image done.

    Raises:
        UserError: If the run, the data or a metric cannot be used.
    """
    chosen = chosen_device(device)
    folder, record = runs.RunFolder(run), runs.RunFolder(run).record()
    network, step = load_network(run, chosen)
    photographs = Photographs(data, skip_damaged=skip_damaged)
    check_stems(photographs.names)
    if degraded is None:
        chain = degradations.parse(degradation or record.degradation)
        pairs: Pairs | FrozenPairs = Pairs(photographs, chain, seed)
        how = f"{chain.in_full()}, seed {seed}"
    else:
        if degradation is not None:
            raise SpecError(f"--degradation {degradation!r} has no effect on the frozen set {degraded}; leave one out")
        pairs = FrozenPairs(degraded, photographs)
        chain, how = degradations.parse(pairs.manifest.degradation), pairs.description
    measures, notes = _measures(metric_names, photographs, chosen)
    name = name or data.resolve().name
    notes += [f"{file} left out: {reason}" for file, reason in photographs.skipped.items()] + photographs.notes

    started = time.monotonic()
    images = []
    for done, (spoilt, target, file) in enumerate((pairs[i] for i in range(len(pairs))), start=1):
        restored = restore_batch(network, spoilt[None].to(chosen))
        simple, simply = comparable(spoilt[None].to(chosen), target[None], chain)
        if restored.shape[1:] != target.shape:
            raise RunError(
                f"{record.network} makes {tuple(restored.shape[1:])} of {tuple(spoilt.shape)}, but the target of "
                f"{file} is {tuple(target.shape)}: {how} does not fit this network"
            )
        stem = Path(file).stem
        write_image(folder.path / "restored" / name / f"{stem}.png", restored[0].cpu())
        write_image(folder.path / "degraded" / name / f"{stem}.png", spoilt)
        target = target[None].to(chosen)
        images.append(
            ImageScores(
                name=file,
                restored=_score(measures, restored, target),
                degraded=_score(measures, simple, target),
            )
        )
        if progress:
            progress(done, len(pairs))
    scores = Scores(
        run=run.resolve().name,
        set=name,
        targets=str(data.resolve()),
        step=step,
        degradation=how + simply,
        metrics={metric: metrics.METRICS[metric].record for metric in measures},
        images=images,
        seconds=time.monotonic() - started,
    )
    write_record(folder.path / "scores" / f"{name}.json", scores)
    return Evaluation(scores, notes)


@torch.no_grad()
def restore_batch(network: nn.Module, degraded: Tensor) -> Tensor:
    """Returns the restored batch, clipped to [0, 1].

    Raises:
        RunError: If the network's output is not finite.
    """
    restored: Tensor = network(degraded)
    if not restored.isfinite().all():
        raise RunError("the network's output is not finite: its weights are damaged, evaluate an earlier checkpoint")
    return restored.clamp(0, 1)


def comparable(degraded: Tensor, target: Tensor, chain: Chain) -> tuple[Tensor, str]:
    """Returns degraded images as RGB in the target's size, so that they can be scored, and how that was done.

    A mosaic is interpolated by the filters of Malvar, He and Cutler, smaller images are enlarged bicubically: what one
    would do without a network.
    """
    mosaic = next((link for link in chain.links if isinstance(link, BayerMosaic)), None)
    if mosaic is not None:
        plane = degraded
        if mosaic.layout != "plane":
            plane = bayer_plane(degraded, mosaic.pattern) if mosaic.layout == "masked" else bayer_unpacked(degraded)
        interpolated = demosaic_malvar(plane, mosaic.pattern)
        return interpolated, "; the input is scored after demosaicing by Malvar, He and Cutler"
    if degraded.shape != target.shape:
        return resize(degraded, (target.shape[-2], target.shape[-1])), "; the input is scored after bicubic enlargement"
    return degraded, ""


def _measures(
    names: Sequence[str], photographs: Photographs, device: torch.device
) -> tuple[dict[str, metrics.Score], list[str]]:
    """Returns the metrics that can be computed here, and for each of the others why not."""
    metrics.check_names(names)
    measures: dict[str, metrics.Score] = {}
    notes = []
    for name in names:
        smallest = metrics.METRICS[name].minimum_side
        if (side := photographs.smallest_side) < smallest:
            notes.append(f"{name} left out: it needs {smallest} pixels a side, the smallest image has {side}")
            continue
        try:
            measure = metrics.build([name])[name]
        except AssetError as error:
            notes.append(f"{name} left out: {error}")
            continue
        measures[name] = measure.to(device) if isinstance(measure, nn.Module) else measure
    return measures, notes


@torch.no_grad()
def _score(measures: dict[str, metrics.Score], restored: Tensor, target: Tensor) -> dict[str, float]:
    restored = quantize(restored)
    # The score of equal images is infinite, which JSON cannot hold and a mean does not survive.
    return {name: min(measure(restored, target).item(), metrics.CEILING) for name, measure in measures.items()}
