"""Every metric as a `torchmetrics.Metric`: gathered over batches and processes, as Lightning wants them.

``metric("psnr")`` is the mean over all images, ``metric("fid")`` the score of all of them together, however many
processes saw a part. Values are those of `pdloss evaluate`: images are rounded to 8 bits first.
"""

from typing import Any, cast

import torch
from torch import Tensor

from pdloss.errors import MissingExtraError
from pdloss.metrics import METRICS, SET_METRICS, Entry, SetEntry
from pdloss.metrics.sets import GatheredMeasure
from pdloss.ops.color import quantize
from pdloss.records import CEILING
from pdloss.specs import check_known

try:
    from torchmetrics import Metric
except ImportError:  # said by `metric`; classes stand here all the same, so that other processes find them by name
    Metric = None  # type: ignore[assignment, misc]
_Base: Any = torch.nn.Module if Metric is None else Metric


def metric(name: str, **options: Any) -> "Metric":
    """Returns the metric of that name in `pdloss.metrics`.

    Args:
        name: Such as ``"psnr"``, ``"lpips"`` or ``"fid"``.
        **options: Of every `torchmetrics.Metric`.

    Raises:
        MissingExtraError: If torchmetrics is not installed.
        SpecError: If the name is unknown.
        AssetError: If its weights are not at hand.

    Example:
        >>> psnr = metric("psnr")
        >>> target = torch.zeros(2, 3, 8, 8)
        >>> psnr.update(target + 0.1, target)
        >>> round(psnr.compute().item(), 2)
        19.83
    """
    if Metric is None:
        raise MissingExtraError("torchmetrics", "torchmetrics")
    check_known("metric", name, [*METRICS, *SET_METRICS])
    return MeanOverImages(METRICS[name], **options) if name in METRICS else OfSet(SET_METRICS[name], **options)


class MeanOverImages(_Base):
    """Measures the mean of a score over all images.

    Args:
        entry: What is measured; one of `pdloss.metrics.METRICS`.
        **options: Of every `torchmetrics.Metric`.
    """

    full_state_update = False
    is_differentiable = False

    def __init__(self, entry: Entry, **options: Any) -> None:
        super().__init__(**options)
        self.record, self.score = entry.record, entry.factory()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    @property
    def higher_is_better(self) -> bool | None:
        """Whether larger values are better; None where those nearest to zero are."""
        return {"higher": True, "lower": False}.get(self.record.better)

    @torch.no_grad()
    def update(self, restored: Tensor, target: Tensor) -> None:
        """Adds images in [0, 1] and their targets, (B, 3, H, W) each; equal ones count 120 dB."""
        values = self.score(quantize(restored.clamp(0, 1)), quantize(target))
        self.total += values.double().clamp(max=CEILING).sum()
        self.count += len(values)

    def compute(self) -> Tensor:
        """Returns the mean over all images so far."""
        mean: Tensor = self.total / self.count
        return mean.float()


class OfSet(_Base):
    """Measures the distance of all images to all targets.

    Features are kept in float32, so that those of several processes make one set; `note` says, after `compute`, why a
    value is not to be trusted, and `error` is its standard error, where there are such.

    Args:
        entry: What is measured; one of `pdloss.metrics.SET_METRICS`.
        **options: Of every `torchmetrics.Metric`.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = False

    def __init__(self, entry: SetEntry, **options: Any) -> None:
        super().__init__(**options)
        self.record, self._entry = entry.record, entry
        self._measure = cast(GatheredMeasure, entry.factory())
        self.note: str | None = None
        self.error: float | None = None
        for name in ("restored", "target", "rows"):
            self.add_state(name, [], dist_reduce_fx="cat")

    @torch.no_grad()
    def update(self, restored: Tensor, target: Tensor) -> None:
        """Adds images in [0, 1] and their targets, (B, 3, H, W) each."""
        rows = [self._measure.rows(quantize(images)).to(self.device) for images in (restored.clamp(0, 1), target)]
        self.restored.append(rows[0])
        self.target.append(rows[1])
        each = len(rows[0]) // len(restored)  # crops of an image, or one
        self.rows.append(torch.full((len(restored),), each, device=self.device))

    def compute(self) -> Tensor:
        """Returns the score of all images so far.

        Raises:
            ImageError: If there are fewer than two.
        """
        measure = cast(GatheredMeasure, self._entry.factory())
        together = [torch.cat(list(kept)).cpu() if isinstance(kept, list) else kept.cpu() for kept in
                    (self.restored, self.target, self.rows)]  # fmt: skip
        sizes = together[2].tolist()
        for restored, target in zip(together[0].split(sizes), together[1].split(sizes), strict=True):
            measure.add_rows(restored, target, 1)
        score = measure.compute()
        self.note, self.error = score.note, score.error
        return torch.tensor(score.value)
