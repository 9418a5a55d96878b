"""Training: one plain loop, which stops and goes on bit for bit."""

import contextlib
import threading
import time

from pdloss.devices import chosen_device
from pdloss.devices.oversubscription import Oversubscription
from pdloss.devices.signals import stop_requests
from pdloss.memory import enough_memory
from pdloss.records import LogLine
from pdloss.runs.states import State
from pdloss.training.configuration import TrainConfig
from pdloss.training.loggers import names_of
from pdloss.training.loggers.choosing import with_loggers
from pdloss.training.ranks import joined
from pdloss.training.setup import Setup, set_up
from pdloss.training.supply import Supply
from pdloss.training.watching import Watcher, told_of_the_end

_LESS = "use a smaller --batch or --crop, or --accumulate N, which computes a batch in N parts; what was saved stays"


def train(config: TrainConfig, watcher: Watcher | None = None) -> State:
    """Trains a network, or goes on with a stopped training, and returns where it stands.

    On a CPU, with the same number of threads, a run that was killed at any moment and started again ends in the same
    bits as one never stopped. Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 stop after the step at hand and save. Started by
    ``torchrun``, all processes train the one network: each computes an equal part of every batch, and the first writes
    the run folder.

    Args:
        config: What to train.
        watcher: Told of every step; in the first process only. So are the loggers that the options name.

    Raises:
        UserError: If a choice, the data, the run folder or the loss cannot be used; the message says what to do.
    """
    config.validate()
    with joined(chosen_device(config.device)) as ranks, enough_memory(f"training with --batch {config.batch}", _LESS):
        told = with_loggers(watcher or Watcher(), names_of(config.log), config.out) if ranks.first else Watcher()
        setup = set_up(config, ranks, told)
        with setup.run.removed_if_it_fails(), setup.run.locked(), stop_requests(ranks.world_size == 1) as stop:
            state = setup.begin(told)
            with told_of_the_end(told), contextlib.closing(setup.supply(state.step)) as supply:
                state = _loop(setup, state, supply, told, stop)
                ranks.wait()
                if supply.failure is not None:
                    raise supply.failure
    return state


def _loop(setup: Setup, state: State, supply: Supply, watcher: Watcher, stop: threading.Event) -> State:
    """Takes the steps that are left, or those until it is asked to stop; logs, saves and returns where it stands."""
    options, ranks, trainer = setup.options, setup.ranks, setup.trainer
    oversubscription = Oversubscription(setup.ranks.threads)
    started, line_at = time.monotonic() - state.seconds, time.monotonic()
    supply.fetch()
    stopping = ranks.any(supply.failure is not None)
    while state.step < options.steps and not stopping:
        step, batch = state.step + 1, supply.take()
        oversubscription.begin()
        result = trainer.step(batch, step, options.logs(step))
        if oversubscribed := oversubscription.end():
            watcher.warn(oversubscribed)
        watcher.step(step, result.terms)
        if options.logs(step):
            now = time.monotonic()
            waiting = supply.waited / max(now - line_at, 1e-9)
            in_all, valid = result.in_all(ranks), setup.measured(step, watcher)
            line = LogLine(step=step, seconds=now - started, waiting=waiting, valid=valid, **in_all)
            setup.run.append_log(line)
            watcher.log(line)
            supply.waited, line_at = 0.0, time.monotonic()
        state = State(step, time.monotonic() - started)
        if not stop.is_set():
            supply.fetch()
        stopping = ranks.any(stop.is_set() or supply.failure is not None)
        if options.saves(step) or stopping:
            setup.run.save(state, trainer.network, trainer.optimiser, trainer.trained, **trainer.others)
    return state
