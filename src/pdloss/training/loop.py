"""Training: one plain loop, which stops and goes on bit for bit."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch
from msgspec.structs import replace
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pdloss import degradations, runs
from pdloss.datasets import Batch, Crops, batches, leak_warning, same_pictures
from pdloss.degradations import Chain
from pdloss.devices import autocast, chosen_device
from pdloss.devices.crowding import Crowding
from pdloss.devices.memory import enough_memory
from pdloss.devices.provenance import commit, machine, versions
from pdloss.devices.signals import stop_requests
from pdloss.errors import RunError
from pdloss.files.spelling import spelled
from pdloss.images import write_image
from pdloss.losses import LossTerms
from pdloss.ops.streams import generator
from pdloss.records import LogLine, RunRecord
from pdloss.runs.bindings import worth_saying
from pdloss.runs.purposes import Purpose
from pdloss.runs.states import State, Stateful, seed_everything
from pdloss.training.configuration import TrainConfig
from pdloss.training.data import TrainingPhotographs, training_data
from pdloss.training.preparation import Prepared, check_scale, coarse_criterion, leaving_nothing, prepared
from pdloss.training.ranks import Ranks, joined
from pdloss.training.supply import Supply
from pdloss.training.validation import Validation

_LESS = "use a smaller --batch or --crop, or --accumulate N, which computes a batch in N parts; what was saved stays"


class Watcher:
    """What a training tells whoever watches it; this one keeps silent."""

    def loading(self, done: int, total: int) -> None:
        """Is told of every image read."""

    def warn(self, text: str) -> None:
        """Is told of what may make the results wrong."""

    def note(self, text: str) -> None:
        """Is told of what is worth knowing, before the first step."""

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Is told once, before the first step; also why the photographs are degraded as they are."""

    def step(self, step: int, terms: LossTerms) -> None:
        """Is told after every step."""

    def log(self, line: LogLine) -> None:
        """Is told of every line of the log."""


def train(config: TrainConfig, watcher: Watcher | None = None) -> State:
    """Trains a network, or goes on with a stopped training, and returns where it stands.

    On a CPU, with the same number of threads, a run that was killed at any moment and started again ends in the same
    bits as one never stopped. Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 stop after the step at hand and save. Started by
    ``torchrun``, all processes train the one network: each computes an equal part of every batch, and the first writes
    the run folder.

    Args:
        config: What to train.
        watcher: Told of every step; in the first process only.

    Raises:
        UserError: If a choice, the data, the run folder or the loss cannot be used; the message says what to do.
    """
    config.validate()
    with joined(chosen_device(config.device)) as ranks, enough_memory(f"training with --batch {config.batch}", _LESS):
        return _train(config, watcher if watcher and ranks.first else Watcher(), ranks)


def _train(config: TrainConfig, watcher: Watcher, ranks: Ranks) -> State:
    run = runs.RunFolder(config.out, writes=ranks.first)
    ready = prepared(config, run, ranks)
    record = _record(config, ready, ranks)
    run.check(record)
    photographs, degradation, validation = _pictures(config, ready.purpose, watcher, ranks)
    record = replace(
        record,
        degradation=degradation.in_full(),
        images=len(photographs),
        data_fingerprint=photographs.fingerprint,
    )
    crops = Crops(photographs, degradation, size=ready.purpose.crop, seed=config.seed, batch=config.batch)
    learner = _Learner(config, ready, ranks)
    with (
        leaving_nothing(run),
        run.locked(),
        stop_requests(ranks.count == 1) as stop,
        contextlib.ExitStack() as closing,
    ):
        notes = list(ready.notes)
        if ranks.first:
            notes += worth_saying(run.record(), record) if run.begun else []
            record = run.open(record, photographs.trained_on, photographs.fingerprint_by_size)
        ranks.wait()
        state = run.resume(learner.network, learner.optimiser, config.steps, **learner.others)
        if not ranks.first:  # what networks and losses draw at random should differ from process to process
            seed_everything(generator("rank", config.seed, ranks.rank, state.step).initial_seed())
        for note in notes:
            watcher.note(note)
        watcher.start(record, state, photographs, ready.purpose.why)
        supply = Supply(batches(
            crops, state.step, config.steps, loader_workers(config, ranks), pin=ranks.device.type == "cuda",
            part=ranks.rank, parts=ranks.count,
        ))  # fmt: skip
        closing.callback(supply.close)
        state = _steps(config, learner, run, record, state, supply, validation, stop, watcher)
        ranks.wait()
        if supply.failure is not None:
            raise supply.failure
    return state


def _steps(
    config: TrainConfig,
    learner: "_Learner",
    run: runs.RunFolder,
    record: RunRecord,
    state: State,
    supply: Supply,
    validation: Validation | None,
    stop: threading.Event,
    watcher: Watcher,
) -> State:
    """Takes the steps that are left, or those until it is asked to stop; logs, saves and returns where it stands."""
    ranks, step, started = learner.ranks, state.step, time.monotonic() - state.seconds
    crowding = Crowding(torch.get_num_threads() if ranks.count == 1 and ranks.device.type == "cpu" else 0)
    line_at = time.monotonic()
    supply.fetch()
    stopping = ranks.any(supply.failure is not None)
    while step < config.steps and not stopping:
        batch = supply.take()
        crowding.begin()
        share = learning_rate_share(step, config.steps, config.schedule)
        step += 1
        saving = step % config.save_every == 0 or step == config.steps
        logging = step % config.log_every == 0 or step == config.steps or (saving and config.valid is not None)
        taken = learner.step(batch, run, record, step, share, logging)
        if crowded := crowding.end():
            watcher.warn(crowded)
        watcher.step(step, taken.terms)
        if logging:
            now = time.monotonic()
            line = LogLine(
                step=step, seconds=now - started, lr=share * config.lr,
                total=ranks.means({"total": taken.terms.total.item()})["total"],
                terms=ranks.means({name: value.item() for name, value in taken.terms.values.items()}),
                gradients=norms_of_whole(taken.norms, ranks),
                learners=ranks.means({name: value.item() for name, value in taken.learned.items()}),
                waiting=supply.waited / max(now - line_at, 1e-9),
                valid={"psnr": validation.psnr(learner.trained)} if saving and validation is not None else {},
            )  # fmt: skip
            run.append_log(line)
            watcher.log(line)
            supply.waited, line_at = 0.0, time.monotonic()
        state = State(step, time.monotonic() - started)
        if not stop.is_set():
            supply.fetch()
        stopping = ranks.any(stop.is_set() or supply.failure is not None)
        if saving or stopping:
            run.save(state, learner.network, learner.optimiser, learner.trained, **learner.others)
    return state


class _Taken(NamedTuple):
    """What one step showed."""

    terms: LossTerms
    norms: list[dict[str, float]]
    """Of each part's gradients; none unless they are logged."""
    learned: dict[str, Tensor]
    """The losses of what trains along."""


class _Learner:
    """All that changes in training, and how one step changes it."""

    def __init__(self, config: TrainConfig, ready: Prepared, ranks: Ranks) -> None:
        self.config, self.ranks = config, ranks
        self.network, self.criterion = ready.network, ready.criterion
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=config.lr)
        self.average = moving_average(self.network, config.ema) if config.ema else None
        # What changes in training beside the network and its optimiser.
        learners = {f"optimiser_of_{name}": each.optimiser for name, each in self.criterion.learners.items()}
        self.others: dict[str, Stateful] = {"criterion": self.criterion, **learners}
        if self.average is not None:
            self.others["average"] = self.average
        for each in (self.optimiser, *learners.values()):
            ranks.average_gradients_of(each)
        self._forward = torch.compile(self.network) if config.compile else self.network
        self._at_coarse_scales = coarse_criterion(ready.objective, self.network) if config.scales == "all" else None

    @property
    def trained(self) -> nn.Module:
        """The network to keep: the one trained, or its moving average."""
        return self.network if self.average is None else self.average.module

    def step(
        self, batch: Batch, run: runs.RunFolder, record: RunRecord, step: int, share: float, logging: bool
    ) -> _Taken:
        """Takes one optimiser step on a batch.

        Raises:
            RunError: If a value is not finite any more; the images are kept in the run folder.
            SpecError: If the network does not undo the degradation's change of size.
        """
        device, pictures, parts, norms = self.ranks.device, [], [], []
        for group in self.optimiser.param_groups:
            group["lr"] = share * self.config.lr
        self.optimiser.zero_grad()
        for degraded, target in _parts(batch, self.config.accumulate, device):
            with autocast(device, record.precision):
                if self._at_coarse_scales is None:
                    restored, coarse = self._forward(degraded).float(), torch.zeros(())
                else:
                    restored, coarse = self._at_coarse_scales(degraded, target)
                check_scale(degraded, restored, target, record.network, record.degradation)
                terms = self.criterion(restored, target)
            norms += [gradient_norms(terms, restored)] if logging else []
            ((terms.total + coarse) / self.config.accumulate).backward()
            pictures.append((restored.detach(), target))
            parts.append(terms)
        terms = mean_terms(parts)
        restored, target = (torch.cat(images) for images in zip(*pictures, strict=True))
        _refuse_non_finite(run, step, batch, restored, terms, self.network)
        self.optimiser.step()
        with autocast(device, record.precision):
            learned = self.criterion.learn(restored, target, share)
        _refuse_lost_learners(step, learned)
        if self.average is not None:
            self.average.update_parameters(self.network)
        return _Taken(terms, norms, learned)


def _record(config: TrainConfig, ready: Prepared, ranks: Ranks) -> RunRecord:
    """Returns what is known of the run before its photographs are read."""
    return RunRecord(
        task=ready.purpose.task, data=spelled(config.data), network=ready.purpose.network.in_full(),
        loss=ready.objective.in_full(), degradation=ready.purpose.degradation.in_full(), steps=config.steps,
        batch=config.batch, crop=ready.purpose.crop, lr=config.lr, schedule=config.schedule, seed=config.seed,
        device=str(ranks.device), skip_damaged=config.skip_damaged, precision=ready.precision,
        init=None if config.init is None else spelled(config.init), init_sha256=ready.init_sha256,
        valid=None if config.valid is None else spelled(config.valid),
        degraded=None if config.degraded is None else spelled(config.degraded),
        valid_degraded=None if config.valid_degraded is None else spelled(config.valid_degraded),
        scales=config.scales, ema=config.ema, accumulate=config.accumulate, compile=config.compile,
        parameters=sum(p.numel() for p in ready.network.parameters() if p.requires_grad),
        images=0, data_fingerprint="", weights=ready.criterion.origin,
        versions=versions() | {"jpeg": degradations.codec()}, machine=machine(ranks.device, ranks.count),
        commit=commit(), created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def _pictures(
    config: TrainConfig, aim: Purpose, watcher: Watcher, ranks: Ranks
) -> tuple[TrainingPhotographs, Chain, Validation | None]:
    """Returns the photographs to train on, what degrades them, and in the first process those to validate on."""
    if not ranks.first:
        ranks.wait()  # so that the first decodes the photographs, and the others find them decoded
    photographs, degradation = training_data(
        config, aim.crop, aim.degradation, watcher.loading, reread=config.reread and ranks.first
    )
    if ranks.first:
        ranks.wait()
    if config.valid is None or not ranks.first:
        return photographs, degradation, None
    validation = Validation(config.valid, degradation, ranks.device, config.valid_degraded)
    if leaks := same_pictures(photographs.hashes, validation.photographs.hashes):
        watcher.warn(leak_warning(leaks, config.valid))
    return photographs, degradation, validation


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


def loader_workers(config: TrainConfig, ranks: Ranks) -> int:
    """Returns how many processes prepare this process's crops ahead."""
    if config.workers is not None:
        return config.workers
    return 0 if ranks.device.type == "cpu" else min(8, (os.cpu_count() or 2) // 2 // ranks.beside)


def _parts(batch: Batch, count: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    moved = (
        images.to(device, non_blocking=True, memory_format=torch.channels_last)
        for images in (batch.degraded, batch.target)
    )
    return zip(*(images.chunk(count) for images in moved), strict=True)


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


def _refuse_lost_learners(step: int, learned: dict[str, Tensor]) -> None:
    for name, value in learned.items():
        if not value.isfinite():
            raise RunError(
                f"step {step}: what trains along in the loss term {name!r} has come to {value.item():g}; "
                "the last checkpoint is untouched: try a smaller lr= of that term"
            )
