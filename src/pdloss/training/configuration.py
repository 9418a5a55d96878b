"""What is told to whoever trains, calibrates or distils: the options of the three verbs."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pdloss.errors import SpecError
from pdloss.files.options import OverwriteOptions
from pdloss.limits import check_seed
from pdloss.specs.options import TypedOptions
from pdloss.training.loggers import names_of
from pdloss.training.recommendations import recommended

_WORKERS_PER_CORE = 16


@dataclass(frozen=True, kw_only=True)
class CropOptions(TypedOptions):
    """What all three are told of the crops that they work on."""

    smallest_crop: ClassVar[int] = 1
    batch: int = 16
    """Crops in a batch."""
    crop: int | None = None
    """Side of the crops in pixels; by default that of the run in --init if the task is the same, else the task's."""
    seed: int = 0
    """Chooses the first weights, the crops and their degradations."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        check_seed(self.seed)
        self.check_least(1, "batch")
        if self.crop is not None:
            self.check_least(self.smallest_crop, "crop")

    def check_least(self, least: int, *names: str) -> None:
        """Refuses numbers that are too small.

        Raises:
            SpecError: Naming the option and its value.
        """
        for name in names:
            if getattr(self, name) < least:
                raise SpecError(f"--{name.replace('_', '-')} must be at least {least}, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class PartOptions(TypedOptions):
    """What training and calibration are told of the network and the photographs that they bring together."""

    data: str
    """Folder of training photographs, with all below it; a pattern such as "GOPRO/train/*/sharp"; or
    "deadleaves(images=400)", which needs none."""
    task: str | None = None
    """Restoration task; sets the defaults of --network, --degradation and --crop. By default that of the run in --init,
    else denoise."""
    network: str | None = None
    """Such as "edsr(blocks=16, width=64)"; by default that of the run in --init, else the task's."""
    degradation: str | None = None
    """Such as "noise(sigma=100/255)"; by default that of the run in --init if the task is the same, else the task's."""
    degraded: str | None = None
    """Folder or pattern of degraded photographs, such as "GOPRO/train/*/blur" beside --data "GOPRO/train/*/sharp", to
    take instead of degrading those in --data; paired by their paths below, without the suffix, or by what the stars
    stand for."""
    init: Path | None = None
    """Run folder, safetensors file, or name of a model that ships, to take the first weights from; by default they are
    fresh."""
    device: str = "auto"
    """Such as cpu, cuda or cuda:1; auto takes a GPU if there is one."""
    skip_damaged: bool = False
    """Leave out damaged images instead of refusing the folder."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(CropOptions, PartOptions):
    """What to train, on what, for how long."""

    out: Path
    """Run folder. The same command again resumes a stopped run."""
    loss: str = recommended()
    """Weighted sum of losses, such as "l1 + 0.05*multilayer_pdl + 0.5*phase"."""
    steps: int = 100_000
    """Optimiser steps."""
    lr: float = 1e-4
    """Learning rate of Adam."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over the steps: down to zero along half a cosine, or constant."""
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
    valid: Path | None = None
    """Folder of photographs to measure PSNR on whenever a checkpoint is saved; they should not be trained on."""
    valid_degraded: Path | None = None
    """Their degraded photographs, as --degraded is for --data."""
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
    log: str = ""
    """Where the log and a few validation pictures go besides, such as "tensorboard,mlflow": to any of mlflow,
    tensorboard, trackio and wandb, each an extra of that name; what they write here lies in RUN/tensorboard and so on,
    and where else it goes, their own environment variables say."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        super().validate()
        self.check_least(1, "steps", "save_every", "log_every", "accumulate")
        _check_rate(self.lr)
        names_of(self.log)
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

    def saves(self, step: int) -> bool:
        """Returns whether a checkpoint is saved after `step`."""
        return step % self.save_every == 0 or step == self.steps

    def logs(self, step: int) -> bool:
        """Returns whether a line of the log is written after `step`."""
        return step % self.log_every == 0 or step == self.steps or (self.valid is not None and self.saves(step))


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(CropOptions, PartOptions):
    """Which terms to weigh, how hard each is to pull, and where that is measured."""

    loss: str
    """Sum of losses, such as "l1 + multilayer_pdl". The first keeps its weight."""
    share: tuple[float, ...]
    """How much of all pull on the restored images each term is to have: one number per term, together 1. With two
    terms, that of the second alone will do."""
    batch: int = 8
    """Crops in a batch."""
    batches: int = 16
    """Batches to measure on."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        super().validate()
        self.check_least(1, "batches")


@dataclass(frozen=True, kw_only=True)
class DistillConfig(CropOptions, OverwriteOptions):
    """What a distillation is made of."""

    smallest_crop: ClassVar[int] = 10
    # The widest blur of `degrade` reaches 9 pixels, and mirrors the border, which must be longer.
    crop: int = 96
    """Side of the crops in pixels."""
    images: tuple[Path, ...]
    """Folders of photographs to learn from; they take turns, a batch each."""
    check: Path
    """Folder of other photographs, to measure the error on."""
    out: Path
    """The safetensors file to write."""
    teacher: str = "vgg19.relu3_4+relu4_3"
    """Backbone and layers to imitate, at sides of 1, 1/2, 1/4, … of the image's."""
    start: Literal[1, 2] = 2
    """1: the first stage works at the image's own side, and sees every pattern of pixels; 2: at half of it, faster."""
    widths: tuple[int, ...] = (64, 128, 184)
    """Channels of each stage: at 1/2, 1/4, … of the image's side, or with --start 1 at 1, 1/2, 1/4, …"""
    blocks: tuple[int, ...] = (1, 2, 2)
    """Residual convolutions at each."""
    steps: int = 20_000
    """Optimiser steps."""
    lr: float = 3e-3
    """Highest learning rate of AdamW."""
    differences: float = 0.1
    """Weight of the error in how small patterns change the maps, beside that of the maps; 0 for none. Half of each
    batch are then pairs of an image and itself with noise, a grating, a checkerboard, a shuffle's tile or colour."""
    save_every: int = 500
    """Steps after which all is kept in a folder beside --out, from which the same command goes on after a stop."""
    reuse: int = 4
    """How many steps use each batch of the teacher's maps: the teacher costs more than the student's step."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        super().validate()
        self.check_least(1, "steps", "reuse", "save_every")
        _check_rate(self.lr)
        if not 0 <= self.differences < math.inf:
            raise SpecError(f"--differences must not be negative, got {self.differences}")


def _check_rate(rate: float) -> None:
    if not 0 < rate < math.inf:
        raise SpecError(f"--lr must be positive, got {rate}")
