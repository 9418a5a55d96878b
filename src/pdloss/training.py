"""Training: one plain loop, which stops and goes on bit for bit."""

import contextlib
import math
import os
import platform
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pdloss import __version__, degradations, losses, networks, runs
from pdloss.datasets import Batch, Crops, Photographs, batches
from pdloss.errors import RunError, SpecError
from pdloss.images import write_image
from pdloss.losses import LossTerms
from pdloss.precision import autocast, best_precision, channels_last, chosen_device
from pdloss.records import LogLine, RunRecord
from pdloss.tasks import task


@dataclass(frozen=True)
class TrainConfig:
    """What to train, on what, for how long."""

    data: Path
    """Folder of training photographs."""
    out: Path
    """Run folder. The same command again resumes a stopped run."""
    task: str = "denoise"
    """Restoration task; sets the defaults of --network, --degradation and --crop."""
    network: str | None = None
    """Such as "edsr(blocks=16, width=64)"; by default that of the run in --init, else the task's."""
    loss: str = "l1 + 0.01*pdl"
    """Weighted sum of losses, such as "l1 + 0.01*pdl(features='distilled.relu4_3')"."""
    degradation: str | None = None
    """Such as "noise(sigma=100/255)"; by default the task's."""
    steps: int = 100_000
    """Optimiser steps."""
    batch: int = 16
    """Crops per step."""
    crop: int | None = None
    """Side of the training crops in pixels; by default the task's."""
    lr: float = 1e-4
    """Learning rate of Adam."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over the steps: down to zero along half a cosine, or constant."""
    seed: int = 0
    """Chooses the first weights, the crops and their degradations."""
    device: str = "auto"
    """Such as cpu, cuda or cuda:1; auto takes a GPU if there is one."""
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Number format of the network and the features; losses are always float32. auto: bfloat16 where it is faster."""
    init: Path | None = None
    """Run folder or safetensors file to take the first weights from."""
    skip_damaged: bool = False
    """Leave out damaged images instead of refusing the folder."""
    save_every: int = 1000
    """Steps between checkpoints."""
    log_every: int = 50
    """Steps between lines of the log, each with every term's value and gradient norm."""
    workers: int | None = None
    """Processes that prepare crops ahead. By default none on a CPU, where a crop costs little beside a step; on a GPU
    half of the processor's cores, 8 at most."""
    tensorboard: bool = False
    """Also write the log for TensorBoard, into RUN/tensorboard."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        for name in ("steps", "batch", "save_every", "log_every"):
            if getattr(self, name) < 1:
                raise SpecError(f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}")
        if not (0 < self.lr < math.inf):
            raise SpecError(f"--lr must be positive, got {self.lr}")
        if self.workers is not None and self.workers < 0:
            raise SpecError(f"--workers must not be negative, got {self.workers}")
        if self.crop is not None and self.crop < 1:
            raise SpecError(f"--crop must be at least 1, got {self.crop}")


class Watcher:
    """What a training tells whoever watches it; this one keeps silent."""

    def loading(self, done: int, total: int) -> None:
        """Is told of every image read."""

    def start(self, record: RunRecord, state: runs.State, photographs: Photographs) -> None:
        """Is told once, before the first step."""

    def step(self, step: int, terms: LossTerms) -> None:
        """Is told after every step."""

    def log(self, line: LogLine) -> None:
        """Is told of every line of the log."""


def train(config: TrainConfig, watcher: Watcher | None = None) -> runs.State:
    """Trains a network, or goes on with a stopped training, and returns where it stands.

    On a CPU, with the same number of threads, a run that was killed at any moment and started again ends in the same
    bits as one never stopped. Ctrl-C (or SIGTERM) stops after the step at hand and saves.

    Args:
        config: What to train.
        watcher: Told of every step.

    Raises:
        UserError: If a choice, the data, the run folder or the loss cannot be used; the message says what to do.
    """
    watcher = watcher or Watcher()
    config.validate()
    device = chosen_device(config.device)
    defaults = task(config.task)
    objective = losses.objective(config.loss)
    network_choice = networks.NETWORKS.parse(config.network or _network_of(config.init) or defaults.network)
    degradation_choice = degradations.DEGRADATIONS.parse(config.degradation or defaults.degradation)
    crop = config.crop or defaults.crop

    photographs = Photographs(config.data, skip_damaged=config.skip_damaged, smallest=crop, progress=watcher.loading)
    crops = Crops(photographs, degradation_choice.build(), size=crop, seed=config.seed, batch=config.batch)
    runs.seed_everything(config.seed)
    network = channels_last(network_choice.build()).to(device)
    criterion = objective.build().to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.lr)
    if config.init is not None:
        runs.load_weights(_weights_of(config.init), network)

    record = RunRecord(
        task=config.task, data=str(config.data), network=network_choice.in_full(), loss=objective.in_full(),
        degradation=degradation_choice.in_full(), steps=config.steps, batch=config.batch, crop=crop, lr=config.lr,
        schedule=config.schedule, seed=config.seed, device=str(device), skip_damaged=config.skip_damaged,
        precision=best_precision(device) if config.precision == "auto" else config.precision,
        init=None if config.init is None else str(config.init),
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        images=len(photographs), data_fingerprint=photographs.fingerprint, weights=criterion.origin,
        versions=versions(), commit=commit(), created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    run = runs.RunFolder(config.out)
    with run.locked(), _stop_requests() as stop:
        record = run.open(record)
        learning = {f"optimiser_of_{name}": learner.optimiser for name, learner in criterion.learners.items()}
        state = run.resume(network, optimiser, criterion=criterion, **learning)
        watcher.start(record, state, photographs)
        started = time.monotonic() - state.seconds
        step = state.step
        for batch in batches(crops, step, config.steps, _workers(config, device), pin=device.type == "cuda"):
            share = learning_rate_share(step, config.steps, config.schedule)
            for group in optimiser.param_groups:
                group["lr"] = share * config.lr
            degraded = batch.degraded.to(device, non_blocking=True, memory_format=torch.channels_last)
            target = batch.target.to(device, non_blocking=True, memory_format=torch.channels_last)
            with autocast(device, record.precision):
                restored = network(degraded).float()
                _check_scale(degraded, restored, target, record)
                terms = criterion(restored, target)
            step += 1
            logging = step % config.log_every == 0 or step == config.steps
            gradients = gradient_norms(terms, restored) if logging else {}
            optimiser.zero_grad()
            terms.total.backward()
            _refuse_non_finite(run, step, batch, restored, terms, network)
            optimiser.step()
            with autocast(device, record.precision):
                learned = criterion.learn(restored.detach(), target, share)
            _refuse_lost_learners(step, learned)
            watcher.step(step, terms)
            if logging:
                values = {name: value.item() for name, value in terms.values.items()}
                line = LogLine(
                    step=step, seconds=time.monotonic() - started, lr=share * config.lr, total=terms.total.item(),
                    terms=values, gradients=gradients, learners={name: v.item() for name, v in learned.items()},
                )  # fmt: skip
                run.append_log(line)
                watcher.log(line)
            state = runs.State(step, time.monotonic() - started)
            if step % config.save_every == 0 or step == config.steps or stop.is_set():
                run.save(state, network, optimiser, criterion=criterion, **learning)
            if stop.is_set():
                break
    return state


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


def versions() -> dict[str, str]:
    """Returns the versions that a result may depend on."""
    return {"pdloss": __version__, "torch": str(torch.__version__), "python": platform.python_version()}


def commit() -> str | None:
    """Returns the commit of the checkout that pdloss runs from, or None outside of one."""
    folder = Path(__file__).parent
    try:
        git = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        inside = subprocess.run([*git[:3], "ls-files", "--error-unmatch", __file__], capture_output=True, check=False)
        if inside.returncode:
            return None
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _workers(config: TrainConfig, device: torch.device) -> int:
    if config.workers is not None:
        return config.workers
    return 0 if device.type == "cpu" else min(8, (os.cpu_count() or 2) // 2)


def _network_of(init: Path | None) -> str | None:
    return runs.RunFolder(init).record().network if init is not None and init.is_dir() else None


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
        sizes = ", ".join(f"{images.shape[-2]}x{images.shape[-1]}" for images in (degraded, restored, target))
        raise SpecError(
            f"{record.network} does not fit {record.degradation}: input, output and target are {sizes} pixels; "
            "choose a network of the degradation's scale, such as edsr(scale=4) for downscale(factor=4)"
        )


def _refuse_lost_learners(step: int, learned: dict[str, Tensor]) -> None:
    for name, value in learned.items():
        if not value.isfinite():
            raise RunError(
                f"step {step}: what trains along in the loss term {name!r} has come to {value.item():g}; "
                "the last checkpoint is untouched: try a smaller lr= of that term"
            )
