"""Training: one plain loop, which stops and goes on bit for bit."""

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pdloss import degradations, losses, networks, runs
from pdloss.configuration import TrainConfig
from pdloss.datasets import Batch, Crops, batches, leak_warning, same_pictures
from pdloss.errors import RunError, SpecError
from pdloss.images import write_image
from pdloss.losses import LossTerms
from pdloss.ops.streams import generator
from pdloss.precision import autocast, best_precision, channels_last, chosen_device
from pdloss.provenance import commit, versions
from pdloss.ranks import Ranks, joined
from pdloss.records import LogLine, RunRecord
from pdloss.specs import Choice
from pdloss.spelling import spelled
from pdloss.tasks import task
from pdloss.training_data import TrainingPhotographs, training_data
from pdloss.validation import Validation


class Watcher:
    """What a training tells whoever watches it; this one keeps silent."""

    def loading(self, done: int, total: int) -> None:
        """Is told of every image read."""

    def warn(self, text: str) -> None:
        """Is told of what may spoil the results."""

    def start(self, record: RunRecord, state: runs.State, photographs: TrainingPhotographs) -> None:
        """Is told once, before the first step."""

    def step(self, step: int, terms: LossTerms) -> None:
        """Is told after every step."""

    def log(self, line: LogLine) -> None:
        """Is told of every line of the log."""


def train(config: TrainConfig, watcher: Watcher | None = None) -> runs.State:
    """Trains a network, or goes on with a stopped training, and returns where it stands.

    On a CPU, with the same number of threads, a run that was killed at any moment and started again ends in the same
    bits as one never stopped. Ctrl-C (or SIGTERM) stops after the step at hand and saves. Started by ``torchrun``, all
    processes train the one network: each computes an equal part of every batch, and the first writes the run folder.

    Args:
        config: What to train.
        watcher: Told of every step; in the first process only.

    Raises:
        UserError: If a choice, the data, the run folder or the loss cannot be used; the message says what to do.
    """
    config.validate()
    with joined(chosen_device(config.device)) as ranks:
        return _train(config, watcher if watcher and ranks.first else Watcher(), ranks)


def _train(config: TrainConfig, watcher: Watcher, ranks: Ranks) -> runs.State:
    device = ranks.device
    _check_parts(config, ranks.count)
    defaults = task(config.task)
    objective = losses.objective(config.loss)
    run = runs.RunFolder(config.out, writes=ranks.first)
    begun = run.state.exists()  # then what it began from is needed no more, and may be gone
    begin = run.path if begun else config.init
    network_choice = networks.NETWORKS.parse(
        (_network_of(begin) or defaults.network) if config.network is None else config.network
    )
    crop = config.crop or defaults.crop

    if not ranks.first:
        ranks.wait()  # so that the first decodes the photographs, and the others find them decoded
    photographs, degradation_choice = training_data(config, crop, defaults.degradation, watcher.loading)
    if ranks.first:
        ranks.wait()
    validation = None
    if config.valid is not None and ranks.first:
        validation = Validation(config.valid, degradation_choice, device, config.valid_degraded)
        if leaks := same_pictures(photographs.hashes, validation.photographs.hashes):
            watcher.warn(leak_warning(leaks, config.valid))
    crops = Crops(photographs, degradation_choice, size=crop, seed=config.seed, batch=config.batch)
    runs.seed_everything(config.seed)
    network = channels_last(trainable(network_choice)).to(device)
    criterion = objective.build().to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.lr)
    if config.init is not None and not begun:
        runs.load_weights(_weights_of(config.init), network)
    average = moving_average(network, config.ema) if config.ema else None
    # What changes in training beside the network and its optimiser.
    learners = {f"optimiser_of_{name}": learner.optimiser for name, learner in criterion.learners.items()}
    others: dict[str, runs.Stateful] = {"criterion": criterion, **learners, **({"average": average} if average else {})}
    for each in (optimiser, *learners.values()):
        ranks.average_gradients_of(each)
    forward = torch.compile(network) if config.compile else network
    at_coarse_scales = coarse_criterion(objective, network) if config.scales == "all" else None

    record = RunRecord(
        task=config.task, data=spelled(config.data), network=network_choice.in_full(), loss=objective.in_full(),
        degradation=degradation_choice.in_full(), steps=config.steps, batch=config.batch, crop=crop, lr=config.lr,
        schedule=config.schedule, seed=config.seed, device=str(device), skip_damaged=config.skip_damaged,
        precision=best_precision(device) if config.precision == "auto" else config.precision,
        init=None if config.init is None else spelled(config.init),
        valid=None if config.valid is None else spelled(config.valid),
        degraded=None if config.degraded is None else spelled(config.degraded),
        valid_degraded=None if config.valid_degraded is None else spelled(config.valid_degraded),
        scales=config.scales, ema=config.ema, accumulate=config.accumulate, compile=config.compile,
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        images=len(photographs), data_fingerprint=photographs.fingerprint, weights=criterion.origin,
        versions=versions() | {"jpeg": degradations.codec()}, commit=commit(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    with run.locked(), _stop_requests() as stop:
        if ranks.first:
            record = run.open(record, photographs.hashes)
        ranks.wait()
        state = run.resume(network, optimiser, **others)
        if not ranks.first:  # what networks and losses draw at random should differ from process to process
            runs.seed_everything(generator("rank", config.seed, ranks.rank, state.step).initial_seed())
        watcher.start(record, state, photographs)
        started = time.monotonic() - state.seconds
        step = state.step
        loader = batches(
            crops, step, config.steps, loader_workers(config, ranks), pin=device.type == "cuda",
            part=ranks.rank, parts=ranks.count,
        )  # fmt: skip
        waited, line_at = 0.0, time.monotonic()
        for seconds, batch in _timed(loader):
            waited += seconds
            share = learning_rate_share(step, config.steps, config.schedule)
            for group in optimiser.param_groups:
                group["lr"] = share * config.lr
            step += 1
            saving = step % config.save_every == 0 or step == config.steps
            logging = step % config.log_every == 0 or step == config.steps or (saving and config.valid is not None)
            pictures, parts, norms = [], [], []
            optimiser.zero_grad()
            for degraded, target in _parts(batch, config.accumulate, device):
                with autocast(device, record.precision):
                    if at_coarse_scales is None:
                        restored, coarse = forward(degraded).float(), torch.zeros(())
                    else:
                        restored, coarse = at_coarse_scales(degraded, target)
                    _check_scale(degraded, restored, target, record)
                    terms = criterion(restored, target)
                norms += [gradient_norms(terms, restored)] if logging else []
                ((terms.total + coarse) / config.accumulate).backward()
                pictures.append((restored.detach(), target))
                parts.append(terms)
            terms = mean_terms(parts)
            restored, target = (torch.cat(images) for images in zip(*pictures, strict=True))
            _refuse_non_finite(run, step, batch, restored, terms, network)
            optimiser.step()
            with autocast(device, record.precision):
                learned = criterion.learn(restored, target, share)
            _refuse_lost_learners(step, learned)
            if average is not None:
                average.update_parameters(network)
            watcher.step(step, terms)
            trained = network if average is None else average.module
            if logging:
                now = time.monotonic()
                line = LogLine(
                    step=step, seconds=now - started, lr=share * config.lr,
                    total=ranks.means({"total": terms.total.item()})["total"],
                    terms=ranks.means({name: value.item() for name, value in terms.values.items()}),
                    gradients=norms_of_whole(norms, ranks),
                    learners=ranks.means({name: value.item() for name, value in learned.items()}),
                    waiting=waited / max(now - line_at, 1e-9),
                    valid={"psnr": validation.psnr(trained)} if saving and validation is not None else {},
                )  # fmt: skip
                run.append_log(line)
                watcher.log(line)
                waited, line_at = 0.0, time.monotonic()
            state = runs.State(step, time.monotonic() - started)
            stopping = ranks.any(stop.is_set())
            if saving or stopping:
                run.save(state, network, optimiser, trained, **others)
            if stopping:
                break
        ranks.wait()
    return state


def trainable(choice: Choice) -> nn.Module:
    """Returns the network that a choice builds.

    Raises:
        SpecError: If it is no module, or has nothing to train.
    """
    network = choice.build()
    if not isinstance(network, nn.Module):
        raise SpecError(f"{choice} is no network: it makes a {type(network).__name__}, not a torch.nn.Module")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SpecError(f"{choice} has no weights to train")
    return network


def coarse_criterion(
    objective: losses.Objective, network: nn.Module
) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Returns what maps degraded and target to the restored batch and the pixel terms' sum over its coarser scales.

    Raises:
        SpecError: If the network has one scale only, or the objective no pixel term.
    """
    pixels = losses.Objective(tuple(term for term in objective.terms if isinstance(term[1], losses.L1 | losses.L2)))
    if not isinstance(network, networks.MultiScaleNetwork):
        raise SpecError("--scales all needs a network that restores from coarse to fine: srn or dsdeblur")
    if not pixels.terms:
        raise SpecError(f"--scales all compares coarser scales by pixel terms, and {objective} has none; add l1")
    criterion = pixels.build()

    def restored_and_coarse(degraded: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        *coarser, finest = (images.float() for images in network.forward_scales(degraded))
        targets = network.target_scales(target)[:-1]
        parts = [criterion(restored, smaller).total for restored, smaller in zip(coarser, targets, strict=True)]
        return finest, torch.stack(parts).sum()

    return restored_and_coarse


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
    parts = len(norms) * ranks.count
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


def _check_parts(config: TrainConfig, processes: int) -> None:
    """Refuses a batch whose share of one process cannot be computed in equal parts: their mean would not be the step's.

    Raises:
        SpecError: Naming the batch, the parts and the processes.
    """
    if config.batch % (processes * config.accumulate) and not config.batch % processes:
        raise SpecError(
            f"--batch {config.batch} cannot be shared by {processes} processes and computed in {config.accumulate} "
            f"equal parts each; use a multiple of {processes * config.accumulate}"
        )


def loader_workers(config: TrainConfig, ranks: Ranks) -> int:
    """Returns how many processes prepare this process's crops ahead."""
    if config.workers is not None:
        return config.workers
    return 0 if ranks.device.type == "cpu" else min(8, (os.cpu_count() or 2) // 2 // ranks.beside)


def _network_of(init: Path | None) -> str | None:
    return runs.RunFolder(init).record().network if init is not None and init.is_dir() else None


def _timed(loader: Iterable[Batch]) -> Iterator[tuple[float, Batch]]:
    """Yields every batch after the seconds that were spent waiting for it."""
    batches = iter(loader)
    while True:
        started = time.monotonic()
        batch = next(batches, None)
        if batch is None:
            return
        yield time.monotonic() - started, batch


def _parts(batch: Batch, count: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    moved = (
        images.to(device, non_blocking=True, memory_format=torch.channels_last)
        for images in (batch.degraded, batch.target)
    )
    return zip(*(images.chunk(count) for images in moved), strict=True)


def _weights_of(init: Path) -> Path:
    return runs.RunFolder(init).latest_weights()[1] if init.is_dir() else init


@contextlib.contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """Turns the first SIGINT or SIGTERM into an event, to stop between two steps; a second one acts as usual."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before: dict[int, Any] = {}

    def request(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(number, before[number])

    for stop in (signal.SIGINT, signal.SIGTERM):
        before[stop] = signal.signal(stop, request)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_non_finite(
    run: runs.RunFolder, step: int, batch: Batch, restored: Tensor, terms: LossTerms, network: nn.Module
) -> None:
    """Stops before the optimiser spreads a NaN; says which term it came from, and keeps the images.

    Raises:
        RunError: If the loss or its gradient is not finite.
    """
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    if torch.nn.utils.get_total_norm(gradients).isfinite() and terms.total.isfinite():
        return
    if not restored.isfinite().all():
        culprit = "the network's output is not finite, so no loss can be"
    else:
        bad = [f"the loss term {name!r} is {v.item():g}" for name, v in terms.values.items() if not v.isfinite()]
        culprit = "; ".join(bad) or "every loss term is finite, but not the gradient of the network's weights"
    folder = run.path / f"nonfinite-{step:09d}"
    for index, name in enumerate(batch.names):
        stem = f"{index:02d}-{Path(name).stem}"
        for kind, images in (("degraded", batch.degraded), ("target", batch.target), ("restored", restored)):
            write_image(folder / f"{stem}-{kind}.png", images[index].detach().float().nan_to_num().cpu())
    raise RunError(
        f"step {step}: {culprit}; the images of this batch ({', '.join(sorted(set(batch.names)))}) are in {folder}; "
        "the last checkpoint is untouched: try a smaller --lr, or a smaller weight of that term"
    )


def _check_scale(degraded: Tensor, restored: Tensor, target: Tensor, record: RunRecord) -> None:
    """Refuses a network that does not undo the degradation's change of size.

    Raises:
        SpecError: Naming the network, the degradation and the three sizes.
    """
    if restored.shape != target.shape:
        sizes = ", ".join("x".join(map(str, images.shape[1:])) for images in (degraded, restored, target))
        raise SpecError(
            f"{record.network} does not fit {record.degradation}: input, output and target are {sizes} "
            "(channels x height x width); choose a network of the degradation's "
            "scale, such as edsr(scale=4) for downscale(factor=4)"
        )


def _refuse_lost_learners(step: int, learned: dict[str, Tensor]) -> None:
    for name, value in learned.items():
        if not value.isfinite():
            raise RunError(
                f"step {step}: what trains along in the loss term {name!r} has come to {value.item():g}; "
                "the last checkpoint is untouched: try a smaller lr= of that term"
            )
