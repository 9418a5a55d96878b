"""What a training is told: the options of ``pdloss train``."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pdloss.errors import SpecError
from pdloss.limits import check_seed
from pdloss.specs.trust import TYPED, Trust, trusting
from pdloss.training.recommendations import recommended


@dataclass(frozen=True, kw_only=True)
class TrustOptions:
    """Whose texts these are: what no user typed names code of listed modules only (`pdloss.specs.trust`)."""

    trust: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A module, such as package.module, whose classes the files read may name, and which is then imported and run; once
    for each. It holds for this command and is remembered nowhere."""

    @property
    def received(self) -> Trust:
        """How far text out of a file is trusted."""
        return trusting(*self.trust)


@dataclass(frozen=True, kw_only=True)
class TypedOptions(TrustOptions):
    """Options that hold texts of their own."""

    typed: Annotated[bool, tyro.conf.Suppress] = False
    """Whether the user typed these very texts, and did not read them from a file."""

    @property
    def trusted(self) -> Trust:
        """How far these texts are trusted."""
        return TYPED if self.typed else self.received


MOST_WORKERS = 512

_WORKERS_PER_CORE = 16


@dataclass(frozen=True)
class TrainConfig(TypedOptions):
    """What to train, on what, for how long."""

    data: str
    """Folder of training photographs, with all below it; a pattern such as "GOPRO/train/*/sharp"; or
    "deadleaves(images=400)", which needs none."""
    out: Path
    """Run folder. The same command again resumes a stopped run."""
    task: str | None = None
    """Restoration task; sets the defaults of --network, --degradation and --crop. By default that of the run in --init,
    else denoise."""
    network: str | None = None
    """Such as "edsr(blocks=16, width=64)"; by default that of the run in --init, else the task's."""
    loss: str = recommended("vgg16.relu4_3")
    """Weighted sum of losses, such as "l1 + 0.0003*pdl(features='distilled.relu4_3')"."""
    degradation: str | None = None
    """Such as "noise(sigma=100/255)"; by default that of the run in --init if the task is the same, else the task's."""
    degraded: str | None = None
    """Folder or pattern of degraded photographs, such as "GOPRO/train/*/blur" beside --data "GOPRO/train/*/sharp", to
    take instead of degrading those in --data; paired by their paths below, without the suffix, or by what the stars
    stand for."""
    steps: int = 100_000
    """Optimiser steps."""
    batch: int = 16
    """Crops per step."""
    crop: int | None = None
    """Side of the training crops in pixels; by default that of the run in --init if the task is the same, else the
    task's."""
    lr: float = 1e-4
    """Learning rate of Adam."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over the steps: down to zero along half a cosine, or constant."""
    seed: int = 0
    """Chooses the first weights, the crops and their degradations."""
    device: str = "auto"
    """Such as cpu, cuda or cuda:1; auto takes a GPU if there is one."""
    scales: Literal["finest", "all"] = "finest"
    """Where networks that restore from coarse to fine (srn, dsdeblur) are compared with the target: at the finest
    scale, eq. (5) as it stands; or, with the loss's pixel terms, at the coarser ones too, as their authors do."""
    ema: float = 0.0
    """Decay of the moving average of the weights, such as 0.999, which is then what a run's weights are; 0 for none."""
    accumulate: int = 1
    """Parts that a batch is computed in, one after the other, where memory is short; the step is the same, except that
    batch norm (of srresnet) sees one part at a time."""
    compile: bool = False
    """Compile the network before training: minutes at the start, faster steps on a GPU."""
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Number format of the network and the features; losses are always float32. auto: bfloat16 where it is faster."""
    init: Path | None = None
    """Run folder or safetensors file to take the first weights from."""
    valid: Path | None = None
    """Folder of photographs to measure PSNR on whenever a checkpoint is saved; they should not be trained on."""
    valid_degraded: Path | None = None
    """Their degraded photographs, as --degraded is for --data."""
    skip_damaged: bool = False
    """Leave out damaged images instead of refusing the folder."""
    reread: bool = False
    """Read every photograph's content to tell whether it changed, instead of trusting its size, times and inode."""
    save_every: int = 1000
    """Steps between checkpoints."""
    log_every: int = 50
    """Steps between lines of the log, each with every term's value and gradient norm."""
    workers: int | None = None
    """Processes that prepare crops ahead. By default none on a CPU, where a crop costs little beside a step; on a GPU
    half of the processor's cores, shared by the processes of a machine, 8 at most. One that delivers nothing for five
    minutes ends the training, which saves first."""
    tensorboard: bool = False
    """Also write the log for TensorBoard, into RUN/tensorboard."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        check_seed(self.seed)
        for name in ("steps", "batch", "save_every", "log_every", "accumulate"):
            if getattr(self, name) < 1:
                raise SpecError(f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}")
        if not (0 < self.lr < math.inf):
            raise SpecError(f"--lr must be positive, got {self.lr}")
        if not 0 <= self.ema < 1:
            raise SpecError(f"--ema must be from 0 to below 1, got {self.ema}")
        if self.compile and self.scales == "all":
            raise SpecError("--compile and --scales all exclude each other: only the finest scale is compiled")
        if self.batch % self.accumulate:
            raise SpecError(f"--batch {self.batch} cannot be computed in {self.accumulate} equal parts")
        most = _WORKERS_PER_CORE * (os.cpu_count() or 1)
        if self.workers is not None and not 0 <= self.workers <= most:
            raise SpecError(f"--workers must be from 0 to {most}, {_WORKERS_PER_CORE} a core, got {self.workers}")
        if (self.valid_degraded is not None) > (self.valid is not None):
            raise SpecError(f"--valid-degraded {self.valid_degraded} needs its targets: name them with --valid")
        if self.degraded is not None and self.valid is not None and self.valid_degraded is None:
            raise SpecError(f"--valid {self.valid} needs its degraded photographs too: name them with --valid-degraded")
        if self.crop is not None and self.crop < 1:
            raise SpecError(f"--crop must be at least 1, got {self.crop}")
