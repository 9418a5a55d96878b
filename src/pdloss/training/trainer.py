"""All that changes in training, and how one step changes it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pdloss.datasets import Batch
from pdloss.devices import autocast
from pdloss.errors import RunError
from pdloss.images import write_image
from pdloss.losses import LossTerms, Objective
from pdloss.runs.states import Stateful
from pdloss.training.configuration import TrainConfig
from pdloss.training.preparation import Parts
from pdloss.training.ranks import Ranks
from pdloss.training.trial import check_scale, coarse_criterion


class StepResult(NamedTuple):
    """What one step showed."""

    lr: float
    terms: LossTerms
    norms: list[dict[str, float]]
    """Of each part's gradients; none unless they are logged."""
    learned: dict[str, Tensor]
    """The losses of what trains along."""

    def in_all(self, ranks: Ranks) -> dict[str, Any]:
        """Returns what the log says of the step, over all processes; all must ask."""
        return {
            "lr": self.lr,
            "total": ranks.means({"total": self.terms.total.item()})["total"],
            "terms": ranks.means({name: value.item() for name, value in self.terms.values.items()}),
            "gradients": norms_of_whole(self.norms, ranks),
            "learners": ranks.means({name: value.item() for name, value in self.learned.items()}),
        }


class Trainer:
    """All that changes in training.

    Args:
        options: How it is trained, every default said.
        objective: The sum that the loss of `parts` is built from.
        parts: What is trained, and by what.
        ranks: The processes that train it together.
        folder: Folder for the images of a batch at which a value is not finite any more.
    """

    def __init__(self, options: TrainConfig, objective: Objective, parts: Parts, ranks: Ranks, folder: Path) -> None:
        self.options, self.ranks, self._folder = options, ranks, folder
        self.network, self.criterion = parts.network, parts.criterion
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.options.lr)
        self.average = moving_average(self.network, self.options.ema) if self.options.ema else None
        learners = {f"optimiser_of_{name}": each.optimiser for name, each in self.criterion.learners.items()}
        self.others: dict[str, Stateful] = {"criterion": self.criterion, **learners}
        """What changes beside the network and its optimiser."""
        if self.average is not None:
            self.others["average"] = self.average
        for each in (self.optimiser, *learners.values()):
            ranks.average_gradients_of(each)
        self._forward = torch.compile(self.network) if self.options.compile else self.network
        all_scales = self.options.scales == "all"
        self._at_coarse_scales = coarse_criterion(objective, self.network) if all_scales else None

    @property
    def trained(self) -> nn.Module:
        """The network to keep: the one trained, or its moving average."""
        return self.network if self.average is None else self.average.module

    def step(self, batch: Batch, step: int, logging: bool) -> StepResult:
        """Takes one optimiser step on a batch.

        Args:
            batch: This process's part of it.
            step: The step's number, from 1.
            logging: Whether the gradients' norms are wanted.

        Raises:
            RunError: If a value is not finite any more; the images are kept.
            SpecError: If the network does not undo the degradation's change of size.
        """
        share = learning_rate_share(step - 1, self.options.steps, self.options.schedule)
        for group in self.optimiser.param_groups:
            group["lr"] = share * self.options.lr
        self.optimiser.zero_grad()
        done = [self._backward(*part, logging) for part in _parts(batch, self.options.accumulate, self.ranks.device)]
        restored, target = (torch.cat(images) for images in zip(*(part.images for part in done), strict=True))
        terms = mean_terms([part.terms for part in done])
        self._refuse_non_finite(batch, step, restored, terms)
        self.optimiser.step()
        with autocast(self.ranks.device, self.options.precision):
            learned = self.criterion.learn(restored, target, share)
        _refuse_lost_learners(step, learned)
        if self.average is not None:
            self.average.update_parameters(self.network)
        return StepResult(share * self.options.lr, terms, [part.norms for part in done if logging], learned)

    def _backward(self, degraded: Tensor, target: Tensor, logging: bool) -> "_Part":
        """Adds one part's share to the gradients."""
        with autocast(self.ranks.device, self.options.precision):
            if self._at_coarse_scales is None:
                restored, coarse = self._forward(degraded).float(), torch.zeros(())
            else:
                restored, coarse = self._at_coarse_scales(degraded, target)
            check_scale(degraded, restored, target, self.options.network, self.options.degradation)
            terms = self.criterion(restored, target)
        norms = gradient_norms(terms, restored) if logging else {}
        ((terms.total + coarse) / self.options.accumulate).backward()
        return _Part((restored.detach(), target), terms, norms)

    def _refuse_non_finite(self, batch: Batch, step: int, restored: Tensor, terms: LossTerms) -> None:
        """Stops before the optimiser spreads a NaN; says which term it came from, and keeps the images.

        Raises:
            RunError: If the loss or its gradient is not finite.
        """
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if torch.nn.utils.get_total_norm(gradients).isfinite() and terms.total.isfinite():
            return
        if not restored.isfinite().all():
            culprit = "the network's output is not finite, so no loss can be"
        else:
            bad = [f"the loss term {name!r} is {v.item():g}" for name, v in terms.values.items() if not v.isfinite()]
            culprit = "; ".join(bad) or "every loss term is finite, but not the gradient of the network's weights"
        folder = self._folder / f"nonfinite-{step:09d}"
        for index, name in enumerate(batch.names):
            stem = f"{index:02d}-{Path(name).stem}"
            for kind, images in (("degraded", batch.degraded), ("target", batch.target), ("restored", restored)):
                write_image(folder / f"{stem}-{kind}.png", images[index].detach().float().nan_to_num().cpu())
        names = ", ".join(sorted(set(batch.names)))
        raise RunError(
            f"step {step}: {culprit}; the images of this batch ({names}) are in {folder}; "
            "the last checkpoint is untouched: try a smaller --lr, or a smaller weight of that term"
        )


class _Part(NamedTuple):
    """What one part of a batch showed."""

    images: tuple[Tensor, Tensor]
    """Restored and target."""
    terms: LossTerms
    norms: dict[str, float]


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Returns the network's exponential moving average, weights and buffers, which starts at the first update."""
    averaged = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=averaged, use_buffers=True)


def mean_terms(parts: Sequence[LossTerms]) -> LossTerms:
    """Returns the means of the terms of equal parts of a batch, which are those of the batch; without a graph."""
    values = {name: torch.stack([part.values[name].detach() for part in parts]).mean() for name in parts[0].values}
    return LossTerms(torch.stack([part.total.detach() for part in parts]).mean(), values, parts[0].weights)


def norms_of_whole(norms: Sequence[Mapping[str, float]], ranks: Ranks) -> dict[str, float]:
    """Returns the gradient norms at a whole batch, given those of its equal parts here, and in the other processes."""
    squares = {name: sum(part[name] ** 2 for part in norms) for name in norms[0]}
    parts = len(norms) * ranks.world_size
    return {name: math.sqrt(square) / parts for name, square in ranks.sums(squares).items()}


def learning_rate_share(step: int, steps: int, schedule: str) -> float:
    """Returns the share of the full learning rate at `step`: always one, or half a cosine from one towards zero."""
    return 1.0 if schedule == "constant" else 0.5 + 0.5 * math.cos(math.pi * step / steps)


def gradient_norms(terms: LossTerms, restored: Tensor) -> dict[str, float]:
    """Returns the norm of each weighted term's gradient at the restored batch: how hard each term pulls."""
    norms = {}
    for name, value in terms.values.items():
        if not value.requires_grad:
            norms[name] = 0.0
            continue
        (gradient,) = torch.autograd.grad(terms.weights[name] * value, restored, retain_graph=True, allow_unused=True)
        norms[name] = 0.0 if gradient is None else gradient.norm().item()
    return norms


def _parts(batch: Batch, count: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    moved = (
        images.to(device, non_blocking=True, memory_format=torch.channels_last)
        for images in (batch.degraded, batch.target)
    )
    return zip(*(images.chunk(count) for images in moved), strict=True)


def _refuse_lost_learners(step: int, learned: dict[str, Tensor]) -> None:
    for name, value in learned.items():
        if not value.isfinite():
            raise RunError(
                f"step {step}: what trains along in the loss term {name!r} has come to {value.item():g}; "
                "the last checkpoint is untouched: try a smaller lr= of that term"
            )
