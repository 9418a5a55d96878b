"""A training set up: every option resolved once, all that is trained made, and where it stands."""

import dataclasses
import os
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from pdloss import degradations, runs
from pdloss.assets import sha256
from pdloss.datasets import Crops, batches, leak_warning, same_pictures
from pdloss.devices.provenance import commit, machine, versions
from pdloss.ops.streams import generator
from pdloss.records import RunRecord
from pdloss.runs.bindings import worth_saying
from pdloss.runs.states import State, seed_everything
from pdloss.training.configuration import TrainConfig
from pdloss.training.data import TrainingPhotographs, training_data
from pdloss.training.preparation import prepared
from pdloss.training.ranks import Ranks
from pdloss.training.recording import recorded
from pdloss.training.resolving import resolved
from pdloss.training.supply import Supply
from pdloss.training.trainer import Trainer
from pdloss.training.validation import Validation
from pdloss.training.watching import Watcher


@dataclass(frozen=True)
class Setup:
    """All that a training is made of."""

    options: TrainConfig
    """With everything said that was left to defaults."""
    ranks: Ranks
    run: runs.RunFolder
    record: RunRecord
    trainer: Trainer
    photographs: TrainingPhotographs
    crops: Crops
    validation: Validation | None
    """In the first process only, if it is asked for."""
    why: str
    """Why the photographs are degraded as they are."""
    notes: list[str]
    """What is worth saying."""

    def begin(self, watcher: Watcher) -> State:
        """Makes the run folder, or puts everything where it stood; tells the watcher, and returns where that is.

        Raises:
            RunError: If the folder is another run's, or its state is damaged.
        """
        notes, record = list(self.notes), self.record
        if self.ranks.first:
            notes += worth_saying(self.run.record(), record) if self.run.begun else []
            record = self.run.open(record, self.photographs.trained_on, self.photographs.fingerprint_by_size)
        self.ranks.wait()
        state = self.run.resume(self.trainer.network, self.trainer.optimiser, self.options.steps, **self.trainer.others)
        if not self.ranks.first:  # what networks and losses draw at random should differ from process to process
            seed_everything(generator("rank", self.options.seed, self.ranks.rank, state.step).initial_seed())
        for note in notes:
            watcher.note(note)
        watcher.start(record, state, self.photographs, self.why)
        return state

    def supply(self, step: int) -> Supply:
        """Returns this process's parts of the batches after `step`."""
        ranks = self.ranks
        return Supply(batches(
            self.crops, step, self.options.steps, loader_workers(self.options, ranks),
            pin=ranks.device.type == "cuda", part=ranks.rank, parts=ranks.world_size,
        ))  # fmt: skip

    def measured(self, step: int, watcher: Watcher) -> dict[str, float]:
        """Returns what the validation gives after a step at which a checkpoint is saved; shows the watcher pictures."""
        if self.validation is None or not self.options.saves(step):
            return {}
        psnr, pictures = self.validation.measure(self.trainer.trained)
        watcher.pictures(step, pictures)
        return {"psnr": psnr}


def set_up(config: TrainConfig, ranks: Ranks, watcher: Watcher) -> Setup:
    """Returns a training as the options want it; nothing is written.

    Raises:
        UserError: If a choice, the data, the run folder or the loss cannot be used.
    """
    run = runs.RunFolder(config.out, writes=ranks.first)
    asked = resolved(config, run, ranks)
    parts = prepared(asked, run, ranks)
    record = RunRecord(
        **recorded(asked.options), init_sha256=None if asked.first is None else sha256(asked.first),
        weights=parts.criterion.origin,
        parameters=sum(p.numel() for p in parts.network.parameters() if p.requires_grad),
        images=0, data_fingerprint="", versions=versions() | {"jpeg": degradations.codec()},
        machine=machine(ranks.device, ranks.world_size), commit=commit(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    run.check(record)  # before photographs are read, which may take long
    with ranks.first_before_others():  # it decodes the photographs, and the others find them decoded
        photographs, degradation = training_data(
            asked.options, asked.purpose, watcher.loading, reread=asked.options.reread and ranks.first
        )
    options, validation = dataclasses.replace(asked.options, degradation=degradation.in_full()), None
    if options.valid is not None and ranks.first:
        validation = Validation(options.valid, degradation, ranks.device, options.valid_degraded)
        if leaks := same_pictures(photographs.hashes, validation.photographs.hashes):
            watcher.warn(leak_warning(leaks, options.valid))
    images, fingerprint = len(photographs), photographs.fingerprint
    return Setup(
        options=options,
        ranks=ranks,
        run=run,
        record=replace(record, degradation=options.degradation, images=images, data_fingerprint=fingerprint),
        trainer=Trainer(options, asked.objective, parts, ranks, folder=run.path),
        photographs=photographs,
        crops=Crops(photographs, degradation, size=asked.purpose.crop, seed=options.seed, batch=options.batch),
        validation=validation,
        why=asked.purpose.why,
        notes=parts.notes,
    )


def loader_workers(config: TrainConfig, ranks: Ranks) -> int:
    """Returns how many processes prepare this process's crops ahead."""
    if config.workers is not None:
        return config.workers
    return 0 if ranks.device.type == "cpu" else min(8, (os.cpu_count() or 2) // 2 // ranks.local_world_size)
