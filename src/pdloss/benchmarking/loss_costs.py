"""What training with each loss costs: time and memory of a step, as in the paper's table I, and bfloat16's error."""

import math
import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss._types import Images
from pdloss.benchmarking import environment, interleaved, median_ratio, peak_memory
from pdloss.benchmarking.measuring import Measured
from pdloss.benchmarking.options import LossBenchConfig
from pdloss.devices import autocast, best_precision, channels_last, chosen_device
from pdloss.errors import SpecError
from pdloss.features import FeatureNames
from pdloss.losses import L1, LOSSES, FeatureChoice, WeightedSum, objective
from pdloss.networks import NETWORKS
from pdloss.ops.streams import generator
from pdloss.records import Record
from pdloss.runs.states import seed_everything
from pdloss.specs import Choice, call_text
from pdloss.specs.trust import TYPED

Progress = Callable[[str, int, int], object]
"""Called with what is going on, and how much of how much is done."""

REFERENCE = "l1"
"""The loss whose training speed is 1."""


class PaperRow(NamedTuple):
    """One entry of the paper's table I: its name and speed there, and the choice here that it belongs to."""

    label: str
    speed: float
    choice: str
    options: Mapping[str, object]


# TensorFlow, features of VGG16's conv4, an unnamed GPU.
TABLE_I = (
    PaperRow("L1", 0.57, "perceptual", {}),
    PaperRow("L2", 0.54, "perceptual", {"p": 2}),
    PaperRow("CTXDP", 0.54, "contextual", {}),
    PaperRow("CTXL2", 0.53, "contextual", {"distance": "l2"}),
    PaperRow("PDL", 0.57, "pdl", {}),
)

# What makes losses fit crops of the default size: fewer scales, a critic for any size.
FITTING: dict[str, dict[str, object]] = {
    "ms_ssim": {"scales": 4},
    "ms_ssim_l1": {"scales": 4},
    "adversarial": {"critic": "unet"},
}


class LossCost(Record, frozen=True, kw_only=True):
    """What training with one loss costs; what could not be measured is None."""

    loss: str
    speed: float | None = None
    """Training steps per second, relative to those with `REFERENCE`."""
    loss_ms: float | None = None
    """The loss alone, forward, and backward to the restored images."""
    step_ms: float | None = None
    """A whole training step."""
    loss_mib: float | None = None
    """Peak memory of the loss alone, beyond what was held before."""
    step_mib: float | None = None
    bf16_gap: float | None = None
    """Relative difference between a term's values under bfloat16 autocast and in float32; the largest of all terms."""
    paper: dict[str, float] | None = None
    """The paper's name and speed of this loss, if its table I has it."""
    problem: str | None = None
    """Why it cannot be measured here."""


class LossBenchmark(Measured, frozen=True, kw_only=True):
    """The costs of several losses on one machine, and how they were measured."""

    losses: list[LossCost]


def default_losses(features: str) -> list[str]:
    """Returns a loss of every kind in the library, those of the paper's table I first, each added to `REFERENCE`."""
    known = LOSSES.table
    chosen = [(row.choice, row.options) for row in TABLE_I if row.choice in known]
    rest = [name for name in known if name not in {REFERENCE, *(name for name, _ in chosen)}]
    chosen += [(name, FITTING.get(name, {})) for name in rest]
    texts = []
    for name, options in chosen:
        takes_features = issubclass(known[name], FeatureChoice)
        texts.append(call_text(name, ({"features": features} if takes_features else {}) | dict(options)))
    return [f"{REFERENCE} + 0.01*{text}" for text in texts]  # a step costs the same whatever the weight


def of_table_i(text: str) -> dict[str, float] | None:
    """Returns the paper's name and speed of a loss, or None if its table I lacks it.

    Example:
        >>> of_table_i("l1 + 0.3*perceptual(p=2, features='distilled')")
        {'L2': 0.54}
    """
    terms = [choice for _, choice in objective(text, TYPED).terms]  # which makes nothing of them
    if terms == [L1()]:
        return {"no-perceptual": 1.0}
    if len(terms) == 2 and terms[0] == L1() and isinstance(terms[1], FeatureChoice):
        return {row.label: row.speed for row in TABLE_I if _is(terms[1], row)} or None
    return None


def loss_costs(config: LossBenchConfig, progress: Progress | None = None) -> LossBenchmark:
    """Returns what each loss costs; one that cannot be built or computed here has a reason instead of numbers.

    Args:
        config: What to measure.
        progress: Told what is going on.

    Raises:
        SpecError: If an option is wrong, or the network cannot be trained on such images.
    """
    config.validate()
    FeatureNames.parse(config.features, config.trusted)
    say = progress or (lambda label, done, total: None)
    device = chosen_device(config.device)
    network = NETWORKS.parse(config.network, config.trusted)
    asked = [str(objective(text, config.trusted)) for text in config.losses] or default_losses(config.features)
    texts = list(dict.fromkeys([REFERENCE, *asked]))
    costs: dict[str, LossCost] = {}
    subjects: dict[str, Subject] = {}
    for tried, text in enumerate(texts):
        say("trying each loss", tried, len(texts))
        costs[text] = LossCost(loss=text)
        try:
            costs[text] = LossCost(loss=text, paper=of_table_i(text))
            subject = Subject(text, network, config, device)
            costs[text] = subject.with_untimed(costs[text])
            subjects[text] = subject
        except Exception as error:  # whatever one loss fails of, the others can still be measured
            if text == REFERENCE:
                raise SpecError(f"--network {config.network!r} cannot be trained here: {_first_line(error)}") from error
            costs[text] = msgspec.structs.replace(costs[text], problem=_first_line(error))
    calls: dict[tuple[str, str], Callable[[], object]] = {}
    for text, subject in subjects.items():
        calls |= {(text, "loss"): subject.loss_alone, (text, "step"): subject.training_step}
    say("timing", 0, (config.repeats + 1) * len(calls))
    seconds = interleaved(calls, config.repeats, device, lambda done, total: say("timing", done, total))
    for text in subjects:
        costs[text] = msgspec.structs.replace(
            costs[text],
            speed=median_ratio(seconds[REFERENCE, "step"], seconds[text, "step"]),
            loss_ms=1000 * statistics.median(seconds[text, "loss"]),
            step_ms=1000 * statistics.median(seconds[text, "step"]),
        )
    return LossBenchmark(**environment(device), protocol=protocol(config, device), losses=list(costs.values()))


def protocol(config: LossBenchConfig, device: torch.device) -> str:
    """Returns how the numbers came about."""
    return (
        f"{config.network}, batch {config.batch}, crop {config.crop}, smooth random images, {best_precision(device)}; "
        f"{config.repeats} interleaved repeats after one untimed; speed: median over repeats of the ratio to "
        f"{REFERENCE}'s step of the same repeat; times: medians; memory: peak of one call above what was held before; "
        "bf16 gap: largest relative difference of a term to its value in float32"
    )


class Subject:
    """One loss with a network of its own to train, on images that are the same for all.

    Args:
        text: The loss.
        network: The network.
        config: Number and size of the images.
        device: Where to compute.
    """

    def __init__(self, text: str, network: Choice, config: LossBenchConfig, device: torch.device) -> None:
        self.text, self.device, self.trusted = text, device, config.trusted
        seed_everything(0)
        self.network = channels_last(network.build()).to(device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), 1e-4)
        stream = generator("loss costs")
        shape = (config.batch, 3, config.crop, config.crop)
        self.degraded = self._moved(smooth_images(shape, stream))
        with torch.no_grad(), autocast(device):
            output = self.network(self.degraded).shape
        target = smooth_images(output, stream)
        self.target = self._moved(target)
        self.restored = self._moved((target + 0.05 * torch.randn(output, generator=stream)).clamp(0, 1))
        self.restored.requires_grad_()
        self.criterion = self._criterion()

    def with_untimed(self, cost: LossCost) -> LossCost:
        """Returns the cost with what is measured once: memory, and what bfloat16 changes."""
        self.loss_alone()  # what is set up at the first call is none of its peak
        self.training_step()
        return msgspec.structs.replace(
            cost,
            loss_mib=peak_memory(self.loss_alone, self.device),
            step_mib=peak_memory(self.training_step, self.device),
            bf16_gap=self.bf16_gap(),
        )

    def loss_alone(self) -> None:
        """Computes the loss and its gradient by the restored images."""
        with autocast(self.device):
            total = self.criterion(self.restored, self.target).total
        torch.autograd.grad(total, self.restored)

    def training_step(self) -> None:
        """Takes one step as in training: forward, loss, backward, update; then that of losses that learn too."""
        with autocast(self.device):
            restored = self.network(self.degraded).float()
            total = self.criterion(restored, self.target).total
        self.optimiser.zero_grad()
        total.backward()
        self.optimiser.step()
        with autocast(self.device):
            self.criterion.learn(restored.detach(), self.target, 1.0)

    def bf16_gap(self) -> float:
        """Returns the largest relative difference of a term's value between bfloat16 and float32; NaN if one is NaN."""
        exact, rounded = (self._values(precision) for precision in ("float32", "bfloat16"))
        gaps = [relative_gap(a, b) for a, b in zip(exact, rounded, strict=True)]
        return torch.tensor(gaps).max().item()

    def _values(self, precision: str) -> list[float]:
        criterion = self._criterion()  # built anew, so that a loss that draws random numbers draws the same ones
        with torch.no_grad(), autocast(self.device, precision):
            return [value.item() for value in criterion(self.restored, self.target).values.values()]

    def _criterion(self) -> WeightedSum:
        seed_everything(0)
        return objective(self.text, self.trusted).build().to(self.device)

    def _moved(self, images: Tensor) -> Tensor:
        return images.to(self.device, memory_format=torch.channels_last)


def relative_gap(exact: float, rounded: float) -> float:
    """Returns how far `rounded` lies from `exact`, as a share of `exact`.

    Example:
        >>> relative_gap(2.0, 1.5), relative_gap(0.0, 0.0), relative_gap(0.0, 1.0)
        (0.25, 0.0, inf)
    """
    if exact == rounded:
        return 0.0
    return abs(rounded - exact) / abs(exact) if exact else math.inf


def smooth_images(shape: tuple[int, ...], stream: torch.Generator) -> Images:
    """Returns random images with smooth areas and some grain, on which features are as lively as on photographs."""
    batch, channels, height, width = shape
    coarse = torch.rand(batch, channels, height // 16 + 2, width // 16 + 2, generator=stream)
    smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    return (smooth + 0.05 * torch.randn(shape, generator=stream)).clamp(0, 1)


def _is(choice: FeatureChoice, row: PaperRow) -> bool:
    try:
        return choice == LOSSES.parse(call_text(row.choice, {"features": choice.features, **row.options}))
    except SpecError:  # the library has none of that name
        return False


def _first_line(error: Exception) -> str:
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line if len(line) <= 300 else f"{line[:300]}…"
