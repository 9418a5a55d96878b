"""What each part costs, for the reference: multiply-adds where they say it, else its time beside a known part's.

Multiply-adds are counted, not timed: those of convolutions and matrix products, for each pixel of the input. Times are
medians of the ratios within one repeat, in which every part has its turn.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from pdloss import degradations, metrics
from pdloss.benchmarking.loss_costs import REFERENCE, Subject, default_losses, smooth_images
from pdloss.benchmarking.measuring import Measured, interleaved, median_ratio
from pdloss.benchmarking.options import LossBenchConfig
from pdloss.degradations import DEGRADATIONS
from pdloss.devices import autocast
from pdloss.errors import AssetError
from pdloss.features import (
    BACKBONES,
    AlexNetFeatures,
    DistilledFeatures,
    Frozen,
    SqueezeNetFeatures,
    VGG16Features,
    VGG19Features,
    VGGFeatures,
    extractor,
)
from pdloss.features.distilled import Edition
from pdloss.features.vgg import layer_plan
from pdloss.files.tensors import write_tensors
from pdloss.losses import FeatureChoice, objective
from pdloss.losses.feature_loss import pair_of_maps
from pdloss.metrics import METRICS, SET_METRICS
from pdloss.networks import NETWORKS
from pdloss.ops.streams import generator
from pdloss.records import Record
from pdloss.specs.trust import TYPED

CPU = torch.device("cpu")
SIDE = 256
"""Of the images that multiply-adds are counted on; every pooling here divides it."""
BESIDE = {"losses": REFERENCE, "features": "distilled.relu4_3", "metrics": "ssim", "degradations": "noise"}
"""What takes the time 1 of each family: at hand everywhere, and long enough to be timed."""
USUAL = ("vgg16.relu4_3", "vgg19.relu4_3", "alexnet.relu5", "squeezenet.fire9", "distilled.relu4_3", "steerable")
"""Feature sets that are timed, each at a layer that losses take."""

Calls = dict[str, Callable[[], object]]
T = TypeVar("T")


class NetworkCost(Record, frozen=True, kw_only=True):
    """What a network costs with its default options."""

    parameters: int
    multiply_adds: int
    """For each pixel of its input."""


class FeatureCost(Record, frozen=True, kw_only=True):
    """What a feature set costs, for each pixel of the image, up to each layer."""

    multiply_adds: dict[str, int]
    timed: str | None = None
    """The layers whose time is told."""
    time: float | None = None
    """Of their maps, beside those of ``distilled.relu4_3``."""


class TrainingCost(Record, frozen=True, kw_only=True):
    """What a loss with its default options costs in training; None where its weights were not at hand."""

    step: float | None = None
    """The time of a training step with it, beside one with l1 alone."""
    beside_features: float | None = None
    """Of a loss on features: its time, forward and backward, beside that of the features alone."""


class TimeCost(Record, frozen=True, kw_only=True):
    """What a metric or a degradation costs; None where its weights were not at hand."""

    time: float | None = None
    """Beside that of another of its family."""
    milliseconds: float | None = None
    """For a million pixels, on the machine that it was measured on."""


class PartCosts(Measured, frozen=True, kw_only=True):
    """All of it, and how it was measured."""

    beside: dict[str, str]
    """The part of each family that the times are beside."""
    networks: dict[str, NetworkCost]
    features: dict[str, FeatureCost]
    losses: dict[str, TrainingCost]
    metrics: dict[str, TimeCost]
    degradations: dict[str, TimeCost]


def multiply_adds(call: Callable[[], object]) -> int:
    """Returns how many multiplications with an addition a call takes in convolutions and matrix products.

    Example:
        >>> image = torch.ones(1, 3, 8, 8)
        >>> multiply_adds(lambda: torch.nn.functional.conv2d(image, torch.ones(5, 3, 3, 3), padding=1))
        8640
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops()) // 2


def network_costs() -> dict[str, NetworkCost]:
    """Returns what every network costs, as counted, and not computed, on an image."""
    image = torch.empty(1, 3, SIDE, SIDE, device="meta")
    found = {}
    for name, kind in NETWORKS.table.items():
        network = kind().build().eval()
        counted = multiply_adds(partial(network.to("meta"), image))
        parameters = sum(each.numel() for each in network.parameters())
        found[name] = NetworkCost(parameters=parameters, multiply_adds=round(counted / SIDE**2))
    return found


def feature_costs(times: dict[str, float]) -> dict[str, FeatureCost]:
    """Returns what every feature set costs to each of its layers, with the times of `feature_times`.

    Sets whose weights alone differ are counted once; the weights of VGG, of which not all need be at hand, as zeros.
    """
    counted: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for vgg in (VGG16Features, VGG19Features):
            weights = _zeros(vgg, Path(folder) / f"{vgg.depth}.safetensors")
            layers = [name for name, _ in layer_plan(vgg.depth)]
            counted[vgg.depth] = _to_each(layers, partial(vgg, weights=weights))
    for edition in get_args(Edition):
        counted[edition] = _to_each(
            DistilledFeatures(edition=edition).layers, partial(DistilledFeatures, edition=edition)
        )
    for imagenet in (AlexNetFeatures, SqueezeNetFeatures):
        if _at_hand(partial(imagenet, imagenet.every)) is not None:
            # These switch off autocast, which the device meta does not know.
            counted[imagenet.name] = _to_each(imagenet.every, imagenet, "cpu")
    return {name: _feature_cost(name, counted, times) for name in BACKBONES}


def _feature_cost(name: str, counted: dict[str, dict[str, int]], times: dict[str, float]) -> FeatureCost:
    timed = next((text for text in times if text.partition(".")[0] == name), None)
    each = counted.get(name.removesuffix("-torchvision"), {})
    return FeatureCost(multiply_adds=each, timed=timed, time=None if timed is None else times[timed])


def _to_each(layers: Sequence[str], build: Callable[[list[str]], Frozen], device: str = "meta") -> dict[str, int]:
    """Returns the multiply-adds up to each layer, of which a convolution's are those of its ReLU."""
    image = torch.zeros(1, 3, SIDE, SIDE, device=device)
    told = [layer for layer in layers if not layer.startswith("conv") or layer.replace("conv", "relu") not in layers]
    return {layer: round(multiply_adds(partial(build([layer]).to(device), image)) / SIDE**2) for layer in told}


def _zeros(kind: type[VGGFeatures], path: Path) -> Path:
    """Writes weights of a VGG that are all zero, and returns their file."""
    tensors, before = {}, 3
    for name, index in layer_plan(kind.depth):
        if name.startswith("conv"):
            width = (64, 128, 256, 512, 512)[int(name[4]) - 1]
            tensors[f"features.{index}.weight"] = torch.zeros(width, before, 3, 3)
            tensors[f"features.{index}.bias"] = torch.zeros(width)
            before = width
    write_tensors(path, tensors, {"input_convention": "torchvision"})
    return path


def feature_times(texts: Iterable[str], shape: tuple[int, ...], repeats: int) -> dict[str, float]:
    """Returns the times of the maps of each set, beside those of ``distilled.relu4_3``; of sets at hand alone."""
    images = smooth_images(shape, generator("part costs"))
    calls: Calls = {}
    for text in texts:
        if (network := _at_hand(partial(extractor, text))) is not None:
            calls[text] = partial(network, images)
    with torch.no_grad():
        seconds = interleaved(calls, repeats, CPU)
    return {text: median_ratio(seconds[text], seconds[BESIDE["features"]]) for text in calls}


def training_costs(config: LossBenchConfig) -> dict[str, TrainingCost]:
    """Returns what training with each loss costs, beside l1 alone; of one on features, beside these too."""
    subjects: dict[str, Subject] = {}
    found: dict[str, TrainingCost] = {}
    network = NETWORKS.parse(config.network)
    for text in (REFERENCE, *default_losses(config.features)):
        name = objective(text, TYPED).terms[-1][1].name
        found[name] = TrainingCost()
        if (subject := _at_hand(partial(Subject, text, network, config, CPU))) is not None:
            subjects[name] = subject
    calls: Calls = {f"{name} step": subject.training_step for name, subject in subjects.items()}
    of_features = {}
    for name, subject in subjects.items():
        if isinstance(objective(subject.text, TYPED).terms[-1][1], FeatureChoice):
            of_features[name] = subject
            calls[f"{name} alone"] = subject.loss_alone
    if of_features:
        first = next(iter(of_features.values()))
        calls["features"] = _features_alone(first, extractor(config.features, TYPED))
    seconds = interleaved(calls, config.repeats, CPU)
    for name in subjects:
        step = median_ratio(seconds[f"{name} step"], seconds[f"{REFERENCE} step"])
        beside = median_ratio(seconds[f"{name} alone"], seconds["features"]) if name in of_features else None
        found[name] = TrainingCost(step=step, beside_features=beside)
    return found


def _features_alone(subject: Subject, network: Frozen) -> Callable[[], object]:
    """Returns what computes the features of both images, and the gradient of their sum by the restored ones."""

    def call() -> None:
        with autocast(CPU):
            maps, _ = pair_of_maps(network, subject.restored, subject.target)
            total = torch.stack([each.float().sum() for each in maps.values()]).sum()
        torch.autograd.grad(total, subject.restored)

    return call


def metric_costs(names: Iterable[str], shape: tuple[int, ...], repeats: int) -> dict[str, TimeCost]:
    """Returns what each metric costs on one image; those of whole sets, what an image adds.

    Args:
        names: Of both kinds.
        shape: Of the image, (1, 3, H, W).
        repeats: How often each has its turn.
    """
    stream = generator("part costs")
    target = smooth_images(shape, stream)
    restored = (target + 0.05 * torch.randn(shape, generator=stream)).clamp(0, 1)
    calls: Calls = {}
    for name in names:
        if (call := _at_hand(partial(_metric, name, restored, target))) is not None:
            calls[name] = call
    with torch.no_grad():
        seconds = interleaved(calls, repeats, CPU)
    return {name: _time(name, "metrics", seconds, shape) for name in names}


def _metric(name: str, restored: Tensor, target: Tensor) -> Callable[[], object]:
    if name in METRICS:
        (score,) = metrics.build([name]).values()
        return lambda: score(restored, target)
    # Others that measure the same features would share them: of images that nobody has seen, nothing is kept.
    measure = SET_METRICS[name].factory()
    return lambda: measure.update(restored.clone(), target.clone())


def degradation_costs(shape: tuple[int, ...], repeats: int) -> dict[str, TimeCost]:
    """Returns what each degradation with its default options costs on one image, (3, H, W)."""
    stream = generator("part costs")
    image = smooth_images((1, *shape), stream)[0]
    chains = {name: degradations.parse(name) for name in DEGRADATIONS.table}
    calls: Calls = {name: partial(chain, image, stream) for name, chain in chains.items()}
    seconds = interleaved(calls, repeats, CPU)
    return {name: _time(name, "degradations", seconds, shape) for name in chains}


def _time(name: str, family: str, seconds: dict[str, list[float]], shape: tuple[int, ...]) -> TimeCost:
    if name not in seconds:
        return TimeCost()
    million = shape[-2] * shape[-1] / 1e6
    return TimeCost(
        time=median_ratio(seconds[name], seconds[BESIDE[family]]),
        milliseconds=1000 * statistics.median(seconds[name]) / million,
    )


def _at_hand(build: Callable[[], T]) -> T | None:
    """Returns what is built, or None if its weights are not at hand."""
    try:
        return build()
    except AssetError:
        return None
